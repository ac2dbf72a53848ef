import * as fs from "node:fs";
import type { HostInput, HostTerminalPort } from "../kernel/host.js";
import { childProcess, timestamp } from "./node-modules.js";

const CONTROL_C = 3;
const CONTROL_BRACKET = 0x1d;
/** So many presses, within so many milliseconds, are the way out. */
const PRESSES = 3;
const CONTROL_C_MS = 5000;
const CONTROL_BRACKET_MS = 1000;
const RETURN = 0x0d;
const NEWLINE = 0x0a;

/** What ends a process, before which the terminal is put right. */
const ENDINGS = ["SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * The user's terminal. It is left as it is until the guest reads from it; then its keys come raw, and what was set
 * before is set again at the end, however that comes: `restore`, the process's exit, a signal.
 */
export class NodeTerminal implements HostTerminalPort {
  /** The keys come as they are pressed. */
  private raw = false;
  /** What `stty -g` said; null where stty is not there and Node's own raw mode serves. */
  private saved: string | null = null;
  private hooked = false;
  private controlC: number[] = [];
  private controlBracket: number[] = [];

  /**
   * @param fd a descriptor of the terminal
   * @param input its keys
   * @param keysAreInput standard input is the terminal
   * @param put writes bytes to a descriptor
   */
  constructor(
    private readonly fd: 0 | 1 | 2,
    readonly input: HostInput,
    private readonly keysAreInput: boolean,
    private readonly put: (fd: number, bytes: Uint8Array) => void,
  ) {}

  write(bytes: Uint8Array): void {
    // A terminal that is not raw through and through puts the carriage return before each newline itself.
    this.put(this.fd, this.saved !== null && this.raw ? bytes : uncooked(bytes));
  }

  setRaw(on: boolean): void {
    if (on === this.raw) return;
    if (on) this.makeRaw();
    else this.makeCooked();
    this.raw = on;
  }

  /** Known on Linux only; elsewhere the terminal is taken over when it is read. */
  inForeground(): boolean {
    if (!this.keysAreInput || process.platform !== "linux") return false;
    // State, parent, group, session, terminal, its foreground group (proc_pid_stat(5)), after "pid (name)".
    const fields = fs
      .readFileSync("/proc/self/stat", "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return fields[2] === fields[5];
  }

  /** As it was before; for good. */
  restore(): void {
    this.setRaw(false);
    if (!this.hooked) return;
    this.hooked = false;
    process.off("exit", this.atExit);
    process.off("SIGCONT", this.continued);
    process.off("SIGTSTP", this.suspendProcess);
    for (const signal of ENDINGS) process.off(signal, this.atSignal);
  }

  /** Stops this process as the shell's job; comes back when it goes on. */
  async suspend(): Promise<void> {
    const raw = this.raw;
    this.setRaw(false);
    process.kill(process.pid, "SIGSTOP");
    await new Promise((resolve) => setImmediate(resolve));
    this.setRaw(raw);
  }

  /** The keys that were pressed, for the way out. */
  watch(bytes: Uint8Array): void {
    const now = timestamp();
    for (const byte of bytes) {
      if (byte === CONTROL_C) this.controlC = [...this.controlC, now].filter((at) => at > now - CONTROL_C_MS);
      if (byte === CONTROL_BRACKET)
        this.controlBracket = [...this.controlBracket, now].filter((at) => at > now - CONTROL_BRACKET_MS);
    }
  }

  /** The program has looked after its terminal: it is not deaf to Ctrl-C. */
  heeded(): void {
    this.controlC = [];
  }

  /** The key that was pressed so often that the user wants to get out; null: none. */
  get wayOut(): "Ctrl-C" | "Ctrl-]" | null {
    if (this.controlC.length >= PRESSES) return "Ctrl-C";
    return this.controlBracket.length >= PRESSES ? "Ctrl-]" : null;
  }

  private makeRaw(): void {
    this.hook();
    if (process.platform !== "win32") {
      this.saved ??= this.stty("-g");
      if (this.saved !== null && this.stty("raw", "-echo", "-iexten") !== null) return;
      this.saved = null;
    }
    if (process.stdin.isTTY) process.stdin.setRawMode(true);
  }

  private makeCooked(): void {
    if (this.saved !== null) this.stty(this.saved);
    else if (process.stdin.isTTY) process.stdin.setRawMode(false);
  }

  /** Output of stty on the terminal; null where it fails. */
  private stty(...args: string[]): string | null {
    const { status, stdout } = childProcess().spawnSync("stty", args, {
      stdio: [this.fd, "pipe", "ignore"],
      encoding: "utf8",
    });
    return status === 0 ? stdout.trim() : null;
  }

  private hook(): void {
    if (this.hooked) return;
    this.hooked = true;
    process.on("exit", this.atExit);
    if (process.platform === "win32") return;
    process.on("SIGCONT", this.continued);
    process.on("SIGTSTP", this.suspendProcess);
    for (const signal of ENDINGS) process.on(signal, this.atSignal);
  }

  private readonly atExit = (): void => this.setRaw(false);

  private readonly atSignal = (signal: NodeJS.Signals): void => {
    this.restore();
    process.kill(process.pid, signal);
  };

  private readonly suspendProcess = (): void => void this.suspend();

  /** Who continued us may have set the terminal for themselves before. */
  private readonly continued = (): void => {
    if (this.raw) this.makeRaw();
  };
}

/** Without the carriage returns that stand before newlines. */
function uncooked(bytes: Uint8Array): Uint8Array {
  return bytes.filter((byte, i) => byte !== RETURN || bytes[i + 1] !== NEWLINE);
}

/** Opens the terminal that this process belongs to, for its keys; null where there is none. */
export function openKeys(): number | null {
  try {
    const { O_RDONLY, O_NONBLOCK, O_NOCTTY } = fs.constants;
    return fs.openSync("/dev/tty", O_RDONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}
