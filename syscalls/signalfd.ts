/** signalfd and signalfd4 (fs/signalfd.c). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { O_CLOEXEC, O_NONBLOCK } from "../kernel/fs/open-flags.js";
import { SignalFile } from "../kernel/fs/signal-file.js";
import { SIGKILL, SIGSTOP } from "../kernel/signals/numbers.js";
import { SignalSet } from "../kernel/signals/signal-set.js";
import { fd, flags, length, names, signalSetIn } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit, fileOf } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { define, type Definition } from "./table.js";

const SIGSET_BYTES = 8;
const UNBLOCKABLE = SignalSet.of(SIGKILL, SIGSTOP);
const FLAGS = names("SFD_???", { SFD_CLOEXEC: O_CLOEXEC, SFD_NONBLOCK: O_NONBLOCK });

/** EINVAL (size), EFAULT, EINVAL (flags), EBADF, EINVAL (no signalfd). */
function signalfd(call: SyscallCall, bits: number): number {
  if (call.n(2) !== SIGSET_BYTES) return -EINVAL;
  const bytes = call.user.read(call.word(1), SIGSET_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  if ((bits & ~(O_CLOEXEC | O_NONBLOCK)) !== 0) return -EINVAL;
  const signals = SignalSet.fromBytes(bytes);
  signals.deleteAll(UNBLOCKABLE);
  const number = call.fd(0);
  if (number === -1) {
    const location = internalLocation(call, () => "anon_inode:[signalfd]", 0o600);
    const made = new SignalFile(location, bits & O_NONBLOCK, call.kernel, signals);
    return call.task.files.install(made, (bits & O_CLOEXEC) !== 0, descriptorLimit(call));
  }
  const file = fileOf(call, number);
  if (typeof file === "number") return file;
  if (!(file instanceof SignalFile)) return -EINVAL;
  file.signals = signals;
  file.waitQueue.wake();
  return number;
}

const common = [fd("fd"), signalSetIn("mask", 2), length("sizemask")] as const;

export const signalfdSyscalls: readonly Definition[] = [
  define({
    number: 282,
    name: "signalfd",
    args: common,
    returns: "fd",
    handler: (call) => signalfd(call, 0),
  }),
  define({
    number: 289,
    name: "signalfd4",
    args: [...common, flags("flags", FLAGS, "0")],
    returns: "fd",
    handler: (call) => signalfd(call, call.i32(3)),
  }),
];
