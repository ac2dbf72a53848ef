import type { Host } from "../host.js";
import { Dentry } from "./dentry.js";
import { NULL_DEVICE, NullFile } from "./device-files.js";
import { FileTable } from "./file-table.js";
import type { FileSystem } from "./file-system.js";
import type { InodeParts } from "./inode.js";
import type { HostStat } from "./host-files.js";
import { S_IFCHR, S_IFIFO, S_IFMT, S_IFSOCK } from "./mode.js";
import type { Location } from "./mount.js";
import type { Namespace } from "./namespace.js";
import type { OpenFile } from "./open-file.js";
import { O_LARGEFILE, O_RDONLY, O_RDWR, O_WRONLY } from "./open-flags.js";
import { StreamFile } from "./stream-file.js";
import { TerminalFile } from "../tty/terminal-file.js";
import { SpecialInode, TreeFileSystem } from "./tree-file-system.js";
import { walk } from "./walk.js";

/** What a host may say of descriptors 0, 1 and 2 beside the Host interface. */
interface StreamStat {
  streamStat?(fd: 0 | 1 | 2): HostStat | null;
}

/**
 * Descriptors 0, 1 and 2 as the user's own: a terminal is /dev/pts/0, /dev/null is the guest's, anything else is a
 * stream that fstat shows as the host does (a fifo where the host does not say, or where it is a socket there).
 */
export function standardFiles(namespace: Namespace, host: Host & StreamStat): FileTable {
  const table = new FileTable(namespace.context.identities);
  for (const fd of [0, 1, 2] as const) table.set(fd, openStream(namespace, host, fd), false);
  return table;
}

function openStream(namespace: Namespace, host: Host & StreamStat, fd: 0 | 1 | 2): OpenFile {
  const own = namespace.terminals.host;
  if (host.isTerminal(fd) && own !== null) {
    const at = find(namespace, "/dev/pts/0");
    if (at) return new TerminalFile(at, O_RDWR | O_LARGEFILE, own.terminal);
  }
  const access = fd === 0 ? O_RDONLY : O_WRONLY;
  const stat = host.streamStat?.(fd) ?? null;
  const device = stat?.deviceNumber;
  if (
    stat &&
    (stat.mode & S_IFMT) === S_IFCHR &&
    device?.major === NULL_DEVICE.major &&
    device.minor === NULL_DEVICE.minor
  ) {
    const at = find(namespace, "/dev/null");
    if (at) return new NullFile(at, access | O_LARGEFILE);
  }
  // A socket of the host's cannot be used as one here: programs that tell them apart must find what works.
  const shown = stat !== null && (stat.mode & S_IFMT) === S_IFSOCK ? null : stat;
  const type = shown ? shown.mode & S_IFMT : S_IFIFO;
  return new StreamFile(streamLocation(namespace, type, shown, host, fd), access, host, fd);
}

/** What /proc/self/fd/1 leads to when that is the host's: opening it gives the stream again. */
export class StreamInode extends SpecialInode {
  constructor(
    fileSystem: FileSystem,
    parts: InodeParts,
    private readonly host: Host,
    private readonly stream: 0 | 1 | 2,
  ) {
    super(fileSystem, parts);
  }

  openFile(location: Location, flags: number): OpenFile {
    return new StreamFile(location, flags, this.host, this.stream);
  }
}

function streamLocation(
  namespace: Namespace,
  type: number,
  stat: HostStat | null,
  host: Host,
  fd: 0 | 1 | 2,
): Location {
  const { fileSystem, root } = namespace.internal;
  const parts: InodeParts = {
    number: fileSystem.newInodeNumber(),
    mode: stat?.mode ?? type | 0o600,
    uid: stat?.uid ?? 0,
    gid: stat?.gid ?? 0,
    time: fileSystem.now(),
  };
  const inode = new StreamInode(fileSystem, parts, host, fd);
  if (stat && fileSystem instanceof TreeFileSystem) fileSystem.adopt(inode, stat);
  const name = type === S_IFIFO ? `pipe:[${inode.number}]` : `host:[${fd}]`;
  return { mount: namespace.internal, dentry: new Dentry(name, root, inode) };
}

function find(namespace: Namespace, path: string): Location | null {
  const found = walk(namespace.setupStart(), path, true);
  return typeof found === "number" ? null : found.location;
}
