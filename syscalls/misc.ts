/** What belongs nowhere else: the system's name and state, randomness, personality. */

import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { bufferIn, bufferOut, flags, length, names, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const NAME_BYTES = 65;
const INT_MAX = 0x7fff_ffff;
const PAGE = 4096;
const READ_IMPLIES_EXEC = 0x40_0000;

const PERSONALITY = names("PER_???", {
  ADDR_NO_RANDOMIZE: 0x4_0000,
  FDPIC_FUNCPTRS: 0x8_0000,
  MMAP_PAGE_ZERO: 0x10_0000,
  ADDR_COMPAT_LAYOUT: 0x20_0000,
  READ_IMPLIES_EXEC,
  ADDR_LIMIT_32BIT: 0x80_0000,
  SHORT_INODE: 0x100_0000,
  WHOLE_SECONDS: 0x200_0000,
  STICKY_TIMEOUTS: 0x400_0000,
  ADDR_LIMIT_3GB: 0x800_0000,
});
const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
const RANDOM_FLAGS = names("GRND_???", { GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE });

function uname(call: SyscallCall): HandlerResult {
  const { release, hostname, domainname } = call.kernel;
  const bytes = new Uint8Array(6 * NAME_BYTES);
  const fields = [release.sysname, hostname, release.release, release.version, release.machine, domainname];
  fields.forEach((text, field) => {
    for (let i = 0; i < Math.min(text.length, NAME_BYTES - 1); i++)
      bytes[field * NAME_BYTES + i] = text.charCodeAt(i);
  });
  return writeBytes(call.user, call.word(0), bytes);
}

function setName(field: "hostname" | "domainname"): (call: SyscallCall) => HandlerResult {
  return (call) => {
    if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN)) return -EPERM;
    const size = call.i32(1);
    if (size < 0 || size > NAME_BYTES - 1) return -EINVAL;
    const bytes = call.user.read(call.word(0), size);
    if (typeof bytes === "number") return -EFAULT;
    call.kernel[field] = String.fromCharCode(...bytes).replace(/\0.*$/s, "");
    return 0;
  };
}

function sysinfo(call: SyscallCall): HandlerResult {
  const { kernel } = call;
  const bytes = new Uint8Array(112);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, BigInt(Math.ceil(kernel.clock.monotonic() / 1e9)), true);
  view.setBigUint64(32, BigInt(kernel.frames.total) * BigInt(PAGE), true);
  view.setBigUint64(40, BigInt(kernel.frames.free) * BigInt(PAGE), true);
  view.setBigUint64(64, BigInt(kernel.swap.total) * BigInt(PAGE), true);
  view.setBigUint64(72, BigInt(kernel.swap.free) * BigInt(PAGE), true);
  view.setUint16(80, kernel.tasks.size, true);
  view.setUint32(104, 1, true);
  return writeBytes(call.user, call.word(0), bytes);
}

function getrandom(call: SyscallCall): HandlerResult {
  const given = call.u32(2);
  if ((given & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return -EINVAL;
  if ((given & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE)) return -EINVAL;
  const count = Math.min(call.n(1), INT_MAX);
  let done = 0;
  while (done < count) {
    const bytes = call.kernel.host.random(Math.min(PAGE, count - done));
    const copied = call.user.copyOut(call.u64(0) + BigInt(done), bytes);
    done += copied;
    if (copied < bytes.length) return done > 0 ? done : -EFAULT;
  }
  return done;
}

function personality(call: SyscallCall): HandlerResult {
  const { task } = call;
  const old = task.personality;
  const wanted = call.u32(0);
  if (wanted !== 0xffff_ffff) {
    task.personality = wanted;
    task.mm.env.readImpliesExec = (wanted & READ_IMPLIES_EXEC) !== 0;
  }
  return old;
}

export const miscSyscalls: readonly Definition[] = [
  define({ number: 63, name: "uname", args: [structOut("buf", "utsname")], handler: uname }),
  define({ number: 99, name: "sysinfo", args: [structOut("info", "sysinfo")], handler: sysinfo }),
  define({
    number: 135,
    name: "personality",
    args: [flags("persona", PERSONALITY, "PER_LINUX")],
    returns: "hex",
    handler: personality,
  }),
  define({
    number: 170,
    name: "sethostname",
    args: [bufferIn("name", 1), length("len")],
    handler: setName("hostname"),
  }),
  define({
    number: 171,
    name: "setdomainname",
    args: [bufferIn("name", 1), length("len")],
    handler: setName("domainname"),
  }),
  define({
    number: 318,
    name: "getrandom",
    args: [bufferOut("buf"), length("buflen"), flags("flags", RANDOM_FLAGS)],
    handler: getrandom,
  }),
];
