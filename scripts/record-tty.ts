/**
 * Records how this Linux's terminals answer: plays tests/kernel/tty/scenarios.ts with tests/recorded/tty/player.elf
 * (player.c, as musl-gcc -Os -s -static makes it) and writes tests/recorded/tty/linux.json.gz.
 *
 *   npx esbuild scripts/record-tty.ts --bundle --platform=node --format=esm --outfile=.cache/record-tty/record.mjs
 *   node .cache/record-tty/record.mjs
 */

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { release } from "node:os";
import { gzipSync } from "node:zlib";
import { scenarios } from "../tests/kernel/tty/scenarios.js";

const PLAYER = "tests/recorded/tty/player.elf";
const TRIES = 8;

function play(operations: readonly string[]): string {
  const { status, stdout } = spawnSync(
    "unshare",
    ["--pid", "--fork", "--kill-child", "--mount-proc", PLAYER],
    { input: `${operations.join("\n")}\n`, encoding: "latin1", timeout: 120_000, maxBuffer: 1 << 26 },
  );
  if (status !== 0) throw new Error(`${PLAYER} ended with ${status}`);
  return stdout;
}

/** Bytes pass between the two sides in the background: what two plays in a row agree on is not a matter of time. */
function settled(name: string, operations: readonly string[]): string {
  let before = play(operations);
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const again = play(operations);
    if (again === before) return again;
    before = again;
  }
  throw new Error(`${name}: no two plays agree`);
}

const answers = Object.fromEntries(
  Object.entries(scenarios).map(([name, operations]) => [name, settled(name, operations())]),
);
const text = JSON.stringify({ kernel: release().replace(/-.*/, ""), answers });
writeFileSync("tests/recorded/tty/linux.json.gz", gzipSync(text, { level: 9 }));
