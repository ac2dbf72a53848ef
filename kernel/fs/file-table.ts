import { EBADF, EMFILE } from "../errno.js";
import type { Identities } from "./file-system.js";
import type { OpenFile } from "./open-file.js";

interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** The file descriptors of a process ("files_struct"). */
export class FileTable {
  /** Owner of POSIX record locks. */
  readonly identity: number;
  private readonly descriptors: (Descriptor | undefined)[] = [];
  /** Tasks that share the table (CLONE_FILES). */
  users = 1;

  constructor(private readonly identities: Identities) {
    this.identity = identities.fileTable++;
  }

  get(fd: number): OpenFile | undefined {
    return this.descriptors[fd]?.file;
  }

  /** One past the highest open descriptor. */
  get end(): number {
    return this.descriptors.length;
  }

  *[Symbol.iterator](): Generator<readonly [fd: number, file: OpenFile]> {
    for (let fd = 0; fd < this.descriptors.length; fd++) {
      const descriptor = this.descriptors[fd];
      if (descriptor) yield [fd, descriptor.file];
    }
  }

  /** The lowest free number from `from` on, or -EMFILE at `limit` (RLIMIT_NOFILE). */
  lowestFree(from: number, limit: number): number {
    let fd = from;
    while (this.descriptors[fd]) fd++;
    return fd < limit ? fd : -EMFILE;
  }

  /** Gives the file the lowest free number; -EMFILE leaves it untouched. */
  install(file: OpenFile, closeOnExec: boolean, limit: number, from = 0): number {
    const fd = this.lowestFree(from, limit);
    if (fd >= 0) this.set(fd, file, closeOnExec);
    return fd;
  }

  /** Puts the file at a number, closing what was there. */
  set(fd: number, file: OpenFile, closeOnExec: boolean): void {
    file.hold();
    if (this.descriptors[fd]) this.close(fd);
    while (this.descriptors.length < fd) this.descriptors.push(undefined);
    this.descriptors[fd] = { file, closeOnExec };
  }

  /** The lowest free number. */
  firstFree(): number {
    return this.lowestFree(0, Infinity);
  }

  /** 0 or -EBADF. */
  close(fd: number): number {
    const descriptor = this.descriptors[fd];
    if (!descriptor) return -EBADF;
    this.descriptors[fd] = undefined;
    while (this.descriptors.length > 0 && !this.descriptors[this.descriptors.length - 1])
      this.descriptors.pop();
    // A mapping may keep the file open: what it wrote goes to the host now ("flush", filp_close).
    descriptor.file.sync();
    const { node } = descriptor.file;
    // Closing any descriptor of a file gives up all POSIX locks on it (fcntl(2)).
    node.dropLocks("posix", this.identity);
    descriptor.file.release();
    return 0;
  }

  closesOnExec(fd: number): boolean {
    return this.descriptors[fd]?.closeOnExec ?? false;
  }

  setCloseOnExec(fd: number, value: boolean): void {
    const descriptor = this.descriptors[fd];
    if (descriptor) descriptor.closeOnExec = value;
  }

  /** At execve: closes what asked for it. */
  closeOnExec(): void {
    for (let fd = 0; fd < this.descriptors.length; fd++)
      if (this.descriptors[fd]?.closeOnExec) this.close(fd);
  }

  /** A task leaves; the last one closes everything. */
  drop(): void {
    if (--this.users === 0) this.closeAll();
  }

  closeAll(): void {
    for (let fd = this.descriptors.length - 1; fd >= 0; fd--) if (this.descriptors[fd]) this.close(fd);
  }

  /** A copy that shares the open files, as fork makes. */
  copy(): FileTable {
    const copy = new FileTable(this.identities);
    this.descriptors.forEach((descriptor, fd) => {
      if (descriptor) copy.set(fd, descriptor.file, descriptor.closeOnExec);
    });
    return copy;
  }
}
