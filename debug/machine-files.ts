import type { FileSystemContext } from "../kernel/fs/file-system.js";
import type { FileTable } from "../kernel/fs/file-table.js";
import type { FsContext } from "../kernel/fs/fs-context.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { S_IFBLK, S_IFDIR, S_IFMT } from "../kernel/fs/mode.js";
import { SwapDisk } from "../kernel/fs/swap-file.js";
import { SwapMemory } from "../kernel/mm/swap/swap-area.js";
import { addArea } from "../kernel/mm/swap/swapon.js";
import { PAGE_SIZE } from "../mmu/layout.js";
import { mountKernelFileSystems } from "../kernel/fs/procfs/mount.js";
import type { Namespace } from "../kernel/fs/namespace.js";
import { standardFiles } from "../kernel/fs/standard-streams.js";
import type { ByteSource } from "../kernel/fs/byte-source.js";
import { ArraySource } from "../kernel/fs/byte-source.js";
import type { HostFiles } from "../kernel/fs/host-files.js";
import { HostLower } from "../kernel/fs/host-lower.js";
import { TarFiles } from "../kernel/fs/tar-files.js";
import { TarError } from "../kernel/fs/tar-header.js";
import { TarImage } from "../kernel/fs/tar-image.js";
import { buildTree, keepChanges, type HostMount } from "../kernel/fs/tree-setup.js";
import { UpperError } from "../kernel/fs/upper-journal.js";
import { walk } from "../kernel/fs/walk.js";
import type { Host } from "../kernel/host.js";
import type { Terminals } from "../kernel/tty/terminals.js";
import type { Kernel } from "../kernel/kernel.js";
import { EEXIST, EINVAL, ENOENT, ENOTDIR } from "../kernel/errno.js";
import { LoadError } from "./load-error.js";

/** What of the host's files a machine shows: roots are numbers that the host's `fileSource` knows. */
export interface TreeParts {
  /**
   * `/` is a copy-on-write view of it: a root, or a tar archive (bytes, or something to read them from). Without one,
   * `/` is a small tree in memory.
   */
  readonly root?: number | Uint8Array | ByteSource;
  /** A root: a directory that keeps what the guest changes of `root`, for the next machine. Else: in memory. */
  readonly upper?: number;
  readonly mounts?: readonly HostMount[];
  readonly hostname?: string;
}

const UMASK = 0o022;
/** A virtio disk, the first. */
const SWAP_NODE = "/dev/vda";
const SWAP_DEVICE = { major: 254, minor: 0 };

/** The files of a machine: the tree, and what the first process has open. */
export class MachineFiles {
  private readonly namespace: Namespace;

  /** @throws LoadError when something cannot be mounted */
  constructor(
    private readonly host: Host,
    context: FileSystemContext,
    parts: TreeParts,
  ) {
    const { fileSource } = host;
    const { root, upper, ...rest } = parts;
    const lower = root === undefined ? undefined : lowerOf(root, fileSource);
    const kept = upper === undefined ? undefined : lowerOf(upper, fileSource, true);
    if (kept && !lower) throw new LoadError("the upper layer", EINVAL, "there is no root under it");
    const tree = withReasons(() =>
      buildTree({
        context,
        host,
        ...rest,
        ...(lower ? { root: lower } : {}),
        ...(kept ? { upper: kept } : {}),
        ...(fileSource === undefined ? {} : { files: fileSource }),
      }),
    );
    if ("errno" in tree) throw LoadError.ofErrno(tree.guest, tree.errno);
    this.namespace = tree;
  }

  /** Mounts /proc and /sys, which look into the kernel. */
  attach(kernel: Kernel): void {
    mountKernelFileSystems(this.namespace, kernel);
    keepChanges(this.namespace, true);
  }

  /** Makes the disk's node and puts its area, of that many bytes, into force as swapon does. */
  addSwapDisk({ swap, release }: Kernel, bytes: number): void {
    this.namespace.addInode(SWAP_NODE, { mode: S_IFBLK | 0o660, uid: 0, gid: 0, device: SWAP_DEVICE });
    const pages = Math.floor(bytes / PAGE_SIZE);
    const parts = { pages, bad: [], store: new SwapMemory(), host: new SwapDisk(SWAP_NODE, SWAP_DEVICE) };
    addArea(swap, parts, null, release.rules.swapPrioritiesDescend);
  }

  get terminals(): Terminals {
    return this.namespace.terminals;
  }

  /** What a name stands for, links followed; null where there is nothing. */
  kind(path: string): "file" | "directory" | "other" | null {
    const found = walk(this.namespace.setupStart(), path, true);
    if (typeof found === "number") return null;
    const { inode } = found.location.dentry;
    return inode.isDirectory ? "directory" : inode instanceof RegularInode ? "file" : "other";
  }

  /** Puts a program into the tree, executable for all. @throws LoadError */
  install(path: string, bytes: Uint8Array): void {
    keepChanges(this.namespace, false);
    const result = this.namespace.addFile(path, bytes, 0o755);
    keepChanges(this.namespace, true);
    if (result === -EEXIST) throw new LoadError(path, EEXIST, "is in the guest's tree already");
    if (result < 0) throw LoadError.ofErrno(path, -result);
  }

  /** The content of a regular file; nothing where there is none. */
  read(path: string): Uint8Array {
    const found = walk(this.namespace.setupStart(), path, true);
    const inode = typeof found === "number" ? null : found.location.dentry.inode;
    if (!(inode instanceof RegularInode)) return new Uint8Array();
    const bytes = new Uint8Array(inode.pages.size);
    return bytes.subarray(0, inode.pages.read(0, bytes));
  }

  /** Standard input, output and error, and where the process stands. @throws LoadError for a wrong directory */
  firstProcess(cwd: string): { files: FileTable; fs: FsContext } {
    const { namespace } = this;
    const found = walk(namespace.setupStart(), cwd, true);
    if (typeof found === "number") throw LoadError.ofErrno(cwd, -found);
    if (!found.location.dentry.inode.isDirectory) throw LoadError.ofErrno(cwd, ENOTDIR);
    const fs = { namespace, cwd: found.location, root: namespace.root, umask: UMASK };
    return { files: standardFiles(namespace, this.host), fs };
  }
}

/** A directory of the host, or the files of a tar archive. @throws LoadError */
function lowerOf(
  root: number | Uint8Array | ByteSource,
  files: HostFiles | undefined,
  writable = false,
): HostLower {
  if (typeof root !== "number") {
    const source = root instanceof Uint8Array ? new ArraySource(root) : root;
    return withReasons(() => new HostLower(new TarFiles(new TarImage(source)), 0, writable));
  }
  const lower = files && new HostLower(files, root, writable);
  const stat = lower?.stat("") ?? -ENOENT;
  const what = writable ? "the upper layer" : "the root";
  if (typeof stat === "number" || !lower)
    throw LoadError.ofErrno(what, typeof stat === "number" ? -stat : ENOENT);
  if ((stat.mode & S_IFMT) !== S_IFDIR) throw LoadError.ofErrno(what, ENOTDIR);
  return lower;
}

/** What the kernel's files say of an archive or an upper layer that cannot be used. */
function withReasons<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof TarError)
      throw new LoadError("the root", EINVAL, `not a usable tar archive: ${error.message}`);
    if (error instanceof UpperError) throw new LoadError("the upper layer", EINVAL, error.message);
    throw error;
  }
}
