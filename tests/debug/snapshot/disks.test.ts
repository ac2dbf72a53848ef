import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { loadMachine, saveMachine } from "../../../debug/snapshot/machine-file.js";
import { restoreSnapshot, takeSnapshot } from "../../../debug/snapshot/snapshot.js";
import { Files, someProgram } from "../../kernel/fs/ext4-machine.js";
import { complaints, hasE2fsprogs, makeImage, withDirectory } from "../../kernel/fs/ext4-tools.js";

const filesOf = ({ kernel }: Machine): Files => new Files(kernel, kernel.init.leader.fs.namespace);

/** A machine with a mounted disk, files in it, one of them open without a name. */
function withDisk(directory: string): Machine {
  const machine = Machine.create({ host: new BufferHost(""), memoryBytes: 64 << 20 });
  machine.load(someProgram(), { argv: ["program"] });
  const files = filesOf(machine);
  files.tree.addFile("/image", makeImage(directory, 6 << 20, "-t ext4 -b 1024"));
  files.attach("/image");
  expect(files.mount("ext4", "/dev/loop0", "/mnt/disk")).toBe(0);
  for (let i = 0; i < 20; i++) files.write(`/mnt/disk/file${i}`, i * 700, new Uint8Array(3000).fill(i));
  files.open("/mnt/disk/file7");
  files.unlink("/mnt/disk/file7");
  files.mkdir("/mnt/disk/directory");
  return machine;
}

function goOn(files: Files): string[] {
  files.write("/mnt/disk/directory/more", 5000, new Uint8Array(100_000).fill(9));
  files.truncate("/mnt/disk/file3", 100);
  files.unlink("/mnt/disk/file5");
  return files.listing("/mnt/disk");
}

describe.skipIf(!hasE2fsprogs)("a machine with a mounted disk (skipped without e2fsprogs)", () => {
  it("is saved and loaded with it", () =>
    withDirectory((directory) => {
      const machine = withDisk(directory);
      const loaded = loadMachine(saveMachine(machine), { host: new BufferHost("") });
      expect(machineDigest(loaded)).toBe(machineDigest(machine));
      const expected = goOn(filesOf(machine));
      const files = filesOf(loaded);
      expect(goOn(files)).toEqual(expected);
      expect(files.kernel.current.fs.namespace.block?.loops.get(0)?.openers).toBe(1);
    }));

  it("goes back, with what is on the disk", () =>
    withDirectory((directory) => {
      const machine = withDisk(directory);
      const files = filesOf(machine);
      const before = files.listing("/mnt/disk");
      const snapshot = takeSnapshot(machine);
      const expected = goOn(files);
      restoreSnapshot(machine, snapshot);
      expect(filesOf(machine).listing("/mnt/disk")).toEqual(before);
      expect(goOn(filesOf(machine))).toEqual(expected);
      filesOf(machine).kernel.current.fs.namespace.mounts.at(-1)?.fileSystem.sync(null);
      expect(complaints(directory, files.read("/image"))).not.toMatch(/checksum|illegal|wrong/i);
    }));
});
