/** What memfd_secret(2) makes: a file whose pages only page tables reach (mm/secretmem.c). */

import { EINVAL, ENXIO } from "../errno.js";
import type { FilePages } from "../mm/file-pages.js";
import { Dentry } from "./dentry.js";
import { SECRETMEM_MAGIC, type FileSystemContext, type FileSystemStatistics } from "./file-system.js";
import type { DeviceNumber } from "./inode.js";
import { S_IFREG } from "./mode.js";
import type { Mount } from "./mount.js";
import type { Namespace } from "./namespace.js";
import { OpenFile } from "./open-file.js";
import { O_LARGEFILE, O_RDWR } from "./open-flags.js";
import { TreeFileSystem } from "./tree-file-system.js";
import { TreeFile } from "./tree-file.js";

/** The file system of such files: it is mounted nowhere, and nothing in it is executed. */
export class SecretFileSystem extends TreeFileSystem {
  constructor(context: FileSystemContext, device: DeviceNumber) {
    super(context, device, null, undefined, "secretmem");
  }

  override statistics(): FileSystemStatistics {
    return { magic: SECRETMEM_MAGIC, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
  }
}

export class SecretInode extends TreeFile {
  constructor(fileSystem: SecretFileSystem, uid: number, gid: number) {
    const number = fileSystem.newInodeNumber();
    super(fileSystem, { number, mode: S_IFREG | 0o600, uid, gid, time: fileSystem.now() }, null, 0);
    this.seals = undefined;
  }

  override get blocks(): number {
    return 0;
  }

  /** Its size is set once (secretmem_setattr). */
  override truncate(size: number): number {
    return this.size === 0 ? super.truncate(size) : -EINVAL;
  }

  /** Nobody opens it again, not even by /proc/PID/fd. */
  openFile(): number {
    return -ENXIO;
  }
}

/** Its descriptor maps, and does nothing else: no read, no write, no position. */
export class SecretFile extends OpenFile {
  /** See MappableFile. */
  readonly secret = true;

  override get pages(): FilePages {
    return (this.node as SecretInode).pages;
  }
  override get mmapRefused(): undefined {
    return undefined;
  }
  override get seekable(): boolean {
    return false;
  }
  override sync(): number {
    return -EINVAL;
  }
}

/** The mount is made when the first file of it is. */
function secretMount(namespace: Namespace): Mount {
  return (namespace.secretMemory ??= namespace.mountNowhere(
    new SecretFileSystem(namespace.context, namespace.newDevice()),
    { noExec: true },
  ));
}

/** @returns a new file of size 0, which belongs to a user */
export function newSecretFile(namespace: Namespace, uid: number, gid: number): SecretFile {
  const mount = secretMount(namespace);
  const inode = new SecretInode(mount.fileSystem as SecretFileSystem, uid, gid);
  const dentry = new Dentry("secretmem", mount.root, inode);
  dentry.deleted = true;
  return new SecretFile({ mount, dentry }, O_RDWR | O_LARGEFILE);
}
