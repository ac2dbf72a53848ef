import * as fs from "node:fs";
import { hrtime } from "node:process";
import { SeededRandom } from "../debug/seeded-random.js";
import type { HostStat } from "../kernel/fs/host-files.js";
import type { Host, TerminalSize } from "../kernel/host.js";
import { HostClosed, HostRefused } from "../kernel/host.js";
import { errnoOf, NodeHostFiles, statOf } from "./node-host-files.js";
import { NodeTerminal, openKeys } from "./node-terminal.js";
import { StandardInput } from "./standard-input.js";
import { crypto, isatty } from "./node-modules.js";

export interface NodeHostOptions {
  /** Seed of the guest's randomness; "host" for the host's own. */
  readonly seed: number | "host";
  /** Gives the descriptor of a file that stands in for standard input. */
  readonly input?: () => number;
}

/** The outside through Node: the process's standard streams, the host's clock and files. */
export class NodeHost implements Host {
  readonly stdin: StandardInput;
  readonly terminal?: NodeTerminal;
  readonly fileSource = new NodeHostFiles();
  /** Null: the host's. */
  readonly randomness: SeededRandom | null;
  /** Where the terminal's keys come from; null without a terminal. */
  private readonly keys: StandardInput | null = null;
  private readonly input: (() => number) | null;

  constructor(options: NodeHostOptions) {
    this.input = options.input ?? null;
    this.stdin = new StandardInput(this.input);
    this.randomness = options.seed === "host" ? null : new SeededRandom(options.seed);
    // Standard input's last: on some systems it cannot be written to.
    const fd = ([1, 2, 0] as const).find((each) => isatty(each));
    if (fd === undefined) return;
    this.keys = this.isTerminal(0) ? this.stdin : new StandardInput(openKeys);
    const terminal = new NodeTerminal(fd, this.keys, this.keys === this.stdin, put);
    this.keys.watch = (bytes) => terminal.watch(bytes);
    this.terminal = terminal;
  }

  write(fd: 1 | 2, bytes: Uint8Array): void {
    put(fd, bytes);
  }

  isTerminal(fd: 0 | 1 | 2): boolean {
    return (fd !== 0 || this.input === null) && isatty(fd);
  }

  terminalSize(): TerminalSize | null {
    for (const stream of [process.stdout, process.stderr]) {
      if (!stream.isTTY) continue;
      const [columns, rows] = stream.getWindowSize();
      return { rows, columns };
    }
    return null;
  }

  /** What fstat says of a standard descriptor; null where it is not open. */
  streamStat(fd: 0 | 1 | 2): HostStat | null {
    try {
      const own = fd === 0 && this.input !== null ? this.input() : fd;
      return statOf(fs.fstatSync(own, { bigint: true }));
    } catch {
      return null;
    }
  }

  realtimeNanoseconds(): bigint {
    return BigInt(Date.now()) * 1_000_000n;
  }

  monotonicNanoseconds(): bigint {
    return hrtime.bigint();
  }

  random(count: number): Uint8Array {
    return this.randomness?.bytes(count) ?? crypto().randomBytes(count);
  }

  /**
   * Resolves when standard input has bytes or has ended, or a key was pressed.
   * @param keys the terminal's keys count, whether or not standard input does
   */
  async waitForInput(standard: boolean, keys: boolean): Promise<void> {
    const waits: Promise<void>[] = [];
    if (standard) waits.push(this.stdin.wait());
    if (keys && this.keys !== null && !(standard && this.keys === this.stdin)) waits.push(this.keys.wait());
    if (waits.length > 0) await Promise.race(waits);
  }

  close(): void {
    this.terminal?.restore();
    this.keys?.close();
    this.stdin.close();
    this.fileSource.closeAll();
  }
}

/** Writes all of the bytes. @throws HostClosed where nobody reads any more, HostRefused where no more can be written */
function put(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) {
    try {
      done += fs.writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE" || code === "EIO") throw new HostClosed();
      if (code !== "EAGAIN") throw new HostRefused(-errnoOf(error), done);
      // A pipe that another process made non-blocking is full: its reader needs a moment.
      Atomics.wait(PAUSE, 0, 0, 1);
    }
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
