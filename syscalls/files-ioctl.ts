/** ioctl: terminals, and the few requests that every file knows (drivers/tty/tty_io.c, fs/ioctl.c). */

import { BlockFile } from "../kernel/block/block-file.js";
import { LoopControlFile } from "../kernel/block/loop-control.js";
import { CAP_SYS_RAWIO } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, ENOTTY, EPERM } from "../kernel/errno.js";
import { UserfaultDevice } from "../kernel/fs/device-files.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { O_ASYNC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { PerfFile } from "../kernel/fs/perf-file.js";
import { PipeFile } from "../kernel/fs/pipe.js";
import { StreamFile } from "../kernel/fs/stream-file.js";
import { UserfaultFile } from "../kernel/fs/userfault-file.js";
import { PERF_REQUESTS } from "../kernel/perf/uapi.js";
import { SeccompListenerFile } from "../kernel/seccomp/listener-file.js";
import { SocketFile } from "../kernel/net/socket-file.js";
import { choice, dependent, fd, names } from "./argument.js";
import type { ArgumentKind } from "./argument.js";
import { blockIoctl, BLOCK_REQUESTS } from "./block-ioctl.js";
import type { SyscallCall } from "./call.js";
import { fileOf } from "./files-common.js";
import { loopControlIoctl, LOOP_REQUESTS } from "./loop-ioctl.js";
import { perfIoctl } from "./perf-ioctl.js";
import { procIoctl } from "./proc-ioctl.js";
import { listenerIoctl, SECCOMP_REQUESTS } from "./seccomp-listener.js";
import { terminalIoctl, TTY_REQUESTS } from "./tty-ioctl.js";
import { socketIoctl } from "./sockets-ioctl.js";
import { USERFAULT_REQUESTS, userfaultDeviceIoctl, userfaultIoctl } from "./userfault.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const FIBMAP = 1;
const FIONREAD = 0x541b;
const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
const FIOASYNC = 0x5452;

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
  }
  if (file instanceof BlockFile) return blockIoctl(call, file, request);
  if (file instanceof LoopControlFile) return loopControlIoctl(call, request);
  const answer = terminalIoctl(call, file, request);
  if (answer !== null) return answer;
  const about = procIoctl(call, file, request);
  if (about !== null) return about;
  if (file instanceof UserfaultFile) return userfaultIoctl(call, file, request);
  if (file instanceof SeccompListenerFile) return listenerIoctl(call, file, request);
  if (file instanceof UserfaultDevice) return userfaultDeviceIoctl(call, request);
  if (file instanceof PerfFile) return perfIoctl(call, file, request);
  if (file instanceof SocketFile) return socketIoctl(call, file, request);
  if (request === FIBMAP && file.node instanceof RegularInode) return blockOf(call, file.node);
  if (request !== FIONREAD) return -ENOTTY;
  const waiting = bytesWaiting(file);
  if (waiting === null) return -ENOTTY;
  return call.user.writeI32(call.word(2), waiting) ? 0 : -EFAULT;
}

/** FIBMAP: EPERM without CAP_SYS_RAWIO, EFAULT, EINVAL (ioctl_fibmap). */
function blockOf(call: SyscallCall, node: RegularInode): number {
  if (!hasCapability(call.task.credentials, CAP_SYS_RAWIO)) return -EPERM;
  const block = call.user.readI32(call.word(2));
  if (block === null) return -EFAULT;
  const found = block < 0 ? -EINVAL : (node.blockAt?.(block) ?? -EINVAL);
  if (found < 0) return found;
  return call.user.writeI32(call.word(2), found) ? 0 : -EFAULT;
}

function bytesWaiting(file: OpenFile): number | null {
  if (file instanceof PipeFile) return file.pipe.length;
  // How much the host has is not known; whether it has something is.
  if (file instanceof StreamFile && file.waitsOnHost) return (file.poll() & 1) !== 0 ? 1 : 0;
  if (file.seekable && file.node.isRegular) return file.node.size - file.position;
  return null;
}

const REQUESTS = names("???", {
  ...TTY_REQUESTS,
  ...USERFAULT_REQUESTS,
  ...BLOCK_REQUESTS,
  ...LOOP_REQUESTS,
  ...PERF_REQUESTS,
  ...SECCOMP_REQUESTS,
  FIBMAP,
  FIONBIO,
  FIONCLEX,
  FIOCLEX,
  FIOASYNC,
});
const termios = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "termios", direction });
const winsize = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "winsize", direction });
const integer = (direction: "in" | "out"): ArgumentKind => ({ kind: "struct", struct: "int", direction });

const R = TTY_REQUESTS;
const of = (kind: ArgumentKind, ...requests: number[]): [number, ArgumentKind][] =>
  requests.map((request) => [request, kind]);

export const ioctlSyscalls: readonly Definition[] = [
  define({
    number: 16,
    name: "ioctl",
    args: [
      fd("fd"),
      choice("request", REQUESTS),
      dependent("arg", 1, [
        ...of(termios("out"), R.TCGETS),
        ...of(termios("in"), R.TCSETS, R.TCSETSW, R.TCSETSF),
        ...of(winsize("out"), R.TIOCGWINSZ),
        ...of(winsize("in"), R.TIOCSWINSZ),
        ...of(integer("out"), R.TIOCGPGRP, R.TIOCGSID, R.FIONREAD, R.TIOCOUTQ, R.TIOCGPTN),
        ...of(integer("in"), R.TIOCSPGRP, R.TIOCSPTLCK, R.TIOCPKT),
        [FIONBIO, integer("in")],
      ]),
    ],
    handler: ioctl,
  }),
];
