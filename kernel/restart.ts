/**
 * Results that never reach user space: how a call that a signal interrupted is to be taken up
 * again (include/linux/errno.h; arch/x86/kernel/signal.c handle_signal, arch_do_signal_or_restart).
 */

/** Restart, unless a handler without SA_RESTART runs: then EINTR. */
export const ERESTARTSYS = 512;
/** Restart always. */
export const ERESTARTNOINTR = 513;
/** Restart if no handler runs, else EINTR. */
export const ERESTARTNOHAND = 514;
/** Continue through restart_syscall(2) if no handler runs, else EINTR. */
export const ERESTART_RESTARTBLOCK = 516;

/** How an interrupted call is to be taken up again: one of the codes above as a positive number; 0: not at all. */
export type RestartCode = number;
