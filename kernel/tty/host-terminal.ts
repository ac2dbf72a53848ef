import { SIGWINCH } from "../signals/numbers.js";
import type { Host, HostTerminalPort } from "../host.js";
import { HostClosed, HostRefused } from "../host.js";
import { hangUp } from "./job-control.js";
import type { OutputPort } from "./output.js";
import { Terminal } from "./terminal.js";
import type { WindowSize } from "./terminal.js";
import type { Terminals } from "./terminals.js";
import { DISABLED, ECHO, ECHONL, standardTermios, VEOF } from "./termios.js";

const PTS_MAJOR = 136;
const CHUNK = 4096;
const NEWLINE = 0x0a;

/**
 * The user's own terminal as the guest's /dev/pts/0. The host's terminal is left alone until a program reads from
 * it, writes a prompt to it, or changes its settings; from then on keys come as they are pressed, and editing, echo and signals are made
 * here.
 */
export class HostTerminal implements OutputPort {
  readonly terminal: Terminal;
  /** The host's terminal gives raw keys. */
  raw = false;
  /** How often a program asked for input: it looks after the terminal. */
  attended = 0;
  private readonly port: HostTerminalPort;

  constructor(
    terminals: Terminals,
    private readonly host: Host,
  ) {
    this.port = host.terminal ?? {
      input: host.stdin,
      write: (bytes) => host.write(1, bytes),
      setRaw: () => {},
    };
    this.terminal = new Terminal(terminals, { major: PTS_MAJOR, minor: 0 }, this);
    this.terminal.termios = standardTermios(true);
    this.terminal.window = this.size();
  }

  private size(): WindowSize {
    const size = this.host.terminalSize() ?? { rows: 24, columns: 80 };
    return { ...size, xPixels: 0, yPixels: 0 };
  }

  get room(): number {
    return CHUNK;
  }

  send(bytes: Uint8Array): void {
    // A line without end is a prompt: what is answered must come to us.
    if (!this.raw && bytes[bytes.length - 1] !== NEWLINE && this.port.inForeground?.() === true)
      this.takeOver();
    try {
      this.port.write(bytes);
    } catch (error) {
      if (!(error instanceof HostClosed || error instanceof HostRefused)) throw error;
      this.lost();
    }
  }

  discard(): void {}

  /** Waiting for this terminal is waiting for the host's standard input. */
  waitsOnStandardInput(terminal: Terminal): boolean {
    return terminal === this.terminal && this.port.input === this.host.stdin;
  }

  /** A program wants input of a terminal: if it is this one, what keys there are come in. */
  attend(terminal: Terminal): void {
    if (terminal !== this.terminal) return;
    this.attended++;
    this.takeOver();
    this.pump();
  }

  /** A program changes the settings: they take effect here, not on the host. */
  settingsAsked(terminal: Terminal): void {
    if (terminal === this.terminal) this.takeOver();
  }

  takeOver(): void {
    const { terminal } = this;
    if (this.raw || terminal.dead) return;
    this.raw = true;
    const before = terminal.termios;
    // Whole lines that were typed before: the host has echoed them.
    const lines = this.keys(before.characters[VEOF]);
    terminal.termios = { ...before, local: before.local & ~(ECHO | ECHONL) };
    terminal.receive(lines);
    terminal.termios = before;
    this.port.setRaw(true);
    // An end of file that had not been read has become a NUL on the host.
    terminal.receive(this.keys().map((key) => (key === DISABLED ? before.characters[VEOF] : key)));
  }

  /** Takes in the keys that were pressed. To be called now and then: Ctrl-C comes this way. */
  pump(): void {
    if (this.raw && !this.terminal.dead && this.terminal.receptive) this.terminal.receive(this.keys());
  }

  /**
   * All at once: a signal key takes back the echo of what came together with it.
   * @param endKey what stands for an end of input; without it that is the terminal's loss
   */
  private keys(endKey?: number): Uint8Array {
    const { input } = this.port;
    const keys: number[] = [];
    while (keys.length < CHUNK && input.ready()) {
      const bytes = input.read(CHUNK - keys.length);
      if (bytes === "again") break;
      if (bytes.length === 0) {
        if (endKey === undefined) this.lost();
        else keys.push(endKey);
        break;
      }
      keys.push(...bytes);
    }
    return Uint8Array.from(keys);
  }

  /** The host's window has another size now. */
  resized(): void {
    if (this.terminal.setWindow(this.size())) this.terminal.signal(SIGWINCH);
  }

  private lost(): void {
    if (this.terminal.dead) return;
    this.terminal.dead = true;
    hangUp(this.terminal.terminals.kernel, this.terminal);
  }
}
