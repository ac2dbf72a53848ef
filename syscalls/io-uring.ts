/** io_uring_setup (io_uring/io_uring.c); io_uring_enter and io_uring_register stand in files of their own. */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, ENOMEM, EPERM } from "../kernel/errno.js";
import { RingFile } from "../kernel/io-uring/ring-file.js";
import { RingPages } from "../kernel/io-uring/ring-pages.js";
import * as uapi from "../kernel/io-uring/uapi.js";
import { address, choice, fd, flags, hex, int, length, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { enter } from "./io-uring-enter.js";
import { RequestIssuer } from "./io-uring-issuer.js";
import { register, REGISTER_OPERATIONS } from "./io-uring-register.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";

const PARAMS_BYTES = 120;
/** IORING_MAX_ENTRIES and IORING_MAX_CQ_ENTRIES. */
const MAX_ENTRIES = 32768;
const MAX_CQ_ENTRIES = 65536;

const KNOWN_FLAGS =
  uapi.IORING_SETUP_CQSIZE |
  uapi.IORING_SETUP_CLAMP |
  uapi.IORING_SETUP_R_DISABLED |
  uapi.IORING_SETUP_SUBMIT_ALL |
  uapi.IORING_SETUP_COOP_TASKRUN |
  uapi.IORING_SETUP_SINGLE_ISSUER |
  uapi.IORING_SETUP_DEFER_TASKRUN |
  uapi.IORING_SETUP_NO_SQARRAY;

/**
 * IORING_FEAT_*: SINGLE_MMAP, NODROP, SUBMIT_STABLE, RW_CUR_POS, CUR_PERSONALITY, FAST_POLL, EXT_ARG,
 * CQE_SKIP, LINKED_FILE.
 */
const FEATURES = 0x3f | (1 << 8) | (1 << 11) | (1 << 12);

const ENTER_FLAGS = names("IORING_ENTER_???", {
  IORING_ENTER_GETEVENTS: 1,
  IORING_ENTER_SQ_WAKEUP: 2,
  IORING_ENTER_SQ_WAIT: 4,
  IORING_ENTER_EXT_ARG: 8,
  IORING_ENTER_REGISTERED_RING: 16,
  IORING_ENTER_ABS_TIMER: 32,
});

const powerOfTwo = (value: number): number => 2 ** Math.ceil(Math.log2(value));

/** kernel.io_uring_disabled: 1 leaves it to the privileged and a group, 2 to nobody (io_uring_allowed). */
function allowed(call: SyscallCall): boolean {
  const { tunables } = call.kernel;
  const disabled = Number(tunables.get("kernel/io_uring_disabled") ?? 0);
  if (disabled === 0) return true;
  if (disabled === 2) return false;
  const { credentials } = call.task;
  const group = Number(tunables.get("kernel/io_uring_group") ?? -1);
  return (
    hasCapability(credentials, CAP_SYS_ADMIN) ||
    (group >= 0 && (credentials.egid === group || credentials.groups.includes(group)))
  );
}

/** EPERM, EFAULT, EINVAL (reserved fields, flags, entries), ENOMEM, EMFILE; EFAULT for what cannot be written back. */
function setup(call: SyscallCall): number {
  const refuse = (rule: string, errno: number, text: string): number =>
    call.mm.refuse(`io_uring.${rule}`, errno, () => ({ text, source: "io_uring_setup" }));
  if (!allowed(call)) return refuse("disabled", EPERM, "kernel.io_uring_disabled forbids it");
  const view = readView(call.user, call.word(1), PARAMS_BYTES);
  if (typeof view === "number") return -EFAULT;
  for (let at = 28; at < 40; at += 4)
    if (view.getUint32(at, true) !== 0) return refuse("reserved", EINVAL, "a reserved field is not 0");
  const bits = view.getUint32(8, true);
  if ((bits & ~KNOWN_FLAGS) !== 0) return refuse("flags", EINVAL, "a flag that this kernel does not know");
  if ((bits & uapi.IORING_SETUP_DEFER_TASKRUN) !== 0 && (bits & uapi.IORING_SETUP_SINGLE_ISSUER) === 0)
    return refuse("flags", EINVAL, "DEFER_TASKRUN needs SINGLE_ISSUER");
  const shape = shapeOf(bits, call.u32(0), view.getUint32(4, true));
  if (shape === null) return refuse("entries", EINVAL, "no ring has as many entries");
  const { array, sqEntries, cqEntries } = shape;
  const ringBytes = uapi.RINGS.cqes + cqEntries * uapi.CQE_BYTES + (array === 0 ? 0 : sqEntries * 4);
  const pages = new RingPages(call.kernel.frames, ringBytes, sqEntries * uapi.SQE_BYTES);
  if (!pages.create()) return -ENOMEM;
  const location = internalLocation(call, () => "anon_inode:[io_uring]", 0o600);
  const file = new RingFile(location, call.kernel, new RequestIssuer(), shape, pages).hold();
  file.disabled = (bits & uapi.IORING_SETUP_R_DISABLED) !== 0;
  if ((bits & uapi.IORING_SETUP_SINGLE_ISSUER) !== 0 && !file.disabled) file.submitter = call.task;
  describe(view, shape);
  let result = writeBytes(
    call.user,
    call.word(1),
    new Uint8Array(view.buffer, view.byteOffset, PARAMS_BYTES),
  );
  if (result === 0) result = call.task.files.install(file, true, descriptorLimit(call));
  file.release();
  return result;
}

/** What the program asked for, in entries (io_uring_fill_params); null: EINVAL. */
function shapeOf(bits: number, entries: number, completions: number): RingFile["shape"] | null {
  const clamp = (bits & uapi.IORING_SETUP_CLAMP) !== 0;
  if (entries === 0 || (entries > MAX_ENTRIES && !clamp)) return null;
  const sqEntries = powerOfTwo(Math.min(entries, MAX_ENTRIES));
  let cqEntries = 2 * sqEntries;
  if ((bits & uapi.IORING_SETUP_CQSIZE) !== 0) {
    if (completions === 0 || (completions > MAX_CQ_ENTRIES && !clamp)) return null;
    cqEntries = powerOfTwo(Math.min(completions, MAX_CQ_ENTRIES));
    if (cqEntries < sqEntries) return null;
  }
  const indexed = (bits & uapi.IORING_SETUP_NO_SQARRAY) === 0;
  const array = indexed ? uapi.RINGS.cqes + cqEntries * uapi.CQE_BYTES : 0;
  return { flags: bits, sqEntries, cqEntries, array };
}

/** Fills struct io_uring_params for the program. */
function describe(view: DataView, { sqEntries, cqEntries, array }: RingFile["shape"]): void {
  const put = (at: number, values: readonly number[]): void =>
    values.forEach((value, i) => view.setUint32(at + 4 * i, value, true));
  const { RINGS } = uapi;
  put(0, [sqEntries, cqEntries]);
  put(20, [FEATURES]);
  put(40, [RINGS.sqHead, RINGS.sqTail, RINGS.sqMask, RINGS.sqEntries, RINGS.sqFlags, RINGS.sqDropped, array]);
  put(68, [0, 0, 0]);
  put(80, [RINGS.cqHead, RINGS.cqTail, RINGS.cqMask, RINGS.cqEntries, RINGS.cqOverflow, RINGS.cqes]);
  put(104, [RINGS.cqFlags, 0, 0, 0]);
}

export const ringSyscalls: readonly Definition[] = [
  define({
    number: 425,
    name: "io_uring_setup",
    args: [int("entries"), address("params")],
    returns: "fd",
    handler: setup,
  }),
  define({
    number: 426,
    name: "io_uring_enter",
    args: [
      fd("fd"),
      int("to_submit"),
      int("min_complete"),
      flags("flags", ENTER_FLAGS, "0"),
      address("argp"),
      length("argsz"),
    ],
    handler: enter,
  }),
  define({
    number: 427,
    name: "io_uring_register",
    args: [fd("fd"), choice("opcode", REGISTER_OPERATIONS), hex("arg"), int("nr_args")],
    handler: register,
  }),
];
