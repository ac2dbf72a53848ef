/** Controlling terminals and job control (drivers/tty/tty_jobctrl.c, tty_io.c: __tty_hangup). */

import { hasCapability } from "../credentials.js";
import { CAP_SYS_ADMIN } from "../capabilities.js";
import { EIO, ENOTTY, EPERM, ESRCH } from "../errno.js";
import type { Kernel } from "../kernel.js";
import { membersOf, isOrphanedGroup } from "../process-groups.js";
import { ERESTARTSYS } from "../restart.js";
import { SIG_IGN, SIGCONT, SIGHUP, SIGTTIN, SIGTTOU } from "../signals/numbers.js";
import { kernelSignal, sendSignal } from "../signals/send.js";
import type { Process, Task } from "../task.js";
import type { Terminal } from "./terminal.js";

/** A signal from the kernel to a process. */
function signalProcess(process: Process, signal: number): void {
  sendSignal(process.tasks[0] ?? process.leader, kernelSignal(signal), true);
}

/** A signal from the kernel to each process of a group; nothing for group 0. */
export function signalGroup(kernel: Kernel, group: number, signal: number): void {
  if (group === 0) return;
  for (const process of membersOf(kernel, group)) if (!process.zombie) signalProcess(process, signal);
}

/**
 * May the running process use its controlling terminal? One in the background is stopped by SIGTTIN or SIGTTOU; one
 * that ignores or blocks SIGTTOU may write, but not read; one that nobody could continue gets EIO.
 * @returns 0, -EIO, or -ERESTARTSYS when the signal was sent to its group (__tty_check_change)
 */
export function checkBackground(kernel: Kernel, terminal: Terminal, signal: number): number {
  const task = kernel.current;
  const { process } = task;
  if (process.controllingTerminal !== terminal) return 0;
  if (terminal.foreground === 0 || terminal.foreground === process.processGroup) return 0;
  if (task.signals.blocked.has(signal) || process.handlers.of(signal).handler === SIG_IGN)
    return signal === SIGTTIN ? -EIO : 0;
  if (isOrphanedGroup(kernel, process.processGroup)) return -EIO;
  signalGroup(kernel, process.processGroup, signal);
  return -ERESTARTSYS;
}

const isSessionLeader = (process: Process): boolean => process.session === process.pid;

/** The process's session gets the terminal; the process's group is in the foreground (__proc_set_tty). */
export function takeControl(terminal: Terminal, process: Process): void {
  terminal.session = process.session;
  terminal.foreground = process.processGroup;
  process.controllingTerminal = terminal;
}

/** Opened without O_NOCTTY: a session leader without a terminal makes it its own (tty_open_proc_set_tty). */
export function acquireOnOpen(terminal: Terminal, process: Process, readable: boolean): void {
  if (!isSessionLeader(process) || process.controllingTerminal !== null || terminal.session !== 0) return;
  if (readable) takeControl(terminal, process);
}

/** TIOCSCTTY. `steal`: the argument is 1, with which root takes a terminal away from another session. */
export function setControllingTerminal(
  kernel: Kernel,
  task: Task,
  terminal: Terminal,
  readable: boolean,
  steal: boolean,
): number {
  const { process } = task;
  const mayAll = hasCapability(task.credentials, CAP_SYS_ADMIN);
  if (isSessionLeader(process) && terminal.session === process.session) return 0;
  if (!isSessionLeader(process) || process.controllingTerminal !== null) return -EPERM;
  if (terminal.session !== 0) {
    if (!steal || !mayAll) return -EPERM;
    clearSession(kernel, terminal.session);
  }
  if (!readable && !mayAll) return -EPERM;
  takeControl(terminal, process);
  return 0;
}

function clearSession(kernel: Kernel, session: number): void {
  for (const process of kernel.processes.values())
    if (process.session === session) process.controllingTerminal = null;
}

/** TIOCNOTTY: a process lets go of its terminal; of a session leader's, the whole session does. */
export function giveUpTerminal(kernel: Kernel, process: Process, terminal: Terminal): number {
  if (process.controllingTerminal !== terminal) return -ENOTTY;
  disassociateTerminal(kernel, process, false);
  process.controllingTerminal = null;
  return 0;
}

/**
 * A session leader and its session lose their terminal. Nothing happens for another process.
 * @param onExit the leader ends: the foreground group is hung up (SIGHUP) but not woken by SIGCONT; of the user's own
 *   terminal, which is no pty, all open files are hung up too
 */
export function disassociateTerminal(kernel: Kernel, process: Process, onExit: boolean): void {
  if (!isSessionLeader(process)) return;
  const terminal = process.controllingTerminal;
  if (terminal === null) {
    // The terminal hung up before: its foreground group of then hears of the leader's end.
    if (onExit && process.hungUpGroup !== 0) {
      signalGroup(kernel, process.hungUpGroup, SIGHUP);
      signalGroup(kernel, process.hungUpGroup, SIGCONT);
    }
    process.hungUpGroup = 0;
    return;
  }
  const { foreground } = terminal;
  signalGroup(kernel, foreground, SIGHUP);
  if (!onExit) signalGroup(kernel, foreground, SIGCONT);
  process.hungUpGroup = 0;
  terminal.session = 0;
  terminal.foreground = 0;
  clearSession(kernel, process.session);
}

/**
 * The terminal's other side has gone, or vhangup was called: its files are dead, its session's leader gets SIGHUP and
 * SIGCONT, and the session has no terminal any more.
 */
export function hangUp(kernel: Kernel | null, terminal: Terminal): void {
  for (const file of terminal.files) file.hungUp = true;
  const { session, foreground } = terminal;
  terminal.session = 0;
  terminal.foreground = 0;
  if (kernel !== null && session !== 0) {
    for (const process of [...kernel.processes.values()]) {
      if (process.session !== session) continue;
      if (process.controllingTerminal === terminal) process.controllingTerminal = null;
      if (!isSessionLeader(process) || process.zombie) continue;
      signalProcess(process, SIGHUP);
      signalProcess(process, SIGCONT);
      process.hungUpGroup = foreground;
    }
  }
  terminal.waitQueue.wake();
}

/** TIOCSPGRP: which group of the caller's session is in the foreground. */
export function setForeground(kernel: Kernel, terminal: Terminal, group: number): number {
  const { process } = kernel.current;
  if (process.controllingTerminal !== terminal || terminal.session !== process.session) return -ENOTTY;
  const member = membersOf(kernel, group)[0] ?? kernel.processes.get(group);
  if (member === undefined) return -ESRCH;
  if (member.session !== process.session) return -EPERM;
  terminal.foreground = group;
  return 0;
}

/** May the caller change the terminal? As for a write with TOSTOP (tty_check_change). */
export function checkChange(kernel: Kernel, terminal: Terminal): number {
  return checkBackground(kernel, terminal, SIGTTOU);
}
