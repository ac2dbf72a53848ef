/** Processes, signals and limits (kernel/exit.c, kernel/signal.c, kernel/sys.c, fs/exec.c: their compat_ versions). */

import { EFAULT } from "../../kernel/errno.js";
import { address, hex, int, path, pid, uint } from "../argument.js";
import type { Handler, HandlerResult } from "../table.js";
import type { Ia32Call } from "./call.js";
import { converter, scratchFor, viewOf, withScratch, type Converter } from "./converter.js";
import { SCRATCH } from "./scratch-memory.js";

const RUSAGE_BYTES = 144;
const TMS_BYTES = 32;
const RLIMIT_BYTES = 16;
const INFINITY = 0xffff_ffff_ffff_ffffn;
const INFINITY_32 = 0xffff_ffffn;
const OLD_INFINITY = 0x7fff_ffffn;
const STACK_BYTES = 24;
const PR_GET_TID_ADDRESS = 40;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const SECCOMP_SET_MODE_FILTER = 1;
const FILTER_BYTES = 16;

/** 64-bit words as as many 32-bit ones. */
function narrowed(bytes: Uint8Array): Uint8Array {
  const from = viewOf(bytes);
  const to = new Uint8Array(bytes.length / 2);
  for (let i = 0; i < to.length; i += 4) viewOf(to).setUint32(i, from.getUint32(2 * i, true), true);
  return to;
}

/** A call that fills a structure of words at argument `at`, which may be null. */
function fills(call: Ia32Call, native: Handler, at: number, bytes: number): HandlerResult {
  const where = call.n(at);
  const scratch = new Uint8Array(bytes);
  call.values[at] = BigInt(scratchFor(call, at));
  const result = withScratch(call, scratch, () => native(call));
  if (result < 0 || where === 0) return result;
  return call.user.writeBytes(where, narrowed(scratch)) ? result : -EFAULT;
}

function getLimit(call: Ia32Call, native: Handler, most: bigint): HandlerResult {
  const where = call.n(1);
  const scratch = new Uint8Array(RLIMIT_BYTES);
  call.pass(call.values[0]!, SCRATCH);
  const result = withScratch(call, scratch, () => native(call));
  if (result !== 0) return result;
  const view = viewOf(scratch);
  for (const at of [0, 8]) {
    const value = view.getBigUint64(at, true);
    view.setBigUint64(at, value > most ? most : value, true);
  }
  return call.user.writeBytes(where, narrowed(scratch)) ? 0 : -EFAULT;
}

function setLimit(call: Ia32Call, native: Handler): HandlerResult {
  const given = call.user.read(call.word(1), RLIMIT_BYTES / 2);
  if (typeof given === "number") return -EFAULT;
  const scratch = new Uint8Array(RLIMIT_BYTES);
  for (const at of [0, 4]) {
    const value = BigInt(viewOf(given).getUint32(at, true));
    viewOf(scratch).setBigUint64(2 * at, value === INFINITY_32 ? INFINITY : value, true);
  }
  call.pass(call.values[0]!, SCRATCH);
  return withScratch(call, scratch, () => native(call));
}

/** stack_t with three words. */
function alternateStack(call: Ia32Call, native: Handler): HandlerResult {
  const old = call.n(1);
  const scratch = new Uint8Array(2 * STACK_BYTES);
  const view = viewOf(scratch);
  if (call.n(0) !== 0) {
    const given = call.user.read(call.word(0), STACK_BYTES / 2);
    if (typeof given === "number") return -EFAULT;
    const from = viewOf(given);
    view.setUint32(0, from.getUint32(0, true), true);
    view.setInt32(8, from.getInt32(4, true), true);
    view.setUint32(16, from.getUint32(8, true), true);
  }
  call.pass(scratchFor(call, 0), scratchFor(call, 1, STACK_BYTES));
  const result = withScratch(call, scratch, () => native(call));
  if (result !== 0 || old === 0) return result;
  const bytes = new Uint8Array(STACK_BYTES / 2);
  const to = viewOf(bytes);
  [0, 8, 16].forEach((at, i) => to.setUint32(4 * i, view.getUint32(STACK_BYTES + at, true), true));
  return call.user.writeBytes(old, bytes) ? 0 : -EFAULT;
}

/** An array of 32-bit pointers that a null ends, as 64-bit ones; null where memory ends first. */
function pointers(call: Ia32Call, at: number): number[] | null {
  const list: number[] = [];
  if (at === 0) return list;
  for (let from = at; ; from += 4) {
    const pointer = call.user.readU32(from);
    if (pointer === null) return null;
    list.push(pointer);
    if (pointer === 0) return list;
  }
}

function execve(call: Ia32Call, native: Handler): HandlerResult {
  const [argv, env] = [pointers(call, call.n(1)), pointers(call, call.n(2))];
  if (argv === null || env === null) return -EFAULT;
  const scratch = new Uint8Array(8 * (argv.length + env.length));
  [...argv, ...env].forEach((pointer, i) => viewOf(scratch).setUint32(8 * i, pointer, true));
  call.pass(call.values[0]!, scratchFor(call, 1), scratchFor(call, 2, 8 * argv.length));
  return withScratch(call, scratch, () => native(call));
}

/** A call whose argument `at` is a struct sock_fprog: a length and a pointer of 32 bits. */
function filters(call: Ia32Call, native: Handler, at: number): HandlerResult {
  const given = call.user.read(call.word(at), FILTER_BYTES / 2);
  if (typeof given === "number") return -EFAULT;
  const scratch = new Uint8Array(FILTER_BYTES);
  viewOf(scratch).setUint16(0, viewOf(given).getUint16(0, true), true);
  viewOf(scratch).setUint32(8, viewOf(given).getUint32(4, true), true);
  call.values[at] = BigInt(SCRATCH);
  return withScratch(call, scratch, () => native(call));
}

export const processConverters: readonly Converter[] = [
  converter(7, "waitpid", "wait4", [pid("pid"), address("stat_addr"), int("options")], (call, native) => {
    call.values[3] = 0n;
    return native(call);
  }),
  converter(
    114,
    "wait4",
    "wait4",
    [pid("pid"), address("stat_addr"), int("options"), address("ru")],
    (call, native) => fills(call, native, 3, RUSAGE_BYTES),
  ),
  converter(77, "getrusage", "getrusage", [int("who"), address("ru")], (call, native) =>
    fills(call, native, 1, RUSAGE_BYTES),
  ),
  converter(43, "times", "times", [address("tbuf")], (call, native) => fills(call, native, 0, TMS_BYTES)),
  converter(75, "setrlimit", "setrlimit", [uint("resource"), address("rlim")], setLimit),
  converter(76, "getrlimit", "getrlimit", [uint("resource"), address("rlim")], (call, native) =>
    getLimit(call, native, OLD_INFINITY),
  ),
  converter(191, "ugetrlimit", "getrlimit", [uint("resource"), address("rlim")], (call, native) =>
    getLimit(call, native, INFINITY_32),
  ),
  converter(186, "sigaltstack", "sigaltstack", [address("uss"), address("uoss")], alternateStack),
  converter(11, "execve", "execve", [path("filename"), address("argv"), address("envp")], execve),
  converter(
    120,
    "clone",
    "clone",
    [hex("flags"), address("stack"), address("parent_tid"), address("tls"), address("child_tid")],
    (call, native) => {
      const [flags, stack, parentTid, tls, childTid] = call.values;
      call.pass(flags!, stack!, parentTid!, childTid!, tls!);
      return native(call);
    },
  ),
  converter(
    172,
    "prctl",
    "prctl",
    [int("option"), hex("arg2"), hex("arg3"), hex("arg4"), hex("arg5")],
    (call, native) => {
      if (call.i32(0) === PR_SET_SECCOMP && call.n(1) === SECCOMP_MODE_FILTER)
        return filters(call, native, 2);
      if (call.i32(0) !== PR_GET_TID_ADDRESS) return native(call);
      return call.user.writeU32(call.word(1), call.task.clearChildTid) ? 0 : -EFAULT;
    },
  ),
  converter(354, "seccomp", "seccomp", [uint("op"), hex("flags"), address("args")], (call, native) =>
    call.u32(0) === SECCOMP_SET_MODE_FILTER ? filters(call, native, 2) : native(call),
  ),
];
