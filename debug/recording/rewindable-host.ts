import type { Host, HostInput, HostTerminalPort, TerminalSize } from "../../kernel/host.js";
import { HostClosed, HostRefused } from "../../kernel/host.js";
import type { ByteSource } from "../../kernel/fs/byte-source.js";
import type { HostFiles, HostStat } from "../../kernel/fs/host-files.js";
import type { Kernel } from "../../kernel/kernel.js";
import { letIn, type OutsideEvent, type OutsideEvents } from "../../kernel/outside.js";
import { CHECK, EVENT, IDLE, InputLog, READY } from "./input-log.js";
import { processorHash } from "./processor-hash.js";
import { LogCursor } from "./log-cursor.js";
import { RecordedFiles } from "./recorded-files.js";
import { RecordedInput } from "./recorded-input.js";
import { ReplayDiffers } from "./replay-differs.js";
import { hashBytes, type Value } from "./value.js";

/** What a host may say of descriptors 0, 1 and 2 beside the Host interface. */
interface StreamStat {
  streamStat?(fd: 0 | 1 | 2): HostStat | null;
}

export interface RewindableHostOptions {
  /** The log is all there is, as in a replay of a file: whatever goes beyond its end differs. */
  readonly closed?: boolean;
  /** Instructions between two checks of the processor's state; none unless told. */
  readonly checkEvery?: number;
}

/** What kind of host it was; the log's first answer. */
type Parts = {
  readonly files: boolean;
  readonly terminal: boolean;
  /** The terminal's keys are standard input. */
  readonly keysAreInput: boolean;
  readonly foreground: boolean;
  readonly streamStat: boolean;
};

const WRITE = { 1: "write 1", 2: "write 2" } as const;
const WRITE_TERMINAL = "write terminal";
/** What came of a write that nobody reads. */
const CLOSED = "closed";

/** What comes of a write: null for all of the bytes. */
type Written = null | typeof CLOSED | { readonly errno: number; readonly taken: number };

/**
 * A host before another one, with a memory. At the end of its log it asks the other one and notes what it said; before
 * that end it says what it said then. So a machine can be put back to a former state and run again; and a log that was
 * kept is a whole run, which needs no other host but one to write to.
 *
 * Everything is noted with the instruction at which it happened, and comes at the same one again, however the run is
 * cut into slices: the machine's run loop looks here for what is due (`OutsideEvents`).
 */
export class RewindableHost implements Host, StreamStat, OutsideEvents {
  readonly stdin: RecordedInput;
  readonly terminal?: HostTerminalPort;
  readonly fileSource?: HostFiles;
  private readonly keys: RecordedInput | null;
  private readonly parts: Parts;
  private readonly cursor: LogCursor;
  /** Acts of the driver that are still to happen. */
  private readonly posted: OutsideEvent[] = [];
  private readonly checkEvery: number;
  private nextCheck: number;
  /** The host's time at the machine's monotonic 0. */
  private started: bigint | null = null;

  /**
   * @param inner the host that it stands before
   * @param log what has been noted already
   */
  constructor(
    readonly inner: Host & StreamStat,
    log = new InputLog(),
    options: RewindableHostOptions = {},
  ) {
    this.cursor = new LogCursor(log, options.closed ?? false);
    this.checkEvery = options.checkEvery ?? Infinity;
    this.nextCheck = this.checkEvery;
    this.parts = this.cursor.ask("host", () => partsOf(inner));
    const { parts } = this;
    this.stdin = new RecordedInput(this.cursor, "standard input", inner.stdin);
    this.keys = !parts.terminal
      ? null
      : parts.keysAreInput
        ? this.stdin
        : new RecordedInput(this.cursor, "keys", inner.terminal?.input ?? inner.stdin);
    if (this.keys !== null) this.terminal = this.terminalPort(this.keys);
    if (parts.files) this.fileSource = new RecordedFiles(this.cursor, inner.fileSource ?? null);
  }

  /** Ties the machine's run to the log. Machine.create does it. */
  attach(kernel: Kernel): void {
    this.cursor.kernel = kernel;
    kernel.outside = this;
  }

  get log(): InputLog {
    return this.cursor.log;
  }

  /** Index of the entry that comes next. Set it with the machine's state, to what it was with that state. */
  get position(): number {
    return this.cursor.position;
  }

  set position(position: number) {
    this.cursor.position = position;
    this.posted.length = 0;
    this.started = null;
    for (const input of [this.stdin, this.keys]) input?.moved();
  }

  /** What a snapshot of the machine keeps of the host (`RestorableHost`). */
  saveState(): number {
    return this.position;
  }

  loadState(position: number): void {
    this.position = position;
  }

  /** True while answers come from the log. */
  get replaying(): boolean {
    return this.cursor.replaying;
  }

  /** Forgets what came after `position`: the run takes another course from here. */
  truncate(): void {
    this.cursor.truncate();
  }

  /** Looks at the machine without a trace in the log: for debuggers, which read the guest's files. */
  aside<T>(look: () => T): T {
    return this.cursor.aside(look);
  }

  // What the machine asks and does.

  write(fd: 1 | 2, bytes: Uint8Array): void {
    this.output(WRITE[fd], bytes, () => this.inner.write(fd, bytes));
  }

  isTerminal(fd: 0 | 1 | 2): boolean {
    return this.cursor.ask(`terminal ${fd}`, () => this.inner.isTerminal(fd));
  }

  terminalSize(): TerminalSize | null {
    return this.cursor.ask("window", () => {
      const size = this.inner.terminalSize();
      return size && { rows: size.rows, columns: size.columns };
    });
  }

  streamStat(fd: 0 | 1 | 2): HostStat | null {
    if (!this.parts.streamStat) return null;
    return this.cursor.ask(`fstat ${fd}`, () => this.inner.streamStat?.(fd) as Value) as HostStat | null;
  }

  realtimeNanoseconds(): bigint {
    return this.cursor.take("time of day", () => this.inner.realtimeNanoseconds());
  }

  monotonicNanoseconds(): bigint {
    return this.cursor.take("clock", () => this.inner.monotonicNanoseconds());
  }

  random(count: number): Uint8Array {
    return this.cursor.take("random", () => this.inner.random(count));
  }

  /** A tar archive whose bytes are noted as they are read. @param source null in a replay */
  archive(source: ByteSource | null): ByteSource {
    return {
      size: this.cursor.ask("archive", () => source!.size),
      read: (offset, destination) => {
        const bytes = this.cursor.ask<Uint8Array | number>(`archive ${offset} ${destination.length}`, () => {
          const count = source!.read(offset, destination);
          return count < 0 ? count : destination.subarray(0, count);
        });
        if (typeof bytes === "number") return bytes;
        destination.set(bytes);
        return bytes.length;
      },
    };
  }

  // What the driver does.

  /** Of the host's own time since it was asked first; null in a replay, where the record has the time. */
  elapsedNanoseconds(): number | null {
    if (this.replaying || this.cursor.closed) return null;
    this.started ??=
      this.inner.monotonicNanoseconds() - BigInt(Math.floor(this.cursor.kernel!.clock.monotonic()));
    return Number(this.inner.monotonicNanoseconds() - this.started);
  }

  post(event: OutsideEvent): boolean {
    if (this.replaying || this.cursor.closed) return false;
    if (event.kind === "keys" && this.inner.terminal?.input.ready() !== true) return false;
    if (event.kind === "clock" && !(event.time > (this.cursor.kernel?.clock.monotonic() ?? 0))) return false;
    this.posted.push(event);
    return true;
  }

  /** Instructions retired when the run has to look here again; Infinity: there is nothing to come. */
  get nextEventAt(): number {
    return this.next;
  }

  get next(): number {
    if (this.replaying) {
      const arrival = this.log.arrivalFrom(this.cursor.position);
      return arrival < 0 ? Infinity : this.log.instruction(arrival);
    }
    return this.posted.length > 0 ? 0 : this.nextCheck;
  }

  get pending(): boolean {
    return this.posted.length > 0;
  }

  admit(): boolean {
    const kernel = this.cursor.kernel!;
    if (this.replaying) return this.admitFromLog(kernel);
    const due = this.posted.splice(0);
    for (const event of due) {
      this.cursor.note(EVENT, event.kind, { ...event });
      letIn(kernel, event);
    }
    if (this.cursor.now >= this.nextCheck) this.check(kernel);
    return true;
  }

  idle(): boolean {
    if (!this.replaying) {
      if (this.posted.length > 0) return this.admit();
      this.cursor.waiting();
      return false;
    }
    if (this.log.kind(this.cursor.position) !== IDLE) this.cursor.differs("every task waits");
    this.cursor.consume();
    return this.replaying && this.admit();
  }

  private admitFromLog(kernel: Kernel): boolean {
    const { log, position: index, now } = this.cursor;
    const kind = log.kind(index);
    if (log.instruction(index) < now) this.cursor.differs("it has passed by that");
    if (log.instruction(index) > now) return false;
    if (kind === EVENT) {
      this.cursor.consume();
      letIn(kernel, log.value(index) as unknown as OutsideEvent);
    } else if (kind === READY) {
      this.cursor.consume();
      (log.subject(index) === this.stdin.subject ? this.stdin : this.keys!).arrived();
    } else if (kind === CHECK) {
      this.cursor.consume();
      const hash = processorHash(kernel);
      if (hash !== log.hash(index)) this.registersDiffer(index);
    } else return false;
    return true;
  }

  private check(kernel: Kernel): void {
    this.nextCheck = this.cursor.now + this.checkEvery;
    this.cursor.noteCheck(processorHash(kernel));
  }

  private registersDiffer(index: number): never {
    let before = index - 1;
    while (before >= 0 && this.log.kind(before) !== CHECK) before--;
    const since = before < 0 ? 0 : this.log.instruction(before);
    throw new ReplayDiffers(
      this.cursor.now,
      `the registers are not those of the record; they were at instruction ${since}`,
    );
  }

  private output(what: string, bytes: Uint8Array, put: () => void): void {
    const quietly = (): Written => {
      try {
        put();
        return null;
      } catch (error) {
        if (error instanceof HostClosed) return CLOSED;
        if (error instanceof HostRefused) return { errno: error.errno, taken: error.taken };
        throw error;
      }
    };
    const result = this.cursor.act<Written>(what, hashBytes(bytes), null, quietly, quietly);
    if (result === CLOSED) throw new HostClosed();
    if (result !== null) throw new HostRefused(result.errno, result.taken);
  }

  private terminalPort(input: HostInput): HostTerminalPort {
    const { inner, parts } = this;
    const port: HostTerminalPort = {
      input,
      write: (bytes) =>
        this.output(WRITE_TERMINAL, bytes, () => {
          if (inner.terminal === undefined) inner.write(1, bytes);
          else inner.terminal.write(bytes);
        }),
      setRaw: (on) => {
        this.cursor.act("raw keys", on ? 1 : 0, null, () => {
          inner.terminal?.setRaw(on);
          return null;
        });
      },
    };
    if (!parts.foreground) return port;
    return {
      ...port,
      inForeground: () => this.cursor.ask("foreground", () => inner.terminal?.inForeground?.() ?? false),
    };
  }
}

function partsOf(host: Host & StreamStat): Parts {
  const { terminal } = host;
  return {
    files: host.fileSource !== undefined,
    terminal: terminal !== undefined,
    keysAreInput: terminal?.input === host.stdin,
    foreground: terminal?.inForeground !== undefined,
    streamStat: host.streamStat !== undefined,
  };
}
