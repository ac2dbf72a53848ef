/** Names of flags and modes in the calls on files, for the trace. */

import { choiceAndFlags, flags, names } from "./argument.js";
import type { Argument } from "./argument.js";

const ACCESS = names("O_???", { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_ACCMODE: 3 });
const OPEN = names("O_???", {
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_SYNC: 0o4010000,
  O_DSYNC: 0o10000,
  FASYNC: 0o20000,
  O_DIRECT: 0o40000,
  O_LARGEFILE: 0o100000,
  O_TMPFILE: 0o20200000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_NOATIME: 0o1000000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
});

export const openFlags = (name = "flags"): Argument => choiceAndFlags(name, 3, ACCESS, OPEN);

const AT = {
  AT_SYMLINK_NOFOLLOW: 0x100,
  AT_SYMLINK_FOLLOW: 0x400,
  AT_NO_AUTOMOUNT: 0x800,
  AT_EMPTY_PATH: 0x1000,
};

export const atFlags = (name = "flags"): Argument => flags(name, names("AT_???", AT));
export const statxFlags = flags(
  "flags",
  names("AT_???", { ...AT, AT_STATX_FORCE_SYNC: 0x2000, AT_STATX_DONT_SYNC: 0x4000 }),
  "AT_STATX_SYNC_AS_STAT",
);
export const accessFlags = flags("flags", names("AT_???", { ...AT, AT_EACCESS: 0x200 }));
export const unlinkFlags = flags("flags", names("AT_???", { AT_REMOVEDIR: 0x200 }));
export const accessMode = flags("mode", names("?_OK", { R_OK: 4, W_OK: 2, X_OK: 1 }), "F_OK");
export const renameFlags = flags(
  "flags",
  names("RENAME_???", { RENAME_NOREPLACE: 1, RENAME_EXCHANGE: 2, RENAME_WHITEOUT: 4 }),
);
export const descriptorFlags = (name = "flags"): Argument =>
  flags(name, names("O_???", { O_CLOEXEC: 0o2000000, O_NONBLOCK: 0o4000, O_DIRECT: 0o40000 }));
