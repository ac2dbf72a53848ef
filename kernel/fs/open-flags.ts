/** O_* of open(2) on x86-64, AT_* and the RENAME_ and SEEK_ constants. */

export const O_ACCMODE = 0o3;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_DSYNC = 0o10000;
export const O_ASYNC = 0o20000;
export const O_DIRECT = 0o40000;
export const O_LARGEFILE = 0o100000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;
export const O_NOATIME = 0o1000000;
export const O_CLOEXEC = 0o2000000;
export const O_SYNC = 0o4010000;
export const O_PATH = 0o10000000;
/** __O_TMPFILE without the O_DIRECTORY that user space adds. */
export const O_TMPFILE_BIT = 0o20000000;
/** Every flag that open knows; openat2 refuses others, open ignores them (VALID_OPEN_FLAGS). */
export const VALID_OPEN_FLAGS = 0o37777703;
/** What F_SETFL may change (SETFL_MASK). */
export const SETTABLE_FLAGS = O_APPEND | O_NONBLOCK | O_ASYNC | O_DIRECT | O_NOATIME;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_EACCESS = 0x200;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_FOLLOW = 0x400;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;
export const AT_STATX_SYNC_TYPE = 0x6000;

export const RENAME_NOREPLACE = 1;
export const RENAME_EXCHANGE = 2;
export const RENAME_WHITEOUT = 4;

export const SEEK_SET = 0;
export const SEEK_CUR = 1;
export const SEEK_END = 2;
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** poll(2) */
export const POLLIN = 0x1;
export const POLLPRI = 0x2;
export const POLLOUT = 0x4;
export const POLLERR = 0x8;
export const POLLHUP = 0x10;
export const POLLNVAL = 0x20;
export const POLLRDNORM = 0x40;
export const POLLRDBAND = 0x80;
export const POLLWRNORM = 0x100;
export const POLLWRBAND = 0x200;
export const POLLRDHUP = 0x2000;

export const NAME_MAX = 255;
export const PATH_MAX = 4096;
/** Symbolic links followed in one path (MAXSYMLINKS). */
export const MAX_SYMLINKS = 40;
export const PIPE_BUF = 4096;
/** MAX_RW_COUNT: the most that one read or write moves, in bytes. */
export const MAX_TRANSFER = 0x7ffff000;
/** Largest file size in bytes here: exact in a double (Linux's own limit is 2^63 - 1). */
export const MAX_FILE_SIZE = 2 ** 53 - 4096;
