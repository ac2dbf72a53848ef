/**
 * The one door to the outside. What a run takes from here is all that makes it differ from
 * another run of the same program; everything behind the door is deterministic.
 */

import type { HostFiles } from "./fs/host-files.js";

export interface HostInput {
  /** At most `max` bytes; empty at the end of input; "again" when there is nothing yet. */
  read(max: number): Uint8Array | "again";
  /** True if `read` would not answer "again". */
  ready(): boolean;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** The user's terminal, whatever standard descriptor it is behind. */
export interface HostTerminalPort {
  /** The keys; standard input itself where that is the terminal. */
  readonly input: HostInput;
  /** As Host.write. */
  write(bytes: Uint8Array): void;
  /** Keys as they are pressed, without echo and signals, and output as it is; or all as it was before. */
  setRaw(on: boolean): void;
  /** True where keys pressed now are for us: not for a background job, nor where another program reads them. */
  inForeground?(): boolean;
}

export interface Host {
  readonly stdin: HostInput;
  /**
   * Standard output (1) or error (2); all of the bytes are taken, copied if kept.
   * @throws HostClosed for a broken pipe, HostRefused for a full disk and its like
   */
  write(fd: 1 | 2, bytes: Uint8Array): void;
  isTerminal(fd: 0 | 1 | 2): boolean;
  /** Null where there is no terminal. */
  terminalSize(): TerminalSize | null;
  /** Nanoseconds since 1970. Used by a host clock, and once by a virtual one that starts at the present. */
  realtimeNanoseconds(): bigint;
  monotonicNanoseconds(): bigint;
  /** `count` random bytes; from a seed unless the user asked for the host's. */
  random(count: number): Uint8Array;
  readonly fileSource?: HostFiles;
  /** Where isTerminal is true for a descriptor. */
  readonly terminal?: HostTerminalPort;
}

/** Thrown by Host.write when the reader has gone: EPIPE and SIGPIPE for the guest. */
export class HostClosed extends Error {
  override readonly name = "HostClosed";
}

/** Thrown by Host.write when the outside takes no more bytes (a full disk). */
export class HostRefused extends Error {
  override readonly name = "HostRefused";

  constructor(
    /** Linux's, positive. */
    readonly errno: number,
    /** Bytes that were taken before. */
    readonly taken: number,
  ) {
    super(`errno ${errno}`);
  }
}
