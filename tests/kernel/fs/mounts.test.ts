import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EACCES, EINVAL } from "../../../kernel/errno.js";
import { parseMountData } from "../../../kernel/fs/mounts/data.js";
import { mountNew } from "../../../kernel/fs/mounts/mount.js";
import { remount } from "../../../kernel/fs/mounts/remount.js";
import { unmount } from "../../../kernel/fs/mounts/unmount.js";
import type { Location } from "../../../kernel/fs/mount.js";
import type { Namespace } from "../../../kernel/fs/namespace.js";
import { bareKernel } from "../bare-kernel.js";

/** A program and its answers on Linux 6.18.44, as root in a mount namespace of its own: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../../recorded/mounts/${name}`, import.meta.url);

const at = (tree: Namespace, path: string): Location => {
  const location = tree.makePath(path);
  if (typeof location === "number") throw new Error(`${path}: ${location}`);
  return location;
};

describe("mount and umount2", () => {
  it("give what Linux 6.18 gave", () => {
    const machine = bareKernel();
    machine.add("/mounts", readFileSync(recorded("mounts.elf")));
    machine.start("/mounts");
    expect(machine.kernel.run(10_000_000)).toMatchObject({
      reason: "exited",
      status: { code: 0, signal: null },
    });
    expect(machine.output().split("\n")).toEqual(
      readFileSync(recorded("linux-6.18.txt"), "latin1").split("\n"),
    );
    expect(machine.tree.detached.size).toBe(0);
  });

  it("gives the memory of a tmpfs back when the last user has left", () => {
    const { kernel, tree } = bareKernel();
    const before = kernel.frames.free;
    const source = { kernel, type: "tmpfs", source: null, flags: 0, own: 0, data: parseMountData("size=1m") };
    expect(mountNew(tree, at(tree, "/mnt/a"), source)).toBe(0);
    tree.addFile("/mnt/a/b/file", new Uint8Array(100_000));
    expect(before - kernel.frames.free).toBe(25);
    const fs = { namespace: tree, cwd: tree.root, root: tree.root, umask: 0 };
    expect(unmount(fs, at(tree, "/mnt/a"), 0)).toBe(0);
    expect(kernel.frames.free).toBe(before);
  });

  it("leaves the first mount where it is, and what is for reading only as it is", () => {
    const { tree } = bareKernel();
    const fs = { namespace: tree, cwd: tree.root, root: at(tree, "/mnt"), umask: 0 };
    expect(unmount(fs, tree.root, 2)).toBe(-EINVAL);
    tree.root.mount.fileSystem.writeProtected = true;
    expect(remount(tree, tree.root, 0, 0, parseMountData("rw"))).toBe(-EACCES);
  });
});
