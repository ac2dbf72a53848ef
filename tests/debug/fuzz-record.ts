import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { hostJudge, linuxJudge } from "../../cli/fuzz-judges.js";
import { WORLDS } from "../../debug/fuzz/worlds.js";
import { digest } from "../../debug/fuzz/digest.js";

/** Keeps the digests of the answers of Linux (the host's, or of a release in QEMU) to a world's seeds 0 to COUNT in FILE. */
const [file = "", count = "1000", about = "small", release = ""] = process.argv.slice(2);
const world = WORLDS.get(about)!;
const judge = release === "" ? hostJudge(world) : linuxJudge(release, world);
const answers = await judge.answer(Array.from({ length: Number(count) }, (_, seed) => world.list(seed)));
judge.close();
const bad = answers.findIndex((lines) => lines[0]?.startsWith("no answer"));
if (bad >= 0) throw new Error(`seed ${String(bad)}: ${answers[bad]!.join()}`);
writeFileSync(
  file,
  gzipSync(JSON.stringify({ kernel: judge.name, digests: answers.map(digest) }), { level: 9 }),
);
