import type { Host } from "../host.js";
import { Dentry } from "./dentry.js";
import { installDevices } from "./devices.js";
import { encodeName } from "./bytes.js";
import type { FileSystemContext } from "./file-system.js";
import type { HostFiles } from "./host-files.js";
import { HostLower } from "./host-lower.js";
import { DirectoryInode } from "./inode.js";
import { S_IFDIR, S_IFMT } from "./mode.js";
import { crossDown } from "./mount.js";
import { MNT_READONLY, MNT_RELATIME, MS_RDONLY } from "./mounts/flags.js";
import { Namespace } from "./namespace.js";
import { EEXIST, ENOENT } from "../errno.js";
import { TreeDirectory } from "./tree-directory.js";
import { TreeFileSystem } from "./tree-file-system.js";
import { UpperJournal } from "./upper-journal.js";
import { UpperTree } from "./upper-tree.js";

/** How guest changes to a mounted host directory are kept: in memory, nowhere (refused), on the host. */
export type MountMode = "cow" | "ro" | "rw";

export interface HostMount {
  /** A root of HostFiles. */
  readonly root: number;
  /** Absolute guest path, a byte string. */
  readonly guest: string;
  readonly mode: MountMode;
  /** Shown in /proc/mounts. */
  readonly source?: string;
}

export interface TreeOptions {
  readonly context: FileSystemContext;
  readonly host: Host;
  readonly files?: HostFiles;
  /** The whole tree is a copy-on-write view of this. Without it: a small tree in memory. */
  readonly root?: HostLower;
  /** Keeps what the guest changes of `root`; without it that is in memory only. */
  readonly upper?: HostLower;
  readonly mounts?: readonly HostMount[];
  readonly hostname?: string;
  readonly user?: {
    readonly uid: number;
    readonly gid: number;
    readonly name?: string;
    readonly home?: string;
  };
}

/** A mount that cannot be made: `errno` positive. */
export interface TreeFailure {
  readonly guest: string;
  readonly errno: number;
}

/**
 * The tree a program starts in: `/` (memory, or a view of `root`), /dev, /tmp, /etc with the least that C libraries
 * look for, and the mounts. /proc and /sys are mounted by mountKernelFileSystems, when there is a kernel.
 * Until `keepChanges` nothing of it goes to the upper layer.
 * @throws UpperError
 */
export function buildTree(options: TreeOptions): Namespace | TreeFailure {
  const { context, files } = options;
  const namespace = new Namespace(context, (made) => {
    const tree = new TreeFileSystem(context, made.newDevice(), options.root ?? null);
    tree.isDisk = true;
    if (options.upper) {
      tree.upper = new UpperTree(tree, new UpperJournal(options.upper));
      tree.upper.suspended = true;
      tree.upper.load();
    }
    return tree;
  });
  // A host directory at a place where the view has none of our own: what is mounted later may cover it.
  const sorted = [...(options.mounts ?? [])].sort((a, b) => a.guest.length - b.guest.length);
  for (const mount of sorted.filter((each) => each.guest === "/")) {
    const failure = addMount(namespace, files, mount);
    if (failure) return failure;
  }
  const bare = options.root === undefined;
  if (bare) fillEtc(namespace, options);
  makeTmp(namespace);
  for (const path of ["/proc", "/sys"]) namespace.makePath(path, 0o555);
  installDevices(namespace, options.host);
  for (const mount of sorted.filter((each) => each.guest !== "/")) {
    const failure = addMount(namespace, files, mount);
    if (failure) return failure;
  }
  return namespace;
}

/** From here on changes to the tree are kept in its upper layer, if it has one; `false` stops that for a while. */
export function keepChanges(namespace: Namespace, keep: boolean): void {
  const { fileSystem } = namespace.mounts[0];
  if (fileSystem instanceof TreeFileSystem && fileSystem.upper) fileSystem.upper.suspended = !keep;
}

/** Attaches a host directory, or one host file; the way there is made in memory. */
export function addMount(
  namespace: Namespace,
  files: HostFiles | undefined,
  mount: HostMount,
): TreeFailure | null {
  const fail = (result: number): TreeFailure => ({ guest: mount.guest, errno: -result });
  if (!files) return fail(-ENOENT);
  const lower = new HostLower(files, mount.root, mount.mode === "rw");
  const stat = lower.stat("");
  if (typeof stat === "number") return fail(stat);
  const readOnly = mount.mode === "ro" ? MNT_READONLY : 0;
  const options = { source: mount.source ?? "host", flags: MNT_RELATIME | readOnly };
  const fileSystem = new TreeFileSystem(namespace.context, namespace.newDevice(), lower);
  fileSystem.isDisk = true;
  if (mount.mode === "ro") {
    fileSystem.flags = MS_RDONLY;
    fileSystem.writeProtected = true;
  }
  if ((stat.mode & S_IFMT) === S_IFDIR) {
    const at = namespace.makePath(mount.guest);
    if (typeof at === "number") return fail(at);
    namespace.mount(at, fileSystem, options);
    return null;
  }
  // One file: its inode is the mount's root, as of a bind mount.
  const inode = fileSystem.fromHost(stat, "");
  if (typeof inode === "number") return fail(inode);
  const made = namespace.addFile(mount.guest, new Uint8Array(0), 0o755);
  if (made < 0 && made !== -EEXIST) return fail(made);
  const slash = mount.guest.lastIndexOf("/");
  const parent = namespace.makePath(mount.guest.slice(0, slash));
  if (typeof parent === "number") return fail(parent);
  const dentry = parent.dentry.lookup(mount.guest.slice(slash + 1));
  if (typeof dentry === "number") return fail(dentry);
  namespace.mount({ mount: parent.mount, dentry }, fileSystem, {
    ...options,
    root: new Dentry("", null, inode),
  });
  return null;
}

function makeTmp(namespace: Namespace): void {
  for (const path of ["/tmp", "/var/tmp"]) {
    const at = namespace.makePath(path);
    if (typeof at === "number" || !(at.dentry.inode instanceof DirectoryInode)) continue;
    const inode = at.dentry.inode;
    if (inode instanceof TreeDirectory && inode.hostPath === null) inode.setPermissions(0o1777);
  }
}

function fillEtc(namespace: Namespace, options: TreeOptions): void {
  const { uid, gid, name, home } = { name: "user", home: "/", ...(options.user ?? { uid: 0, gid: 0 }) };
  const text = (path: string, content: string): void => {
    namespace.addFile(path, new TextEncoder().encode(content));
  };
  const user = uid === 0 ? "" : `${name}:x:${uid}:${gid}:${name}:${home}:/bin/sh\n`;
  const group = gid === 0 ? "" : `${name}:x:${gid}:\n`;
  const hostname = options.hostname ?? "sealab";
  text(
    "/etc/passwd",
    `root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n${user}`,
  );
  text("/etc/group", `root:x:0:\ntty:x:5:\nnogroup:x:65534:\n${group}`);
  text("/etc/hostname", `${hostname}\n`);
  text("/etc/hosts", `127.0.0.1\tlocalhost\n127.0.1.1\t${hostname}\n::1\tlocalhost ip6-localhost\n`);
  text("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  text("/etc/os-release", 'NAME="sealab"\nID=sealab\nPRETTY_NAME="sealab"\n');
  for (const path of ["/bin", "/usr/bin", "/lib", "/var", "/home", "/root", "/run", "/mnt", "/opt"])
    namespace.makePath(path);
}

/** A guest path from ordinary text: UTF-8 bytes, absolute, without a slash at its end. */
export function guestPath(text: string): string {
  const path = encodeName(text).replace(/\/+/g, "/").replace(/\/$/, "");
  return path.startsWith("/") ? path : `/${path}`;
}

/** The place of an absolute guest path after mounts, for a start directory. */
export function locationOf(namespace: Namespace, path: string): ReturnType<typeof crossDown> | number {
  return namespace.makePath(path);
}
