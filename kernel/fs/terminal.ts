import { EAGAIN, EIO } from "../errno.js";
import { HostClosed } from "../host.js";
import type { Host } from "../host.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./open-flags.js";

/**
 * The user's terminal as far as the kernel keeps it: settings, window size, foreground group. The host's own line
 * discipline edits lines and echoes; settings are remembered, and passed on where the host can be told.
 */
export class Terminal {
  /** struct termios as TCGETS gives it: four flag words, line, 19 control characters (36 bytes). */
  settings: Uint8Array = new Uint8Array(36);
  /** rows, columns, pixels (unused): what TIOCSWINSZ set, or null to ask the host. */
  window: { rows: number; columns: number } | null = null;
  foreground = 0;
  session = 0;

  constructor(readonly host: Host) {
    const view = new DataView(this.settings.buffer);
    view.setUint32(0, 0x4500, true); // ICRNL IXON IUTF8
    view.setUint32(4, 0x5, true); // OPOST ONLCR
    view.setUint32(8, 0xbf, true); // B38400 CS8 CREAD
    view.setUint32(12, 0x8a3b, true); // ISIG ICANON ECHO ECHOE ECHOK ECHOCTL ECHOKE IEXTEN
    // VINTR ^C, VQUIT ^\, VERASE ^?, VKILL ^U, VEOF ^D, VTIME 0, VMIN 1, VSWTC 0, VSTART ^Q, VSTOP ^S, VSUSP ^Z …
    this.settings.set([3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0], 17);
  }

  get size(): { rows: number; columns: number } {
    return this.window ?? this.host.terminalSize() ?? { rows: 24, columns: 80 };
  }
}

/** An open terminal: /dev/tty, or a standard descriptor that the host says is one. */
export class TerminalFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    readonly terminal: Terminal,
  ) {
    super(location, flags);
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitsOnHost(): boolean {
    return true;
  }

  override read(destination: Uint8Array): number {
    return readInput(this.terminal.host, destination);
  }

  override write(source: Uint8Array): number {
    try {
      this.terminal.host.write(1, source);
    } catch (error) {
      if (error instanceof HostClosed) return -EIO;
      throw error;
    }
    return source.length;
  }

  override poll(): number {
    const input = this.readable && this.terminal.host.stdin.ready() ? POLLIN | POLLRDNORM : 0;
    return input | (this.writable ? POLLOUT | POLLWRNORM : 0);
  }
}

/** Bytes of the host's standard input, 0 at its end, -EAGAIN when there are none yet. */
export function readInput(host: Host, destination: Uint8Array): number {
  if (destination.length === 0) return 0;
  const bytes = host.stdin.read(destination.length);
  if (bytes === "again") return -EAGAIN;
  destination.set(bytes);
  return bytes.length;
}
