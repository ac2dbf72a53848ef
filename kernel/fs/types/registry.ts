import type { FileSystemType } from "./file-system-type.js";
import { HUGETLBFS } from "./hugetlbfs.js";
import { permanentType } from "./permanent.js";
import { EXT_TYPES } from "./ext4/type.js";
import { RAMFS } from "./ramfs.js";
import { TMPFS } from "./tmpfs.js";

/** In the order of /proc/filesystems. */
const FILE_SYSTEM_TYPES: readonly FileSystemType[] = [
  permanentType("sysfs"),
  TMPFS,
  permanentType("proc", false),
  permanentType("cgroup2", false),
  permanentType("devtmpfs"),
  RAMFS,
  HUGETLBFS,
  permanentType("devpts"),
  ...EXT_TYPES,
];

/** Null where there is none: ENODEV (get_fs_type). */
export function fileSystemType(name: string): FileSystemType | null {
  return FILE_SYSTEM_TYPES.find((type) => type.name === name) ?? null;
}

/** /proc/filesystems */
export function fileSystemsTable(): string {
  return FILE_SYSTEM_TYPES.map(({ name, onDevice }) => `${onDevice ? "" : "nodev"}\t${name}\n`).join("");
}
