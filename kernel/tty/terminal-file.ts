import { EAGAIN, EIO } from "../errno.js";
import type { Location } from "../fs/mount.js";
import { OpenFile } from "../fs/open-file.js";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import { SIGTTIN, SIGTTOU } from "../signals/numbers.js";
import type { WaitQueue } from "../wait-queue.js";
import { checkBackground } from "./job-control.js";
import type { Terminal } from "./terminal.js";
import { ICANON, TOSTOP, VMIN, VTIME } from "./termios.js";

const HUNG_UP = POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;

/** An open terminal: /dev/pts/N, /dev/tty, or a standard descriptor that the host says is one. */
export class TerminalFile extends OpenFile {
  /** Its terminal was hung up: reads end, all else is EIO. */
  hungUp = false;

  constructor(
    location: Location,
    flags: number,
    readonly terminal: Terminal,
  ) {
    super(location, flags);
    if (this.isPath) return;
    terminal.files.add(this);
    terminal.otherSide?.opened();
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitsOnHost(): boolean {
    return this.terminal.terminals.host?.waitsOnStandardInput(this.terminal) ?? false;
  }
  override get waitQueue(): WaitQueue {
    return this.terminal.waitQueue;
  }

  /** May the caller read now, or write? 0, -EIO, or -ERESTARTSYS when a stop signal was sent instead. */
  permitted(signal: typeof SIGTTIN | typeof SIGTTOU): number {
    const { terminals } = this.terminal;
    return terminals.kernel === null ? 0 : checkBackground(terminals.kernel, this.terminal, signal);
  }

  /** What is there, without waiting for VMIN bytes or VTIME. -EAGAIN where there is nothing. */
  override read(destination: Uint8Array): number {
    if (this.hungUp) return 0;
    const permitted = this.permitted(SIGTTIN);
    if (permitted < 0 || destination.length === 0) return permitted;
    const count = this.take(destination);
    if (count !== -EAGAIN) return count;
    const { local, characters } = this.terminal.termios;
    return (local & ICANON) === 0 && characters[VMIN] === 0 && characters[VTIME] === 0 ? 0 : -EAGAIN;
  }

  /** Bytes for a reader that may read, or -EAGAIN. */
  take(destination: Uint8Array): number {
    const { terminal } = this;
    terminal.terminals.host?.attend(terminal);
    if (!terminal.discipline.available(false)) return -EAGAIN;
    const count = terminal.discipline.take(destination);
    terminal.takePending();
    return count;
  }

  override write(source: Uint8Array): number {
    if (this.hungUp) return -EIO;
    const { terminal } = this;
    if ((terminal.termios.local & TOSTOP) !== 0) {
      const permitted = this.permitted(SIGTTOU);
      if (permitted < 0) return permitted;
    }
    terminal.discipline.echo.process();
    if (source.length === 0) return 0;
    const count = terminal.output.write(source);
    return count === 0 ? -EAGAIN : count;
  }

  override poll(): number {
    if (this.hungUp) return HUNG_UP;
    const { terminal } = this;
    let events = 0;
    if (this.readable) {
      terminal.terminals.host?.attend(terminal);
      if (terminal.discipline.available(true)) events |= POLLIN | POLLRDNORM;
    }
    if (this.writable && terminal.output.room > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  protected override close(): void {
    if (this.isPath) return;
    this.terminal.files.delete(this);
    if (this.terminal.files.size === 0) this.terminal.otherSide?.lastClosed();
  }
}
