/** What a file system says that one must know of it (Documentation/filesystems/ext4/super.rst). */

export const COMPAT_HAS_JOURNAL = 0x4;
export const COMPAT_SPARSE_SUPER2 = 0x200;
export const COMPAT_ORPHAN_FILE = 0x1000;

export const INCOMPAT_FILETYPE = 0x2;
export const INCOMPAT_RECOVER = 0x4;
const INCOMPAT_JOURNAL_DEV = 0x8;
export const INCOMPAT_META_BG = 0x10;
export const INCOMPAT_EXTENTS = 0x40;
export const INCOMPAT_64BIT = 0x80;
const INCOMPAT_FLEX_BG = 0x200;
export const INCOMPAT_CSUM_SEED = 0x2000;
const INCOMPAT_LARGEDIR = 0x4000;

export const RO_COMPAT_SPARSE_SUPER = 0x1;
const RO_COMPAT_LARGE_FILE = 0x2;
const RO_COMPAT_BTREE_DIR = 0x4;
export const RO_COMPAT_HUGE_FILE = 0x8;
export const RO_COMPAT_GDT_CSUM = 0x10;
export const RO_COMPAT_DIR_NLINK = 0x20;
const RO_COMPAT_EXTRA_ISIZE = 0x40;
export const RO_COMPAT_METADATA_CSUM = 0x400;
const RO_COMPAT_READONLY = 0x1000;
export const RO_COMPAT_ORPHAN_PRESENT = 0x10000;

/** What can be read here. */
const INCOMPAT_KNOWN =
  INCOMPAT_FILETYPE |
  INCOMPAT_RECOVER |
  INCOMPAT_META_BG |
  INCOMPAT_EXTENTS |
  INCOMPAT_64BIT |
  INCOMPAT_FLEX_BG |
  INCOMPAT_CSUM_SEED |
  INCOMPAT_LARGEDIR;

/** What can be written too. */
const RO_COMPAT_KNOWN =
  RO_COMPAT_SPARSE_SUPER |
  RO_COMPAT_LARGE_FILE |
  RO_COMPAT_BTREE_DIR |
  RO_COMPAT_HUGE_FILE |
  RO_COMPAT_GDT_CSUM |
  RO_COMPAT_DIR_NLINK |
  RO_COMPAT_EXTRA_ISIZE |
  RO_COMPAT_METADATA_CSUM |
  RO_COMPAT_ORPHAN_PRESENT;

/** What may be in a file system that is mounted as ext2 or as ext3 (ext2_feature_set_ok, ext3_feature_set_ok). */
const INCOMPAT_OF: Readonly<Record<string, number>> = {
  ext2: INCOMPAT_FILETYPE | INCOMPAT_META_BG,
  ext3: INCOMPAT_FILETYPE | INCOMPAT_META_BG | INCOMPAT_RECOVER,
  ext4: INCOMPAT_KNOWN,
};
const RO_COMPAT_OLD = RO_COMPAT_SPARSE_SUPER | RO_COMPAT_LARGE_FILE | RO_COMPAT_BTREE_DIR;

const INCOMPAT_NAMES: Readonly<Record<number, string>> = {
  0x1: "compression",
  [INCOMPAT_RECOVER]: "needs_recovery",
  [INCOMPAT_JOURNAL_DEV]: "journal_dev",
  [INCOMPAT_META_BG]: "meta_bg",
  [INCOMPAT_EXTENTS]: "extent",
  [INCOMPAT_64BIT]: "64bit",
  0x100: "mmp",
  [INCOMPAT_FLEX_BG]: "flex_bg",
  0x400: "ea_inode",
  0x1000: "dirdata",
  [INCOMPAT_CSUM_SEED]: "metadata_csum_seed",
  [INCOMPAT_LARGEDIR]: "large_dir",
  0x8000: "inline_data",
  0x10000: "encrypt",
  0x20000: "casefold",
};
const RO_COMPAT_NAMES: Readonly<Record<number, string>> = {
  [RO_COMPAT_HUGE_FILE]: "huge_file",
  [RO_COMPAT_GDT_CSUM]: "uninit_bg",
  [RO_COMPAT_DIR_NLINK]: "dir_nlink",
  [RO_COMPAT_EXTRA_ISIZE]: "extra_isize",
  0x80: "has_snapshot",
  0x100: "quota",
  0x200: "bigalloc",
  [RO_COMPAT_METADATA_CSUM]: "metadata_csum",
  0x800: "replica",
  [RO_COMPAT_READONLY]: "read-only",
  0x2000: "project",
  0x4000: "shared_blocks",
  0x8000: "verity",
  [RO_COMPAT_ORPHAN_PRESENT]: "orphan_present",
};

function namesOf(bits: number, names: Readonly<Record<number, string>>): string {
  const words: string[] = [];
  for (let bit = 1; bit > 0 && bit <= bits; bit *= 2)
    if ((bits & bit) !== 0) words.push(names[bit] ?? `0x${bit.toString(16)}`);
  return words.join(", ");
}

/** Why a file system with such features cannot be mounted as `type`; null where it can. */
export function refusedFeatures(
  type: string,
  incompat: number,
  roCompat: number,
  readOnly: boolean,
): string | null {
  const unknown = incompat & ~(INCOMPAT_OF[type] ?? 0);
  if (unknown !== 0) return `features that ${type} does not know here: ${namesOf(unknown, INCOMPAT_NAMES)}`;
  if (readOnly) return null;
  const unwritable = roCompat & ~(type === "ext4" ? RO_COMPAT_KNOWN : RO_COMPAT_OLD);
  if (unwritable === 0) return null;
  return `features with which ${type} can only be read here: ${namesOf(unwritable, RO_COMPAT_NAMES)}`;
}
