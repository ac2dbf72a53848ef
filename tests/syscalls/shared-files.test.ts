import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";

const recorded = new URL("../recorded/files/", import.meta.url);

/**
 * programs/NAME.c; NAME.txt is what it printed on Linux 6.18.44, as root in an empty directory of a tmpfs (one that is
 * not the root) and in a process namespace of its own.
 *
 * - shared-files: locks between processes, waiting for them, deadlocks; names that go while they are in use; copies,
 *   renames, devices
 * - confined-files: openat2's RESOLVE_*, seals of memfds, chroot
 */
test.each(["shared-files", "confined-files"])("%s: as on Linux 6.18", (name) => {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 << 20 });
  machine.load(readFileSync(new URL(`${name}.elf`, recorded)), { cwd: "/dev/shm" });
  expect(machine.run(200_000_000).reason).toBe("exited");
  const expected = readFileSync(new URL(`${name}.txt`, recorded), "latin1");
  expect(host.text(1).split("\n")).toEqual(expected.split("\n"));
});
