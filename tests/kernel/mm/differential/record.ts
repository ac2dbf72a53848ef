import { mkdirSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import { generate, generateForks } from "../../../../debug/fuzz/generate.js";
import { runNatively } from "./run.js";

/** Writes this machine's answers for the seeds 0 to COUNT (not included) to FILE; with `forks`, of several processes. */
const [file = "", count = "40", forks = ""] = process.argv.slice(2);
const make = forks === "forks" ? generateForks : generate;
const answers = Array.from({ length: Number(count) }, (_, seed) => runNatively(make(seed)));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, gzipSync(JSON.stringify({ kernel: release(), answers }), { level: 9 }));
