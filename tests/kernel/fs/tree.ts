import { firstIdentities } from "../../../kernel/fs/file-system.js";
import { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PhysicalMemory } from "../../../mmu/physical-memory.js";
import { userCredentials } from "../../../kernel/credentials.js";
import type { Credentials } from "../../../kernel/credentials.js";
import type { FsContext } from "../../../kernel/fs/fs-context.js";
import { Namespace } from "../../../kernel/fs/namespace.js";
import { openPath } from "../../../kernel/fs/open.js";
import type { OpenFile } from "../../../kernel/fs/open-file.js";
import { TreeFileSystem } from "../../../kernel/fs/tree-file-system.js";
import type { HostMount } from "../../../kernel/fs/tree-setup.js";
import { addMount } from "../../../kernel/fs/tree-setup.js";
import type { HostFiles } from "../../../kernel/fs/host-files.js";
import { startOf } from "../../../kernel/fs/namespace.js";
import type { WalkStart } from "../../../kernel/fs/walk.js";

/** A small tree in memory, and whom it is seen by. */
export interface TestTree {
  readonly fs: FsContext;
  readonly root: Credentials;
  start(credentials?: Credentials): WalkStart;
  open(path: string, flags: number, mode?: number, credentials?: Credentials): OpenFile | number;
}

export function makeTree(mounts: readonly HostMount[] = [], files?: HostFiles): TestTree {
  const frames = new FrameAllocator(new PhysicalMemory(8 << 20));
  let clock = 1_000_000_000_000n;
  const context = { frames, identities: firstIdentities(), now: () => (clock += 1n) };
  const namespace = new Namespace(context, (made) => new TreeFileSystem(context, made.newDevice(), null));
  for (const mount of mounts) {
    const failure = addMount(namespace, files, mount);
    if (failure) throw new Error(`${failure.guest}: errno ${failure.errno}`);
  }
  const fs: FsContext = { namespace, cwd: namespace.root, root: namespace.root, umask: 0o022 };
  const root = userCredentials(0, 0);
  return {
    fs,
    root,
    start: (credentials = root) => startOf(fs, credentials),
    open(path, flags, mode = 0o644, credentials = root) {
      const opened = openPath(fs, credentials, fs.cwd, path, flags, mode);
      if (typeof opened === "object" && "fifo" in opened) throw new Error("a fifo that waits");
      if (typeof opened === "object") opened.hold();
      return opened;
    },
  };
}

export function opened(file: OpenFile | number): OpenFile {
  if (typeof file === "number") throw new Error(`errno ${-file}`);
  return file;
}

export function readAll(file: OpenFile): string {
  const bytes = new Uint8Array(65536);
  const count = file.read(bytes, 0);
  if (count < 0) throw new Error(`errno ${-count}`);
  return String.fromCharCode(...bytes.subarray(0, count));
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}
