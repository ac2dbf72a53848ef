import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { hostJudge, linuxJudge } from "../../cli/fuzz-judges.js";
import { listOf } from "../../debug/fuzz/campaign.js";
import { digest } from "../../debug/fuzz/digest.js";

/** Keeps the digests of the answers of Linux (the host's, or of a release in QEMU) to the seeds 0 to COUNT in FILE. */
const [file = "", count = "1000", release = ""] = process.argv.slice(2);
const judge = release === "" ? hostJudge() : linuxJudge(release);
const answers = await judge.answer(Array.from({ length: Number(count) }, (_, seed) => listOf(seed)));
judge.close();
const bad = answers.findIndex((lines) => lines[0]?.startsWith("no answer"));
if (bad >= 0) throw new Error(`seed ${String(bad)}: ${answers[bad]!.join()}`);
writeFileSync(
  file,
  gzipSync(JSON.stringify({ kernel: judge.name, digests: answers.map(digest) }), { level: 9 }),
);
