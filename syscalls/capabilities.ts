/** Capability sets (kernel/capability.c). */

import { ALL_CAPABILITIES, CAP_SETPCAP } from "../kernel/capabilities.js";
import { commitCredentials, hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, EPERM, ESRCH } from "../kernel/errno.js";

import { structIn, structInOut, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const CAPABILITY_VERSION_1 = 0x1998_0330;
const CAPABILITY_VERSION_2 = 0x2007_1026;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** The number of 32-bit triples a header's version stands for; null for an unknown one. */
function capabilityWords(version: number): number | null {
  if (version === CAPABILITY_VERSION_1) return 1;
  return version === CAPABILITY_VERSION_2 || version === CAPABILITY_VERSION_3 ? 2 : null;
}

function capget(call: SyscallCall): HandlerResult {
  const { user } = call;
  const header = readView(user, call.word(0), 8);
  if (typeof header === "number") return header;
  const words = capabilityWords(header.getUint32(0, true));
  const data = call.word(1);
  if (words === null) {
    if (!user.writeU32(call.word(0), CAPABILITY_VERSION_3)) return -EFAULT;
    return data === 0 ? 0 : -EINVAL;
  }
  const target = header.getInt32(4, true);
  if (target < 0) return -EINVAL;
  const task = target === 0 ? call.task : call.kernel.tasks.get(target);
  if (task === undefined) return -ESRCH;
  if (data === 0) return 0;
  const bytes = new Uint8Array(12 * words);
  const view = new DataView(bytes.buffer);
  const { effective, permitted, inheritable } = task.credentials;
  for (let i = 0; i < words; i++) {
    const word = (set: bigint): number => Number((set >> BigInt(32 * i)) & 0xffff_ffffn);
    view.setUint32(12 * i, word(effective), true);
    view.setUint32(12 * i + 4, word(permitted), true);
    view.setUint32(12 * i + 8, word(inheritable), true);
  }
  return writeBytes(user, data, bytes);
}

function capset(call: SyscallCall): HandlerResult {
  const { user, task } = call;
  const header = readView(user, call.word(0), 8);
  if (typeof header === "number") return header;
  const words = capabilityWords(header.getUint32(0, true));
  if (words === null) return user.writeU32(call.word(0), CAPABILITY_VERSION_3) ? -EINVAL : -EFAULT;
  const target = header.getInt32(4, true);
  if (target !== 0 && target !== task.tid) return -EPERM;
  const view = readView(user, call.word(1), 12 * words);
  if (typeof view === "number") return view;
  const set = (at: number): bigint => {
    let value = 0n;
    for (let i = 0; i < words; i++) value |= BigInt(view.getUint32(12 * i + at, true)) << BigInt(32 * i);
    return value & ALL_CAPABILITIES;
  };
  const [effective, permitted, inheritable] = [set(0), set(4), set(8)];
  const old = task.credentials;
  // cap_capset, in its order.
  if ((inheritable & ~(old.inheritable | old.permitted)) !== 0n && !hasCapability(old, CAP_SETPCAP))
    return -EPERM;
  if ((inheritable & ~(old.inheritable | old.bounding)) !== 0n) return -EPERM;
  if ((permitted & ~old.permitted) !== 0n || (effective & ~permitted) !== 0n) return -EPERM;
  const ambient = old.ambient & permitted & inheritable;
  commitCredentials(task, { ...old, effective, permitted, inheritable, ambient });
  return 0;
}

export const capabilitySyscalls: readonly Definition[] = [
  define({
    number: 125,
    name: "capget",
    args: [structInOut("hdrp", "cap_header"), structOut("datap", "cap_data")],
    handler: capget,
  }),
  define({
    number: 126,
    name: "capset",
    args: [structInOut("hdrp", "cap_header"), structIn("datap", "cap_data")],
    handler: capset,
  }),
];
