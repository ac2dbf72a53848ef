import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";

const recorded = new URL("../recorded/files/", import.meta.url);

/**
 * programs/shared-files.c: locks between processes, waiting for them, deadlocks; names that go while they are in use;
 * copies, renames, devices. shared-files.txt is what it printed on Linux 6.18.44, as root in an empty directory of a
 * tmpfs and in a process namespace of its own.
 */
test("files between processes are as on Linux 6.18", () => {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 << 20 });
  machine.load(readFileSync(new URL("shared-files.elf", recorded)), { cwd: "/mnt" });
  for (let slices = 0; slices < 100 && machine.exit === null; slices++) {
    if (machine.run(50_000_000).reason === "exited") break;
  }
  const expected = readFileSync(new URL("shared-files.txt", recorded), "latin1");
  expect(host.text(1).split("\n")).toEqual(expected.split("\n"));
}, 30_000);
