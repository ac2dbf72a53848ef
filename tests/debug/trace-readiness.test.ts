import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";

const recorded = (name: string): URL => new URL(`../recorded/readiness/${name}`, import.meta.url);

function traceOf(name: string): string[] {
  const machine = Machine.create({ host: new BufferHost(), memoryBytes: 64 << 20 });
  machine.load(readFileSync(recorded(`${name}.elf`)), { cwd: "/" });
  const lines: string[] = [];
  machine.trace((record) => lines.push(record.text.replace(/ += /, " = ")));
  expect(machine.run(50_000_000).reason).toBe("exited");
  return lines;
}

/** Lines that strace 6.1 printed of tests/programs/readiness.c and pipes.c. */
it("prints epoll, timerfd, signalfd and splice as strace does", () => {
  const ours = new Set([...traceOf("readiness"), ...traceOf("pipes")]);
  const theirs = readFileSync(recorded("strace-6.1.txt"), "utf8").trim().split("\n");
  expect(theirs.filter((line) => !ours.has(line))).toEqual([]);
});
