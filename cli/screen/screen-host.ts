import { hrtime } from "node:process";
import { SeededRandom } from "../../debug/seeded-random.js";
import type { Host, HostInput, HostTerminalPort, TerminalSize } from "../../kernel/host.js";
import { NodeHostFiles } from "../node-host-files.js";
import { crypto } from "../node-modules.js";

export interface ScreenHostOptions {
  /** Seed of the guest's randomness; "host" for the host's own. */
  readonly seed: number | "host";
  /** Of the user's terminal. */
  readonly columns: number;
  readonly rows: number;
}

/** Rows of the screen that are never the program's: the bar at the top, the line at the bottom. */
const OWN_ROWS = 2;

export const programSize = ({ columns, rows }: { columns: number; rows: number }): TerminalSize => ({
  columns: Math.max(1, columns),
  rows: Math.max(1, rows - OWN_ROWS),
});

/**
 * The outside of a program on the debugger's screen: its terminal is a panel, and its keys are those that the user
 * types to it. Files, clock and randomness are Node's, as of `sealab run`.
 */
export class ScreenHost implements Host {
  readonly stdin: HostInput;
  readonly terminal: HostTerminalPort;
  readonly fileSource = new NodeHostFiles();
  /** Takes what the program writes. */
  output: (bytes: Uint8Array) => void = () => {};
  private readonly seeded: SeededRandom | null;
  private typed: Uint8Array = new Uint8Array(0);
  private size: TerminalSize;

  constructor(options: ScreenHostOptions) {
    this.seeded = options.seed === "host" ? null : new SeededRandom(options.seed);
    this.size = programSize(options);
    this.stdin = {
      read: (max) => {
        if (this.typed.length === 0) return "again";
        const bytes = this.typed.subarray(0, max);
        this.typed = this.typed.subarray(bytes.length);
        return bytes;
      },
      ready: () => this.typed.length > 0,
    };
    this.terminal = {
      input: this.stdin,
      write: (bytes) => this.output(bytes),
      setRaw: () => {},
      inForeground: () => true,
    };
  }

  /** The user types to the program. */
  type(bytes: Uint8Array): void {
    this.typed = Uint8Array.from([...this.typed, ...bytes]);
  }

  /** Keys that the program has not read yet. */
  get pending(): number {
    return this.typed.length;
  }

  resize(columns: number, rows: number): void {
    this.size = programSize({ columns, rows });
  }

  write(_fd: 1 | 2, bytes: Uint8Array): void {
    this.output(bytes);
  }

  isTerminal(): boolean {
    return true;
  }

  terminalSize(): TerminalSize {
    return this.size;
  }

  realtimeNanoseconds(): bigint {
    return BigInt(Date.now()) * 1_000_000n;
  }

  monotonicNanoseconds(): bigint {
    return hrtime.bigint();
  }

  random(count: number): Uint8Array {
    return this.seeded?.bytes(count) ?? crypto().randomBytes(count);
  }

  close(): void {
    this.fileSource.closeAll();
  }
}
