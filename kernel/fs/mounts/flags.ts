/** Of one mount (include/linux/mount.h: MNT_*). */
export const MNT_NOSUID = 0x01;
export const MNT_NODEV = 0x02;
export const MNT_NOEXEC = 0x04;
export const MNT_NOATIME = 0x08;
export const MNT_NODIRATIME = 0x10;
export const MNT_RELATIME = 0x20;
export const MNT_READONLY = 0x40;
export const MNT_NOSYMFOLLOW = 0x80;
const MNT_ATIME = MNT_NOATIME | MNT_NODIRATIME | MNT_RELATIME;

/** Of mount(2) (include/uapi/linux/mount.h: MS_*). */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_SYNCHRONOUS = 16;
export const MS_REMOUNT = 32;
export const MS_MANDLOCK = 64;
export const MS_DIRSYNC = 128;
export const MS_NOSYMFOLLOW = 256;
export const MS_NOATIME = 1024;
export const MS_NODIRATIME = 2048;
export const MS_BIND = 4096;
export const MS_MOVE = 8192;
export const MS_REC = 16384;
export const MS_SILENT = 32768;
export const MS_UNBINDABLE = 1 << 17;
export const MS_PRIVATE = 1 << 18;
export const MS_SLAVE = 1 << 19;
export const MS_SHARED = 1 << 20;
export const MS_RELATIME = 1 << 21;
export const MS_STRICTATIME = 1 << 24;
export const MS_LAZYTIME = 1 << 25;
export const MS_NOUSER = 0x8000_0000;
export const MS_MGC_VAL = 0xc0ed_0000;
export const MS_MGC_MSK = 0xffff_0000;

/** Those that are the file system's, not the mount's (SB_*). */
export const SB_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_DIRSYNC | MS_LAZYTIME;
/** Those of them that a remount changes (MS_RMT_MASK). */
export const SB_REMOUNT_FLAGS = MS_RDONLY | MS_SYNCHRONOUS | MS_MANDLOCK | MS_LAZYTIME;

/** Of umount2(2). */
export const MNT_FORCE = 1;
export const MNT_DETACH = 2;
export const MNT_EXPIRE = 4;
export const UMOUNT_NOFOLLOW = 8;

const PAIRS: readonly (readonly [number, number])[] = [
  [MS_NOSUID, MNT_NOSUID],
  [MS_NODEV, MNT_NODEV],
  [MS_NOEXEC, MNT_NOEXEC],
  [MS_NOATIME, MNT_NOATIME],
  [MS_NODIRATIME, MNT_NODIRATIME],
  [MS_RDONLY, MNT_READONLY],
  [MS_NOSYMFOLLOW, MNT_NOSYMFOLLOW],
];

/**
 * The mount's own flags of mount(2)'s: relatime unless noatime or strictatime is asked for; a remount that says nothing
 * of access times keeps `old`'s (path_mount).
 */
export function mountFlags(flags: number, old: number): number {
  let own = (flags & MS_NOATIME) === 0 ? MNT_RELATIME : 0;
  for (const [asked, bit] of PAIRS) if ((flags & asked) !== 0) own |= bit;
  if ((flags & MS_STRICTATIME) !== 0) own &= ~(MNT_RELATIME | MNT_NOATIME);
  const times = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
  if ((flags & MS_REMOUNT) !== 0 && (flags & times) === 0) own = (own & ~MNT_ATIME) | (old & MNT_ATIME);
  return own;
}
