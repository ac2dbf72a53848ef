import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";

const recorded = new URL("../recorded/files/", import.meta.url);

/**
 * programs/files.c makes some 450 calls on files and prints their results; linux-6.18.txt is what it printed on Linux
 * 6.18.44 as root in an empty directory of a tmpfs.
 */
test("calls on files give what Linux 6.18 gave", () => {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 << 20 });
  machine.load(readFileSync(new URL("files.elf", recorded)), { cwd: "/mnt" });
  expect(machine.run(50_000_000).reason).toBe("exited");
  const expected = readFileSync(new URL("linux-6.18.txt", recorded), "latin1");
  expect(host.text(1).split("\n")).toEqual(expected.split("\n"));
});
