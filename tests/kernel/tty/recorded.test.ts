import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { scenarios } from "./scenarios.js";

const recorded = new URL("../../recorded/tty/", import.meta.url);
const { kernel, answers } = JSON.parse(
  gunzipSync(readFileSync(new URL("linux.json.gz", recorded))).toString(),
) as { kernel: string; answers: Record<string, string> };

/** What a terminal of ours answers to the operations that player.c reads. */
function play(operations: readonly string[]): string {
  const host = new BufferHost(`${operations.join("\n")}\n`);
  const machine = Machine.create({ host, memoryBytes: 32 << 20 });
  machine.load(readFileSync(new URL("player.elf", recorded)));
  expect(machine.run(2e9)).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
  return host.text(1);
}

/** Each operation with its answer, under the "new" that its terminal began with. */
function rounds(operations: readonly string[], output: string): string[] {
  const lines = output.split("\n");
  return operations
    .map((operation, i) => `${operation} -> ${lines[i]!}`)
    .join("\n")
    .split(/\n(?=new )/);
}

describe(`terminals answer as Linux ${kernel}'s`, () => {
  test.for(Object.keys(scenarios))("%s", (name) => {
    const operations = scenarios[name]!();
    const ours = rounds(operations, play(operations));
    const theirs = rounds(operations, answers[name]!);
    const differing = theirs.filter((round, i) => round !== ours[i]);
    expect(differing.map((round) => [round, ours[theirs.indexOf(round)]])).toEqual([]);
    expect(ours.length).toBe(theirs.length);
  });
});
