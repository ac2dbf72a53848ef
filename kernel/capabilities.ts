/** The numbers of the capabilities that anything here asks for (capabilities(7)). */

export const CAP_CHOWN = 0;
export const CAP_DAC_OVERRIDE = 1;
export const CAP_DAC_READ_SEARCH = 2;
export const CAP_FOWNER = 3;
export const CAP_FSETID = 4;
export const CAP_KILL = 5;
export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_SETPCAP = 8;
export const CAP_LINUX_IMMUTABLE = 9;
export const CAP_IPC_LOCK = 14;
export const CAP_SYS_RAWIO = 17;
export const CAP_SYS_CHROOT = 18;
export const CAP_SYS_PTRACE = 19;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_NICE = 23;
export const CAP_SYS_RESOURCE = 24;
export const CAP_SYS_TIME = 25;
export const CAP_MKNOD = 27;
export const CAP_MAC_OVERRIDE = 32;
export const CAP_WAKE_ALARM = 35;
export const CAP_BLOCK_SUSPEND = 36;
export const CAP_PERFMON = 38;
export const CAP_CHECKPOINT_RESTORE = 40;
export const CAP_LAST = CAP_CHECKPOINT_RESTORE;

/** Sets of capabilities are 64-bit masks. */
export const ALL_CAPABILITIES = (1n << BigInt(CAP_LAST + 1)) - 1n;

/** What goes with a file-system user id of 0 (CAP_FS_SET). */
export const FILE_CAPABILITIES = [
  CAP_CHOWN,
  CAP_DAC_OVERRIDE,
  CAP_DAC_READ_SEARCH,
  CAP_FOWNER,
  CAP_FSETID,
  CAP_LINUX_IMMUTABLE,
  CAP_MKNOD,
  CAP_MAC_OVERRIDE,
].reduce((set, capability) => set | (1n << BigInt(capability)), 0n);

export function contains(set: bigint, capability: number): boolean {
  return ((set >> BigInt(capability)) & 1n) !== 0n;
}
