/** read and write on terminals: what waits, and for how long (drivers/tty/n_tty.c: n_tty_read, n_tty_write). */

import { EAGAIN, EFAULT } from "../kernel/errno.js";
import { ERESTARTSYS } from "../kernel/restart.js";
import { SIGTTIN } from "../kernel/signals/numbers.js";
import { BLOCKED } from "../kernel/syscall-dispatch.js";
import type { PtyMasterFile } from "../kernel/tty/pty.js";
import type { TerminalFile } from "../kernel/tty/terminal-file.js";
import { ICANON, VMIN, VTIME } from "../kernel/tty/termios.js";
import type { FileWait } from "../kernel/wait.js";
import type { SyscallCall } from "./call.js";
import type { SegmentCursor } from "./files-common.js";

/** VTIME's unit: a tenth of a second, in nanoseconds. */
const TENTH = 100_000_000;
/** As much as a terminal's buffer holds: one read never gives more. */
const LARGEST_READ = 4096;

type Result = number | typeof BLOCKED;

/**
 * A read: of a line in canonical mode; else of VMIN bytes, waiting at most VTIME for the first (VMIN 0) or between
 * two of them. Bytes read before a wait are in the record, so that a signal's end of the wait gives them.
 */
export function readTerminal(call: SyscallCall, fd: number, file: TerminalFile, to: SegmentCursor): Result {
  if (file.hungUp) return 0;
  const { resumed } = call;
  // Who was sent to the background while it waited goes on waiting.
  const permitted = resumed === null ? file.permitted(SIGTTIN) : 0;
  const { total } = to;
  if (permitted < 0 || total === 0) return permitted;
  const { local, characters } = file.terminal.termios;
  const canonical = (local & ICANON) !== 0;
  const least = canonical ? 1 : Math.max(1, Math.min(characters[VMIN], total));
  const time = canonical ? 0 : characters[VTIME] * TENTH;
  const before = resumed?.kind === "file" ? resumed.progress : 0;
  to.skip(before);
  let done = before;
  const buffer = new Uint8Array(Math.min(total, LARGEST_READ));
  do {
    const count = file.take(buffer.subarray(0, Math.min(buffer.length, total - done)));
    if (count === -EAGAIN) {
      if (resumed?.timedOut || (!canonical && characters[VMIN] === 0 && time === 0)) return done;
      if (file.nonBlocking) return done > 0 ? done : -EAGAIN;
      return wait(call, fd, file, file.waitsOnHost, done, deadline());
    }
    const copied = to.put(buffer.subarray(0, count));
    done += copied;
    if (copied < count) return done > 0 ? done : -EFAULT;
  } while (!canonical && done < least);
  return done;

  /** VMIN and VTIME: from the first byte on it counts between bytes; with VMIN 0, from the call on. */
  function deadline(): number | null {
    if (time === 0 || (characters[VMIN] > 0 && done === 0)) return null;
    if (resumed !== null && done === before) return resumed.deadline;
    return call.kernel.clock.monotonic() + time;
  }
}

function wait(
  call: SyscallCall,
  fd: number,
  file: TerminalFile | PtyMasterFile,
  host: boolean,
  progress: number,
  deadline: number | null,
): typeof BLOCKED {
  const { resumed } = call;
  if (resumed?.kind === "file" && resumed.deadline === deadline) {
    resumed.progress = progress;
    call.task.waiting = resumed;
    return BLOCKED;
  }
  const record: FileWait = {
    kind: "file",
    fds: [fd],
    host,
    progress,
    deadline,
    timedOut: false,
    interrupted: ERESTARTSYS,
    queues: [file.waitQueue],
  };
  call.task.waiting = record;
  return BLOCKED;
}

/** A write, also of a master: all of it, waiting where there is no room; what went out before a signal or an error is the result. */
export function writeTerminal(
  call: SyscallCall,
  fd: number,
  file: TerminalFile | PtyMasterFile,
  from: SegmentCursor,
): Result {
  const { total } = from;
  const { resumed } = call;
  let done = resumed?.kind === "file" ? resumed.progress : 0;
  from.skip(done);
  const buffer = new Uint8Array(Math.min(total, 65536));
  do {
    const wanted = Math.min(buffer.length, total - done);
    const got = from.take(buffer.subarray(0, wanted));
    if (got === 0 && wanted > 0) return done > 0 ? done : -EFAULT;
    for (let at = 0; ;) {
      const count = file.write(buffer.subarray(at, got));
      if (count === -EAGAIN && file.nonBlocking) return done > 0 ? done : -EAGAIN;
      if (count === -EAGAIN) return wait(call, fd, file, false, done, null);
      if (count < 0) return done > 0 ? done : count;
      at += count;
      done += count;
      if (at >= got) break;
    }
    if (got < wanted) return done;
  } while (done < total);
  return done;
}
