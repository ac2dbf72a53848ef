/** What memfd_create(2) makes with MFD_HUGETLB: a file of huge pages without a name (hugetlb_file_setup). */

import { HUGETLB_DEVICE } from "../mm/hugetlb/file.js";
import type { HugePagePool } from "../mm/hugetlb/pool.js";
import { Dentry } from "./dentry.js";
import { HugetlbFile, type HugetlbInode } from "./hugetlb-file.js";
import type { Mount } from "./mount.js";
import type { Namespace } from "./namespace.js";
import { O_LARGEFILE, O_RDWR } from "./open-flags.js";
import { HugetlbFileSystem } from "./types/hugetlbfs.js";

/** Where the files without names are; made with the first. */
function nowhere(namespace: Namespace, pool: HugePagePool): Mount {
  return (namespace.hugePages ??= namespace.mountNowhere(
    new HugetlbFileSystem(namespace.context, HUGETLB_DEVICE, pool),
  ));
}

/** @returns a new file of size 0 for memfd_create, and its inode */
export function newHugetlbFile(
  namespace: Namespace,
  pool: HugePagePool,
  name: string,
  parts: { readonly mode: number; readonly uid: number; readonly gid: number },
): HugetlbFile {
  const mount = nowhere(namespace, pool);
  const inode = (mount.fileSystem as HugetlbFileSystem).make(parts) as HugetlbInode;
  inode.links = 0;
  const dentry = new Dentry(name, mount.root, inode);
  dentry.deleted = true;
  return new HugetlbFile({ mount, dentry }, O_RDWR | O_LARGEFILE);
}
