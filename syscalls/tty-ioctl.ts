/** ioctl(2) on terminals and their masters (ioctl_tty(2); drivers/tty/tty_io.c, tty_ioctl.c, tty_jobctrl.c, pty.c). */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EIO, ENOTTY, EPERM } from "../kernel/errno.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { RLIMIT_NOFILE } from "../kernel/limits.js";
import type { Word } from "../kernel/mm/word.js";
import { SIGNAL_MAX, SIGWINCH } from "../kernel/signals/numbers.js";
import { O_CLOEXEC, O_NOCTTY } from "../kernel/fs/open-flags.js";
import { openTerminal } from "../kernel/fs/terminal-devices.js";
import { walk } from "../kernel/fs/walk.js";
import {
  checkChange,
  giveUpTerminal,
  hangUp,
  setControllingTerminal,
  setForeground,
} from "../kernel/tty/job-control.js";
import { PtyMasterFile } from "../kernel/tty/pty.js";
import { TerminalFile } from "../kernel/tty/terminal-file.js";
import type { Terminal } from "../kernel/tty/terminal.js";
import {
  CREAD,
  CS8,
  CSIZE,
  decodeTermio,
  decodeTermios,
  encodeTermio,
  encodeTermios,
  PARENB,
  TERMIO_BYTES,
  TERMIOS2_BYTES,
  TERMIOS_BYTES,
  VSTART,
  VSTOP,
} from "../kernel/tty/termios.js";
import type { SyscallCall } from "./call.js";

export const TTY_REQUESTS = {
  TCGETS: 0x5401,
  TCSETS: 0x5402,
  TCSETSW: 0x5403,
  TCSETSF: 0x5404,
  TCGETA: 0x5405,
  TCSETA: 0x5406,
  TCSETAW: 0x5407,
  TCSETAF: 0x5408,
  TCSBRK: 0x5409,
  TCXONC: 0x540a,
  TCFLSH: 0x540b,
  TIOCEXCL: 0x540c,
  TIOCNXCL: 0x540d,
  TIOCSCTTY: 0x540e,
  TIOCGPGRP: 0x540f,
  TIOCSPGRP: 0x5410,
  TIOCOUTQ: 0x5411,
  TIOCSTI: 0x5412,
  TIOCGWINSZ: 0x5413,
  TIOCSWINSZ: 0x5414,
  FIONREAD: 0x541b,
  TIOCPKT: 0x5420,
  TIOCNOTTY: 0x5422,
  TIOCSETD: 0x5423,
  TIOCGETD: 0x5424,
  TCSBRKP: 0x5425,
  TIOCSBRK: 0x5427,
  TIOCCBRK: 0x5428,
  TIOCGSID: 0x5429,
  TCGETS2: 0x802c542a,
  TCSETS2: 0x402c542b,
  TCSETSW2: 0x402c542c,
  TCSETSF2: 0x402c542d,
  TIOCGPTN: 0x80045430,
  TIOCSPTLCK: 0x40045431,
  TIOCGDEV: 0x80045432,
  TIOCSIG: 0x40045436,
  TIOCVHANGUP: 0x5437,
  TIOCGPKT: 0x80045438,
  TIOCGPTLCK: 0x80045439,
  TIOCGEXCL: 0x80045440,
  TIOCGPTPEER: 0x5441,
} as const;
const R = TTY_REQUESTS;

const TCIFLUSH = 0;
const TCOFLUSH = 1;
const TCIOFLUSH = 2;
const TCOOFF = 0;
const TCOON = 1;
const TCIOFF = 2;
const TCION = 3;

/** One request on a terminal, in progress. */
interface Request {
  readonly call: SyscallCall;
  readonly file: TerminalFile | PtyMasterFile;
  /** The terminal itself; of a master, the one at its other end. */
  readonly terminal: Terminal;
  readonly master: PtyMasterFile | null;
  readonly number: number;
  readonly address: Word;
}

/** The answer of a terminal or a master; null for a file that is neither. */
export function terminalIoctl(call: SyscallCall, file: OpenFile, number: number): number | null {
  const master = file instanceof PtyMasterFile ? file : null;
  const slave = file instanceof TerminalFile ? file : null;
  const either = master ?? slave;
  if (either === null) return null;
  if (slave?.hungUp) return number === R.TIOCSPGRP ? -ENOTTY : -EIO;
  const terminal = master?.pty.terminal ?? slave!.terminal;
  const request = { call, file: either, terminal, master, number, address: call.word(2) };
  return settings(request) ?? control(request) ?? queues(request) ?? masters(request) ?? others(request);
}

const getInt = ({ call, address }: Request): number | null => call.user.readI32(address);
const put = ({ call, address }: Request, bytes: Uint8Array): number =>
  call.user.writeBytes(address, bytes) ? 0 : -EFAULT;
const putInt = ({ call, address }: Request, value: number): number =>
  call.user.writeI32(address, value) ? 0 : -EFAULT;
const mayAll = ({ call }: Request): boolean => hasCapability(call.task.credentials, CAP_SYS_ADMIN);

/** termios, in its three sizes, and the window. */
function settings(request: Request): number | null {
  const { terminal, number } = request;
  switch (number) {
    case R.TCGETS:
      return put(request, encodeTermios(terminal.termios, TERMIOS_BYTES));
    case R.TCGETS2:
      return put(request, encodeTermios(terminal.termios, TERMIOS2_BYTES));
    case R.TCGETA:
      return put(request, encodeTermio(terminal.termios));
    case R.TCSETS:
    case R.TCSETSW:
    case R.TCSETSF:
      return setTermios(request, TERMIOS_BYTES, number === R.TCSETSF);
    case R.TCSETS2:
    case R.TCSETSW2:
    case R.TCSETSF2:
      return setTermios(request, TERMIOS2_BYTES, number === R.TCSETSF2);
    case R.TCSETA:
    case R.TCSETAW:
    case R.TCSETAF:
      return setTermios(request, TERMIO_BYTES, number === R.TCSETAF);
    case R.TIOCGWINSZ: {
      const { rows, columns, xPixels, yPixels } = terminal.window;
      return put(request, new Uint8Array(Uint16Array.of(rows, columns, xPixels, yPixels).buffer));
    }
    case R.TIOCSWINSZ:
      return setWindow(request);
    default:
      return null;
  }
}

function setTermios(request: Request, bytes: number, flush: boolean): number {
  const { call, terminal, address } = request;
  const permitted = checkChange(call.kernel, terminal);
  if (permitted < 0) return permitted;
  const given = call.user.read(address, bytes);
  if (typeof given === "number") return -EFAULT;
  const old = terminal.termios;
  const asked = bytes === TERMIO_BYTES ? decodeTermio(given, old) : decodeTermios(given, old);
  if (flush) terminal.flushInput();
  terminal.terminals.host?.settingsAsked(terminal);
  // A pty has eight bits and no parity, whatever is asked for (pty_set_termios).
  const control = (asked.control & ~(CSIZE | PARENB)) | CS8 | CREAD;
  terminal.setTermios({ ...asked, control: control >>> 0, line: asked.line });
  return 0;
}

function setWindow({ call, terminal, address }: Request): number {
  const bytes = call.user.read(address, 8);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [rows, columns, xPixels, yPixels] = [0, 2, 4, 6].map((at) => view.getUint16(at, true));
  if (terminal.setWindow({ rows, columns, xPixels, yPixels })) terminal.signal(SIGWINCH);
  return 0;
}

/** Whose controlling terminal it is, and which group is in the foreground. */
function control(request: Request): number | null {
  const { call, file, terminal, number, master } = request;
  const { kernel, task } = call;
  // Asked of the terminal itself it must be the caller's; the master may ask about any.
  const foreign = master === null && task.process.controllingTerminal !== terminal;
  switch (number) {
    case R.TIOCSCTTY:
      return setControllingTerminal(kernel, task, terminal, file.readable, call.u64(2) === 1n);
    case R.TIOCNOTTY:
      return master === null ? giveUpTerminal(kernel, task.process, terminal) : -ENOTTY;
    case R.TIOCGPGRP:
      return foreign ? -ENOTTY : putInt(request, terminal.foreground);
    case R.TIOCSPGRP: {
      const permitted = checkChange(kernel, terminal);
      if (permitted < 0) return permitted === -EIO ? -ENOTTY : permitted;
      const group = getInt(request);
      if (group === null) return -EFAULT;
      return group < 0 ? -EINVAL : setForeground(kernel, terminal, group);
    }
    case R.TIOCGSID:
      return foreign || terminal.session === 0 ? -ENOTTY : putInt(request, terminal.session);
    case R.TIOCEXCL:
      terminal.exclusive = true;
      return 0;
    case R.TIOCNXCL:
      terminal.exclusive = false;
      return 0;
    case R.TIOCGEXCL:
      return putInt(request, terminal.exclusive ? 1 : 0);
    case R.TIOCVHANGUP:
      if (!mayAll(request)) return -EPERM;
      hangUp(kernel, terminal);
      return 0;
    default:
      return null;
  }
}

/** What is on its way in and out. */
function queues(request: Request): number | null {
  const { call, terminal, master, number } = request;
  switch (number) {
    case R.FIONREAD:
      if (master !== null) return putInt(request, master.pty.waiting);
      terminal.terminals.host?.attend(terminal);
      return putInt(request, terminal.discipline.waiting);
    case R.TIOCOUTQ:
      return putInt(request, 0);
    case R.TCFLSH:
      return flush(request, call.u64(2));
    case R.TCXONC:
      return flow(request, call.u64(2));
    case R.TCSBRK:
    case R.TCSBRKP:
    case R.TIOCSBRK:
    case R.TIOCCBRK:
      // There is no line to break; what was written has gone out.
      return checkChange(call.kernel, terminal);
    case R.TIOCSTI: {
      if (!mayAll(request) && call.task.process.controllingTerminal !== terminal) return -EPERM;
      const byte = call.user.read(request.address, 1);
      if (typeof byte === "number") return -EFAULT;
      if (master === null) terminal.receive(byte);
      else master.pty.send(byte);
      return 0;
    }
    default:
      return null;
  }
}

function flush({ call, terminal, master }: Request, which: bigint): number {
  if (master === null) {
    const permitted = checkChange(call.kernel, terminal);
    if (permitted < 0) return permitted;
  }
  if (which > BigInt(TCIOFLUSH)) return -EINVAL;
  const input = which !== BigInt(TCOFLUSH);
  const output = which !== BigInt(TCIFLUSH);
  if (master === null) {
    if (input) terminal.flushInput();
    if (output) terminal.flushOutput();
  } else {
    if (input) master.pty.flushWritten();
    if (output) terminal.discardPending();
  }
  return 0;
}

function flow({ call, terminal, master }: Request, action: bigint): number {
  if (master === null) {
    const permitted = checkChange(call.kernel, terminal);
    if (permitted < 0) return permitted;
  }
  const { output, termios } = terminal;
  switch (Number(action)) {
    case TCOOFF:
      if (master === null && !output.stoppedByCall) {
        terminal.stop();
        output.stoppedByCall = true;
      }
      return 0;
    case TCOON:
      if (master === null && output.stoppedByCall) {
        output.stoppedByCall = false;
        terminal.start();
      }
      return 0;
    case TCIOFF:
    case TCION: {
      const byte = termios.characters[Number(action) === TCIOFF ? VSTOP : VSTART];
      if (byte !== 0 && master === null) output.port.send(Uint8Array.of(byte));
      return 0;
    }
    default:
      return -EINVAL;
  }
}

/** What only a pty's master can be asked. */
function masters(request: Request): number | null {
  const { call, master, number } = request;
  if (master === null) return null;
  const { pty } = master;
  switch (number) {
    case R.TIOCGPTN:
      return putInt(request, pty.number);
    case R.TIOCSPTLCK:
    case R.TIOCPKT: {
      const value = getInt(request);
      if (value === null) return -EFAULT;
      if (number === R.TIOCSPTLCK) pty.locked = value !== 0;
      else {
        if (value !== 0 && !pty.packet) pty.packetStatus = 0;
        pty.packet = value !== 0;
      }
      return 0;
    }
    case R.TIOCGPTLCK:
      return putInt(request, pty.locked ? 1 : 0);
    case R.TIOCGPKT:
      return putInt(request, pty.packet ? 1 : 0);
    case R.TIOCSIG: {
      const signal = call.u32(2);
      if (signal < 1 || signal > SIGNAL_MAX) return -EINVAL;
      pty.terminal.signal(signal);
      return 0;
    }
    case R.TIOCGPTPEER:
      return openPeer(call, pty.terminal, call.u32(2));
    default:
      return null;
  }
}

/** The terminal of a master, opened without a path; the flags are open(2)'s. */
function openPeer(call: SyscallCall, terminal: Terminal, flags: number): number {
  const { namespace } = call.task.fs;
  const found = walk(namespace.setupStart(), `/dev/pts/${terminal.device.minor}`, true);
  if (typeof found === "number") return found;
  const status = flags & ~(O_CLOEXEC | O_NOCTTY);
  const file = openTerminal(terminal, found.location, status, (flags & O_NOCTTY) !== 0);
  if (typeof file === "number") return file;
  const fd = call.task.files.install(file, (flags & O_CLOEXEC) !== 0, call.task.limits.soft(RLIMIT_NOFILE));
  if (fd < 0) file.hold().release();
  return fd;
}

function others(request: Request): number {
  const { terminal, number, call } = request;
  switch (number) {
    case R.TIOCGETD:
      return putInt(request, 0);
    case R.TIOCSETD: {
      const permitted = checkChange(call.kernel, terminal);
      if (permitted < 0) return permitted;
      const discipline = getInt(request);
      if (discipline === null) return -EFAULT;
      return discipline === 0 ? 0 : -EINVAL;
    }
    case R.TIOCGDEV: {
      const { major, minor } = request.master === null ? terminal.device : { major: 5, minor: 2 };
      return putInt(request, (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12));
    }
    default:
      return -ENOTTY;
  }
}
