/** The guest's files for gdb (vFile packets): read only, with no permission asked and nothing noted in them. */

import { userCredentials } from "../../kernel/credentials.js";
import { EACCES, EBADF, EINVAL, EROFS } from "../../kernel/errno.js";
import { openPath } from "../../kernel/fs/open.js";
import { O_NOATIME, O_RDONLY } from "../../kernel/fs/open-flags.js";
import { walk } from "../../kernel/fs/walk.js";
import type { FsContext } from "../../kernel/fs/fs-context.js";
import type { Inode } from "../../kernel/fs/inode.js";
import type { Task } from "../../kernel/task.js";
import { BadPacket, escapeBytes, fromHex, hexNumber, latin1Text } from "./bytes.js";

/** Errors of the remote protocol's file I/O that differ from Linux's numbers, and those that are the same. */
const FILEIO_ERRORS: Readonly<Record<number, number>> = { 38: 88, 36: 91 };
const SAME = new Set([1, 2, 4, 9, 13, 14, 16, 17, 19, 20, 21, 22, 23, 24, 27, 28, 29, 30]);
const FILEIO_UNKNOWN = 9999;
/** FILEIO_O_*: O_RDONLY is 0; everything else writes. */
const FILEIO_WRITES = 0x1 | 0x2 | 0x8 | 0x200 | 0x400 | 0x800;
const STAT_BYTES = 64;

const failed = (errno: number): string => {
  const code = FILEIO_ERRORS[errno] ?? (SAME.has(errno) ? errno : FILEIO_UNKNOWN);
  return `F-1,${code.toString(16)}`;
};

/** A file as it was when it was opened. */
interface Opened {
  readonly bytes: Uint8Array;
  /** struct fio_stat. */
  readonly stat: Uint8Array;
}

/** Bytes of a file that are read at most. */
const LARGEST = 2 ** 30;
const FIRST_READ = 2 ** 16;

export class GuestFiles {
  private readonly open = new Map<number, Opened>();
  private next = 3;

  constructor(
    /** Whose view of the tree it is. */
    private readonly task: () => Task,
    /** Bytes that a reply may have. */
    private readonly room: number,
    /** Looks, and leaves the machine as it was. */
    private readonly aside: <T>(look: () => T) => T,
  ) {}

  /** What comes behind `vFile:`. */
  answer(request: string): string {
    const colon = request.indexOf(":");
    const operation = request.slice(0, colon);
    const args = request.slice(colon + 1).split(",");
    switch (operation) {
      case "setfs":
        return "F0";
      case "open":
        return this.aside(() => this.openFile(args));
      case "close":
        return this.close(hexNumber(args[0]));
      case "pread":
        return this.pread(hexNumber(args[0]), hexNumber(args[1]), hexNumber(args[2]));
      case "fstat": {
        const file = this.open.get(hexNumber(args[0]));
        return file === undefined ? failed(EBADF) : attachment(file.stat);
      }
      case "readlink":
        return this.aside(() => this.readLink(pathOf(args[0])));
      case "pwrite":
      case "unlink":
        return failed(EROFS);
      default:
        return "";
    }
  }

  closeAll(): void {
    this.open.clear();
  }

  private context(): FsContext {
    const { namespace } = this.task().fs;
    return { namespace, cwd: namespace.root, root: namespace.root, umask: 0 };
  }

  private openFile(args: readonly string[]): string {
    const path = pathOf(args[0]);
    if ((hexNumber(args[1]) & FILEIO_WRITES) !== 0) return failed(EROFS);
    const fs = this.context();
    const found = walk(fs.namespace.setupStart(), path, true);
    if (typeof found === "number") return failed(-found);
    // Opening anything else might make something happen, or wait.
    if (!found.location.dentry.inode.isRegular) return failed(EACCES);
    const file = openPath(fs, userCredentials(0, 0), fs.root, path, O_RDONLY | O_NOATIME, 0);
    if (typeof file === "number") return failed(-file);
    if ("fifo" in file) return failed(EINVAL);
    const bytes = wholeOf(file);
    if (typeof bytes === "number") return failed(-bytes);
    const number = this.next++;
    this.open.set(number, { bytes, stat: statBytes(file.node) });
    return `F${number.toString(16)}`;
  }

  private close(number: number): string {
    return this.open.delete(number) ? "F0" : failed(EBADF);
  }

  private pread(number: number, count: number, offset: number): string {
    const file = this.open.get(number);
    if (file === undefined) return failed(EBADF);
    // Half of the room: every byte may need an escape.
    const length = Math.min(count, Math.floor(this.room / 2) - 16);
    return attachment(file.bytes.subarray(offset, offset + length));
  }

  private readLink(path: string): string {
    const found = walk(this.context().namespace.setupStart(), path, false);
    if (typeof found === "number") return failed(-found);
    const { inode } = found.location.dentry;
    if (!inode.isSymlink || !("readLink" in inode)) return failed(EINVAL);
    const target = (inode as unknown as { readLink(): string | number }).readLink();
    if (typeof target === "number") return failed(-target);
    return attachment(Uint8Array.from(target, (character) => character.charCodeAt(0)));
  }
}

/** All of a file; of one in /proc, whose size is 0, what it has now. A negative errno where it cannot be read. */
function wholeOf(file: {
  readonly node: Inode;
  read(bytes: Uint8Array, offset: number): number;
}): Uint8Array | number {
  let bytes = new Uint8Array(Math.min(LARGEST, Math.max(FIRST_READ, file.node.size + 1)));
  for (let at = 0; ;) {
    const read = file.read(bytes.subarray(at), at);
    if (read < 0) return read;
    at += read;
    if (read === 0 || at >= LARGEST) return bytes.slice(0, at);
    if (at < bytes.length) continue;
    const longer = new Uint8Array(2 * bytes.length);
    longer.set(bytes);
    bytes = longer;
  }
}

function pathOf(hex: string | undefined): string {
  if (hex === undefined) throw new BadPacket();
  return latin1Text(fromHex(hex));
}

const attachment = (bytes: Uint8Array): string => `F${bytes.length.toString(16)};${escapeBytes(bytes)}`;

/** struct fio_stat: big-endian words. */
function statBytes(inode: Inode): Uint8Array {
  const view = new DataView(new ArrayBuffer(STAT_BYTES));
  const { device } = inode.fileSystem;
  const words = [
    (device.major << 8) | device.minor,
    inode.number,
    inode.mode,
    inode.links,
    inode.uid,
    inode.gid,
    (inode.deviceNumber.major << 8) | inode.deviceNumber.minor,
  ];
  words.forEach((word, i) => view.setUint32(4 * i, word));
  view.setBigUint64(28, BigInt(inode.size));
  view.setBigUint64(36, 4096n);
  view.setBigUint64(44, BigInt(inode.blocks));
  [inode.accessed, inode.modified, inode.changed].forEach(({ seconds }, i) =>
    view.setUint32(52 + 4 * i, seconds),
  );
  return new Uint8Array(view.buffer);
}
