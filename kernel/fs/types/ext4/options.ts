import type { MountData } from "../../mounts/data.js";

/** Options without a value that ask for what is so here anyway, or for what makes no difference (ext4(5)). */
const WORDS: ReadonlySet<string> = new Set([
  "acl",
  "auto_da_alloc",
  "barrier",
  "block_validity",
  "bsddf",
  "debug",
  "delalloc",
  "dioread_lock",
  "dioread_nolock",
  "discard",
  "grpid",
  "init_itable",
  "journal_async_commit",
  "journal_checksum",
  "load",
  "mblk_io_submit",
  "noacl",
  "noauto_da_alloc",
  "nobarrier",
  "nobh",
  "noblock_validity",
  "nodelalloc",
  "nodiscard",
  "nogrpid",
  "noinit_itable",
  "nojournal_checksum",
  "noload",
  "norecovery",
  "nouid32",
  "nouser_xattr",
  "orlov",
  "oldalloc",
  "sysvgroups",
  "user_xattr",
]);
const NUMBERS: ReadonlySet<string> = new Set([
  "barrier",
  "commit",
  "init_itable",
  "inode_readahead_blks",
  "journal_ioprio",
  "max_batch_time",
  "max_dir_size_kb",
  "min_batch_time",
  "resgid",
  "resuid",
  "stripe",
]);
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  data: ["journal", "ordered", "writeback"],
  data_err: ["abort", "ignore"],
  errors: ["continue", "panic", "remount-ro"],
};

/** All are such as ext4 knows; others are EINVAL. */
export function knownOptions({ rest }: MountData): boolean {
  return rest.every(({ name, value }) => {
    if (value === null) return WORDS.has(name);
    return CHOICES[name]?.includes(value) ?? (NUMBERS.has(name) && /^\d+$/.test(value));
  });
}

/** The journal is not to be replayed. */
export function leavesJournal({ rest }: MountData): boolean {
  return rest.some(({ name }) => name === "noload" || name === "norecovery");
}
