/** What reaches a machine from outside while it runs, beside the answers that it asks of its host. */

import type { Kernel } from "./kernel.js";
import { SI_KERNEL, SIGCONT } from "./signals/numbers.js";
import { sendSignal } from "./signals/send.js";

export type OutsideEvent =
  /** To the running process: Ctrl-C where the guest has no terminal. */
  | { readonly kind: "signal"; readonly signal: number }
  /** To the foreground of the user's terminal: Ctrl-C while the host still makes signals of keys. */
  | { readonly kind: "terminal-signal"; readonly signal: number }
  /** The window has the size that the host now says. */
  | { readonly kind: "resize" }
  /** The keys that were pressed come in. */
  | { readonly kind: "keys" }
  /** Whoever had stopped all of the guest, as a shell's job, lets it go on. */
  | { readonly kind: "continue" }
  /** A virtual clock moves on to this monotonic time, in nanoseconds. */
  | { readonly kind: "clock"; readonly time: number };

/** Something that lets such events in at its own time, as the record of a run does. */
export interface OutsideEvents {
  /** Instructions retired when the run has to ask again; Infinity: not before something is posted. */
  readonly next: number;
  /** Something was posted and is still to be let in. */
  readonly pending: boolean;
  /** Before the running task goes on: lets in what is due. True if something was. */
  admit(): boolean;
  /** Nobody can run, and no time but the host's can pass: the same. */
  idle(): boolean;
  /** True if it will be let in; false where the record alone says what happens. */
  post(event: OutsideEvent): boolean;
}

/** Makes an event happen. */
export function letIn(kernel: Kernel, event: OutsideEvent): void {
  const { terminals } = kernel.current.fs.namespace;
  switch (event.kind) {
    case "signal":
      sendSignal(
        kernel.current,
        { signo: event.signal, errno: 0, code: SI_KERNEL, detail: { kind: "none" } },
        true,
      );
      break;
    case "terminal-signal":
      terminals.host?.terminal.signal(event.signal);
      break;
    case "resize":
      terminals.host?.resized();
      break;
    case "keys":
      terminals.host?.pump();
      break;
    case "continue":
      terminals.signalGroup(kernel.init.processGroup, SIGCONT);
      break;
    case "clock":
      kernel.clock.advanceTo(event.time);
      break;
  }
}
