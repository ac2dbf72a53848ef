/** ioctl: terminals, and the few requests that every file knows (drivers/tty/tty_io.c, fs/ioctl.c). */

import { EFAULT, EINVAL, ENOTTY, EPERM } from "../kernel/errno.js";
import { O_ASYNC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { StreamFile } from "../kernel/fs/stream-file.js";
import { TerminalFile } from "../kernel/fs/terminal.js";
import { choice, dependent, fd, names } from "./argument.js";
import type { ArgumentKind } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSW = 0x5403;
const TCSETSF = 0x5404;
const TCSBRK = 0x5409;
const TCXONC = 0x540a;
const TCFLSH = 0x540b;
const TIOCSCTTY = 0x540e;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCOUTQ = 0x5411;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const TIOCNOTTY = 0x5422;
const TIOCGSID = 0x5429;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIOASYNC = 0x5452;
const TERMIOS_BYTES = 36;

function ioctl(call: SyscallCall): number {
  const number = call.fd(0);
  const file = fileOf(call, number);
  if (typeof file === "number") return file;
  const request = call.u32(1);
  switch (request) {
    case FIOCLEX:
    case FIONCLEX:
      call.task.files.setCloseOnExec(number, request === FIOCLEX);
      return 0;
    case FIONBIO:
    case FIOASYNC: {
      const value = call.user.readI32(call.word(2));
      if (value === null) return -EFAULT;
      const bit = request === FIONBIO ? O_NONBLOCK : O_ASYNC;
      file.flags = value === 0 ? file.flags & ~bit : file.flags | bit;
      return 0;
    }
    case FIONREAD: {
      const waiting = bytesWaiting(file);
      if (waiting === null) return -ENOTTY;
      return call.user.writeI32(call.word(2), waiting) ? 0 : -EFAULT;
    }
  }
  return file instanceof TerminalFile ? terminal(call, file, request) : -ENOTTY;
}

function bytesWaiting(file: OpenFile): number | null {
  if (file instanceof PipeFile) return file.pipe.length;
  // How much the host has is not known; whether it has something is.
  if (file instanceof TerminalFile || (file instanceof StreamFile && file.waitsOnHost))
    return (file.poll() & 1) !== 0 ? 1 : 0;
  if (file.seekable && file.node.isRegular) return file.node.size - file.position;
  return null;
}

function terminal(call: SyscallCall, file: TerminalFile, request: number): number {
  const { terminal: tty } = file;
  const address = call.word(2);
  const { process } = call.task;
  const put = (bytes: Uint8Array): number => (call.user.writeBytes(address, bytes) ? 0 : -EFAULT);
  const putInt = (value: number): number => (call.user.writeI32(address, value) ? 0 : -EFAULT);
  switch (request) {
    case TCGETS:
      return put(tty.settings);
    case TCSETS:
    case TCSETSW:
    case TCSETSF: {
      const bytes = call.user.read(address, TERMIOS_BYTES);
      if (typeof bytes === "number") return -EFAULT;
      tty.settings = bytes;
      return 0;
    }
    case TIOCGWINSZ: {
      const { rows, columns } = tty.size;
      return put(new Uint8Array(Uint16Array.of(rows, columns, 0, 0).buffer));
    }
    case TIOCSWINSZ: {
      const bytes = call.user.read(address, 8);
      if (typeof bytes === "number") return -EFAULT;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      tty.window = { rows: view.getUint16(0, true), columns: view.getUint16(2, true) };
      return 0;
    }
    case TIOCGPGRP:
      return putInt(tty.foreground || process.processGroup);
    case TIOCSPGRP: {
      const group = call.user.readI32(address);
      if (group === null) return -EFAULT;
      if (group < 0) return -EINVAL;
      if (
        group !== process.processGroup &&
        ![...call.kernel.tasks.values()].some((t) => t.process.processGroup === group)
      )
        return -EPERM;
      tty.foreground = group;
      return 0;
    }
    case TIOCGSID:
      return putInt(tty.session || process.session);
    case TIOCSCTTY:
    case TIOCNOTTY:
    case TCSBRK:
    case TCXONC:
    case TCFLSH:
      return 0;
    case TIOCOUTQ:
      return putInt(0);
    default:
      return -EINVAL;
  }
}

const REQUESTS = names("???", {
  TCGETS,
  TCSETS,
  TCSETSW,
  TCSETSF,
  TCSBRK,
  TCXONC,
  TCFLSH,
  TIOCSCTTY,
  TIOCGPGRP,
  TIOCSPGRP,
  TIOCOUTQ,
  TIOCGWINSZ,
  TIOCSWINSZ,
  FIONREAD,
  FIONBIO,
  TIOCNOTTY,
  TIOCGSID,
  FIONCLEX,
  FIOCLEX,
  FIOASYNC,
});
const termios = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "termios", direction });
const winsize = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "winsize", direction });
const integer = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "int", direction });

export const ioctlSyscalls: readonly Definition[] = [
  define({
    number: 16,
    name: "ioctl",
    args: [
      fd("fd"),
      choice("request", REQUESTS),
      dependent("arg", 1, [
        [TCGETS, termios("out")],
        [TCSETS, termios("in")],
        [TCSETSW, termios("in")],
        [TCSETSF, termios("in")],
        [TIOCGWINSZ, winsize("out")],
        [TIOCSWINSZ, winsize("in")],
        [TIOCGPGRP, integer("out")],
        [TIOCSPGRP, integer("in")],
        [TIOCGSID, integer("out")],
        [FIONREAD, integer("out")],
        [FIONBIO, integer("in")],
      ]),
    ],
    handler: ioctl,
  }),
];
