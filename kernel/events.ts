/**
 * What the kernel tells whoever listens. With no listener an event costs one boolean check:
 * the emitter tests `events.listening.X` before it builds the record.
 */

import type { EntryChange, EntryWatch } from "./entry-watch.js";
import type { AreaChange } from "./mm/environment.js";
import type { OomKill } from "./mm/oom.js";
import type { Refusal } from "./refusal.js";
import type { SignalInfo } from "./signals/siginfo.js";
import type { Task } from "./task.js";

export interface SyscallEnter {
  readonly task: Task;
  readonly number: number;
  readonly name: string;
  /** RDI, RSI, RDX, R10, R8, R9 as unsigned 64-bit values. */
  readonly args: readonly bigint[];
  /** Instructions retired so far. */
  readonly instruction: number;
  /** True when a blocked or interrupted call is executed again. */
  readonly resumed: boolean;
}

export interface SyscallExit extends SyscallEnter {
  /** Signed: -errno, or kernel-private -ERESTART*; null for a call that does not return (exit, execve, sigreturn). */
  readonly result: bigint | null;
}

export type SignalOutcome = "handler" | "ignored" | "terminate" | "core" | "stop" | "continue";

export interface SignalDelivered {
  readonly task: Task;
  readonly info: SignalInfo;
  readonly outcome: SignalOutcome;
  /** Why, where a fault of this task raised it. */
  readonly refusal?: Refusal;
  readonly instruction: number;
}

export interface FaultRaised {
  readonly task: Task;
  /** Exception vector: 14 for a page fault. */
  readonly vector: number;
  readonly errorCode: number;
  readonly address: number;
  readonly rip: number;
  /** False when the kernel mended it (demand paging, copy on write). */
  readonly signal: number | null;
  readonly refusal?: Refusal;
  readonly instruction: number;
}

export interface TaskExit {
  readonly task: Task;
  /** Exit code, 0 to 255, when no signal ended it. */
  readonly status: number;
  readonly signal: number | null;
  readonly core: boolean;
  readonly instruction: number;
}

export interface Executed {
  readonly task: Task;
  readonly path: string;
  readonly entry: number;
}

export interface PkruWritten {
  readonly task: Task;
  readonly before: number;
  readonly after: number;
  /** Instructions retired before the WRPKRU or XRSTOR; of the kernel's writes, as of a refusal. */
  readonly instruction: number;
  /** Of that instruction; of the kernel's writes, where the program is. */
  readonly rip: number;
  /** Undefined: an instruction of the program's. Else on what occasion the kernel did it. */
  readonly by?: string;
}

/** A task met a uprobe, or returned from a function that has one. */
export interface ProbeHit {
  readonly task: Task;
  readonly kind: "entry" | "return";
  /** Of the probed instruction; of a return, where it goes to. */
  readonly address: number;
  /** Of the probe in its file, in bytes. */
  readonly offset: number;
  readonly instruction: number;
}

export interface KernelEventMap {
  syscallEnter: SyscallEnter;
  syscallExit: SyscallExit;
  signal: SignalDelivered;
  fault: FaultRaised;
  refusal: Refusal;
  area: AreaChange;
  /** A leaf page-table entry is another one now. */
  pte: EntryChange;
  /** PKRU was written, maybe with what it was. */
  pkru: PkruWritten;
  exec: Executed;
  exit: TaskExit;
  /** The OOM killer has chosen a process. */
  oom: OomKill;
  /** A uprobe was met. */
  probe: ProbeHit;
}

export type KernelEventName = keyof KernelEventMap;
type Listener<N extends KernelEventName> = (event: KernelEventMap[N]) => void;

export class KernelEvents {
  /** Sees the page tables while somebody listens for "pte". */
  entryWatch: EntryWatch | null = null;
  /** Told when the first listener of an event comes, and when the last goes. */
  onListening: ((name: KernelEventName, listening: boolean) => void) | null = null;
  /** Who emits looks here first. */
  readonly listening: Record<KernelEventName, boolean> = {
    syscallEnter: false,
    syscallExit: false,
    signal: false,
    fault: false,
    refusal: false,
    area: false,
    pte: false,
    pkru: false,
    exec: false,
    exit: false,
    oom: false,
    probe: false,
  };
  private readonly listeners: { [N in KernelEventName]: Listener<N>[] } = {
    syscallEnter: [],
    syscallExit: [],
    signal: [],
    fault: [],
    refusal: [],
    area: [],
    pte: [],
    pkru: [],
    exec: [],
    exit: [],
    oom: [],
    probe: [],
  };

  /** Adds a listener; the function returned takes it away again. */
  on<N extends KernelEventName>(name: N, listener: Listener<N>): () => void {
    const list: Listener<N>[] = this.listeners[name];
    list.push(listener);
    this.setListening(name, true);
    return () => {
      const at = list.indexOf(listener);
      if (at >= 0) list.splice(at, 1);
      this.setListening(name, list.length > 0);
    };
  }

  /** Does something of which no listener is told that is there now. */
  unheard<T>(act: () => T): T {
    const names = Object.keys(this.listeners) as KernelEventName[];
    const lists = names.map((name) => this.listeners[name].splice(0));
    for (const name of names) this.setListening(name, false);
    try {
      return act();
    } finally {
      names.forEach((name, i) => {
        (this.listeners[name] as unknown[]).push(...lists[i]!);
        this.setListening(name, this.listeners[name].length > 0);
      });
    }
  }

  private setListening(name: KernelEventName, listening: boolean): void {
    if (this.listening[name] === listening) return;
    this.listening[name] = listening;
    this.onListening?.(name, listening);
  }

  emit<N extends KernelEventName>(name: N, event: KernelEventMap[N]): void {
    const list: Listener<N>[] = this.listeners[name];
    for (const listener of list) listener(event);
  }
}
