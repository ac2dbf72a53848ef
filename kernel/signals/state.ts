/**
 * The signal state of a task (its own queue, mask and alternate stack) and of a process (the
 * handlers and the queue that its tasks share).
 */

import type { SignalInfo } from "./siginfo.js";
import { SIG_DFL, SIG_IGN, SIGNAL_MAX } from "./numbers.js";
import { WaitQueue } from "../wait-queue.js";
import { SignalSet } from "./signal-set.js";

export interface SignalAction {
  /** Address of the handler, or SIG_DFL, or SIG_IGN; unsigned 64 bits. */
  handler: bigint;
  flags: number;
  restorer: bigint;
  mask: SignalSet;
}

const defaultSignalAction = (): SignalAction => ({
  handler: SIG_DFL,
  flags: 0,
  restorer: 0n,
  mask: new SignalSet(),
});

/** The handlers, shared by tasks cloned with CLONE_SIGHAND. */
export class SignalHandlers {
  /** Who reads these signals through a signalfd. */
  readonly signalQueue = new WaitQueue();
  readonly actions: SignalAction[] = Array.from({ length: SIGNAL_MAX + 1 }, defaultSignalAction);

  of(signal: number): SignalAction {
    return this.actions[signal]!;
  }

  /** Handlers go, their signals act by default (flush_signal_handlers); ignored ones stay ignored. */
  reset(): void {
    for (const action of this.actions) {
      if (action.handler !== SIG_IGN) action.handler = SIG_DFL;
      action.flags = 0;
      action.restorer = 0n;
      action.mask = new SignalSet();
    }
  }

  /** As fork gives them to a child. */
  copy(): SignalHandlers {
    const copy = new SignalHandlers();
    this.actions.forEach((action, signal) => {
      copy.actions[signal] = { ...action, mask: action.mask.copy() };
    });
    return copy;
  }
}

/** Signals that were sent and not yet taken; a standard signal at most once, real-time ones in their order. */
export class PendingSignals {
  readonly set = new SignalSet();
  queue: SignalInfo[] = [];
}

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x8000_0000;

export interface AlternateStack {
  /** Lowest byte, unsigned 64 bits. */
  base: bigint;
  /** Bytes. */
  size: bigint;
  /** As given: SS_ONSTACK and SS_DISABLE tell nothing of the state, which is computed. */
  flags: number;
}

export class SignalState {
  readonly pending = new PendingSignals();
  readonly blocked = new SignalSet();
  /** The mask to put back when rt_sigsuspend, ppoll ... has been interrupted; null outside of these. */
  saved: SignalSet | null = null;
  /** While rt_sigtimedwait waits: what it waits for. */
  waitedFor: SignalSet | null = null;
  readonly alternate: AlternateStack = { base: 0n, size: 0n, flags: 0 };
  /** True when an unblocked signal is pending: looked at after each system call. */
  attention = false;

  constructor(readonly process: { readonly pending: PendingSignals }) {}

  recalculate(): void {
    this.attention =
      this.pending.set.anyOutside(this.blocked) || this.process.pending.set.anyOutside(this.blocked);
  }
}
