import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";

const recorded = new URL("../../recorded/tty/", import.meta.url);
const [kernel, ...expected] = readFileSync(new URL("jobs.txt", recorded), "latin1").split("\n");

/** jobs.elf is jobs.c as musl-gcc -Os -s -static makes it. */
test(`sessions, controlling terminals and job control as on ${kernel!}`, () => {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 32 << 20 });
  machine.load(readFileSync(new URL("jobs.elf", recorded)));
  expect(machine.run(2e9)).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
  expect(host.text(1).split("\n")).toEqual(expected);
});
