/** What a filter may answer: the action in the upper half, its data in the lower (linux/seccomp.h SECCOMP_RET_*). */

export const SECCOMP_RET_KILL_PROCESS = 0x8000_0000;
export const SECCOMP_RET_KILL_THREAD = 0x0000_0000;
export const SECCOMP_RET_TRAP = 0x0003_0000;
export const SECCOMP_RET_ERRNO = 0x0005_0000;
export const SECCOMP_RET_USER_NOTIF = 0x7fc0_0000;
export const SECCOMP_RET_TRACE = 0x7ff0_0000;
export const SECCOMP_RET_LOG = 0x7ffc_0000;
export const SECCOMP_RET_ALLOW = 0x7fff_0000;

/** By their names in /proc/sys/kernel/seccomp, the strongest first. */
export const ACTION_NAMES: readonly (readonly [action: number, name: string])[] = [
  [SECCOMP_RET_KILL_PROCESS, "kill_process"],
  [SECCOMP_RET_KILL_THREAD, "kill_thread"],
  [SECCOMP_RET_TRAP, "trap"],
  [SECCOMP_RET_ERRNO, "errno"],
  [SECCOMP_RET_USER_NOTIF, "user_notif"],
  [SECCOMP_RET_TRACE, "trace"],
  [SECCOMP_RET_LOG, "log"],
  [SECCOMP_RET_ALLOW, "allow"],
];

/** Of an answer, without a sign. */
export const actionOf = (answer: number): number => (answer & 0xffff_0000) >>> 0;
export const dataOf = (answer: number): number => answer & 0xffff;
