/** What memfd_create(2) makes with MFD_HUGETLB: a file of huge pages without a name (hugetlb_file_setup). */

import type { HugePagePool } from "../mm/hugetlb/pool.js";
import type { HugePagePools } from "../mm/hugetlb/pools.js";
import { Dentry } from "./dentry.js";
import { HugetlbFile, type HugetlbInode } from "./hugetlb-file.js";
import type { Mount } from "./mount.js";
import type { Namespace } from "./namespace.js";
import { O_LARGEFILE, O_RDWR } from "./open-flags.js";
import { HugetlbFileSystem } from "./types/hugetlbfs.js";

/** Where the files without names are whose pages a pool has; made with the first. */
function nowhere(namespace: Namespace, pools: HugePagePools, pool: HugePagePool): Mount {
  const { hugePages, context } = namespace;
  let mount = hugePages.get(pool.bytes);
  if (mount === undefined) {
    mount = namespace.mountNowhere(new HugetlbFileSystem(context, pool.device, pools, pool));
    hugePages.set(pool.bytes, mount);
  }
  return mount;
}

/** @returns a new file of size 0 for memfd_create, and its inode */
export function newHugetlbFile(
  namespace: Namespace,
  pools: HugePagePools,
  pool: HugePagePool,
  name: string,
  parts: { readonly mode: number; readonly uid: number; readonly gid: number },
): HugetlbFile {
  const mount = nowhere(namespace, pools, pool);
  const inode = (mount.fileSystem as HugetlbFileSystem).make(parts) as HugetlbInode;
  inode.links = 0;
  const dentry = new Dentry(name, mount.root, inode);
  dentry.deleted = true;
  return new HugetlbFile({ mount, dentry }, O_RDWR | O_LARGEFILE);
}
