import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";

const recorded = new URL("../recorded/sockets/", import.meta.url);

/**
 * programs/sockets-*.c make calls on sockets, in one process and in several, and print the results; the .txt are what
 * they printed on Linux 6.18.44 as root in an empty directory of a tmpfs, with nothing but the loopback interface.
 */
test.each(["sockets-unix", "sockets-inet", "sockets-processes"])("%s gives what Linux 6.18 gave", (name) => {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 << 20 });
  machine.load(readFileSync(new URL(`${name}.elf`, recorded)), { cwd: "/mnt" });
  expect(machine.run(500_000_000).reason).toBe("exited");
  const expected = readFileSync(new URL(`${name}.linux-6.18.txt`, recorded), "latin1");
  expect(host.text(1).split("\n")).toEqual(expected.split("\n"));
});
