/** File types and permission bits of st_mode (inode(7)), and their directory-entry types. */

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
export const PERMISSIONS = 0o7777;

/** What access(2) asks for; also the bits of one class of permissions. */
export const MAY_EXECUTE = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

/** d_type of getdents64(2): the type bits shifted down (include/linux/fs_types.h). */
export function directoryEntryType(mode: number): number {
  return (mode & S_IFMT) >> 12;
}
