// node tests/debug/matrix-record.mjs TOPIC RELEASE KERNEL < OUTPUT: keeps what a matrix program printed on Linux KERNEL.
import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const [topic, release, kernel] = process.argv.slice(2);
const answers = readFileSync(0, "utf8").trimEnd().split("\n");
const file = new URL(`../recorded/matrix/${topic}-${release}.json.gz`, import.meta.url);
writeFileSync(file, gzipSync(JSON.stringify({ kernel, answers }), { level: 9 }));
