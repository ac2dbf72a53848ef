/** NUMA policies and moving pages (mm/mempolicy.c, mm/migrate.c) as on a machine with one node, number 0. */

import { CAP_SYS_NICE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EFAULT, EINVAL, ENODEV, ENOENT, EPERM, ESRCH } from "../kernel/errno.js";
import type { AddressSpace } from "../kernel/mm/address-space.js";
import * as policies from "../kernel/mm/memory-policy.js";
import type { MemoryPolicy } from "../kernel/mm/memory-policy.js";
import { hasFrame } from "../kernel/mm/translations.js";
import { VM_IO, VM_PFNMAP } from "../kernel/mm/vm-flags.js";
import { isZero, type Word } from "../kernel/mm/word.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import { pteFrame } from "../mmu/page-table-entry.js";
import {
  address,
  choiceAndFlags,
  flags,
  hex,
  int,
  length,
  names,
  pid,
  structIn,
  structOut,
  unsignedLong,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import { readView, writeBytes } from "./structs.js";
import { define, type Definition } from "./table.js";

/** Nodes that a kernel can count (MAX_NUMNODES, NODES_SHIFT of 10). */
const MAX_NODES = 1024;
/** Bits that a caller's mask may have at most. */
const MAX_MASK_BITS = 4096 * 8;
/** Bytes of a mask of the nodes that there are. */
const NODE_MASK_BYTES = 8;
const NODE_0 = 1n;

const MPOL_F_NODE = 1;
const MPOL_F_ADDR = 2;
const MPOL_F_MEMS_ALLOWED = 4;
const MPOL_MF_STRICT = 1;
const MPOL_MF_MOVE = 2;
const MPOL_MF_MOVE_ALL = 4;

const MODE_MASK = 0x1fff;
const MODES = names("MPOL_???", {
  MPOL_DEFAULT: policies.MPOL_DEFAULT,
  MPOL_PREFERRED: policies.MPOL_PREFERRED,
  MPOL_BIND: policies.MPOL_BIND,
  MPOL_INTERLEAVE: policies.MPOL_INTERLEAVE,
  MPOL_LOCAL: policies.MPOL_LOCAL,
  MPOL_PREFERRED_MANY: policies.MPOL_PREFERRED_MANY,
  MPOL_WEIGHTED_INTERLEAVE: policies.MPOL_WEIGHTED_INTERLEAVE,
});
const MODE_FLAGS = names("MPOL_???", {
  MPOL_F_STATIC_NODES: policies.MPOL_F_STATIC_NODES,
  MPOL_F_RELATIVE_NODES: policies.MPOL_F_RELATIVE_NODES,
  MPOL_F_NUMA_BALANCING: policies.MPOL_F_NUMA_BALANCING,
});
const GET_FLAGS = names("MPOL_???", { MPOL_F_NODE, MPOL_F_ADDR, MPOL_F_MEMS_ALLOWED });
const MOVE_FLAGS = names("MPOL_???", { MPOL_MF_STRICT, MPOL_MF_MOVE, MPOL_MF_MOVE_ALL });
const mode = choiceAndFlags("mode", MODE_MASK, MODES, MODE_FLAGS);

/** A mask of nodes of which `maxnode` - 1 bits are meant (get_nodes): -EINVAL, -EFAULT. */
function readNodes(call: SyscallCall, at: number, maxnode: number): bigint | number {
  const bits = call.u64(maxnode) - 1n;
  if (bits === 0n || isZero(call.word(at))) return 0n;
  if (bits < 0n || bits > BigInt(MAX_MASK_BITS)) return -EINVAL;
  const size = Number(bits);
  const words = Math.ceil(size / 64);
  const view = readView(call.user, call.word(at), words * 8);
  if (typeof view === "number") return view;
  let nodes = 0n;
  for (let word = 0; word < words; word++) nodes |= view.getBigUint64(word * 8, true) << BigInt(64 * word);
  nodes = BigInt.asUintN(size, nodes);
  return nodes >> BigInt(MAX_NODES) === 0n ? nodes : -EINVAL;
}

/** A mask of nodes for a caller whose own has `maxnode` - 1 bits (copy_nodes_to_user). */
function writeNodes(call: SyscallCall, to: Word, maxnode: number, nodes: bigint): number {
  const bytes = new Uint8Array(Math.ceil(Math.max(0, maxnode - 1) / 64) * 8);
  if (bytes.length > 4096) return -EINVAL;
  if (bytes.length >= NODE_MASK_BYTES)
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, nodes), true);
  return writeBytes(call.user, to, bytes);
}

function nice(call: SyscallCall): boolean {
  return hasCapability(call.task.credentials, CAP_SYS_NICE);
}

function setMempolicy(call: SyscallCall): number {
  const split = policies.splitMode(call.u32(0));
  if (typeof split === "number") return split;
  const nodes = readNodes(call, 1, 2);
  if (typeof nodes === "number") return nodes;
  const policy = policies.makePolicy(split.mode, split.flags, nodes);
  if (typeof policy === "number") return policy;
  call.task.memoryPolicy = policy;
  return 0;
}

/*
 * get_mempolicy(mode, nodes, maxnode, addr, flags)
 *   EINVAL  a mask without room for the nodes there are; unknown flags; MPOL_F_MEMS_ALLOWED with others; an address
 *           without MPOL_F_ADDR; MPOL_F_NODE alone with a policy that does not interleave
 *   EFAULT  nothing mapped at the address, or with MPOL_F_NODE no page can be had there; the pointers
 */
function getMempolicy(call: SyscallCall): number {
  const [modeAt, nodesAt] = [call.word(0), call.word(1)];
  const maxnode = call.n(2);
  if (!isZero(nodesAt) && maxnode < 1) return -EINVAL;
  const answer = askPolicy(call, call.word(3), call.n(4));
  if (typeof answer === "number") return answer;
  if (!isZero(modeAt) && !call.user.writeU32(modeAt, answer.mode)) return -EFAULT;
  return isZero(nodesAt) ? 0 : writeNodes(call, nodesAt, maxnode, answer.nodes);
}

function askPolicy(call: SyscallCall, at: Word, bits: number): { mode: number; nodes: bigint } | number {
  if (!(bits <= (MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))) return -EINVAL;
  if ((bits & MPOL_F_MEMS_ALLOWED) !== 0)
    return bits === MPOL_F_MEMS_ALLOWED ? { mode: 0, nodes: NODE_0 } : -EINVAL;
  let policy: MemoryPolicy | null = call.task.memoryPolicy;
  if ((bits & MPOL_F_ADDR) !== 0) {
    const area = at < 2 ** 47 ? call.mm.findArea(Number(at)) : null;
    if (area === null) return -EFAULT;
    ({ policy } = area);
  } else if (!isZero(at)) return -EINVAL;
  const nodes = policy?.nodes ?? 0n;
  if ((bits & MPOL_F_NODE) === 0) return { mode: policy === null ? 0 : policy.mode | policy.flags, nodes };
  if ((bits & MPOL_F_ADDR) !== 0) return call.user.frameOf(Number(at)) === -1 ? -EFAULT : { mode: 0, nodes };
  const interleaves =
    policy?.mode === policies.MPOL_INTERLEAVE || policy?.mode === policies.MPOL_WEIGHTED_INTERLEAVE;
  return interleaves ? { mode: 0, nodes } : -EINVAL;
}

function mbind(call: SyscallCall): number {
  const split = policies.splitMode(call.u32(2));
  if (typeof split === "number") return split;
  const nodes = readNodes(call, 3, 4);
  if (typeof nodes === "number") return nodes;
  const policyOf = () => policies.makePolicy(split.mode, split.flags, nodes);
  return call.mm.mbind(call.word(0), call.word(1), call.u32(5), nice(call), policyOf);
}

/** The memory of a task by number, 0 for one's own: -ESRCH, -EPERM, -EINVAL when it has none any more. */
function memoryOf(call: SyscallCall, number: number): AddressSpace | number {
  const target = number === 0 ? call.task : call.kernel.tasks.get(number);
  if (target === undefined) return -ESRCH;
  if (target !== call.task && !mayAccess(call.task, target, "real")) return -EPERM;
  return target.mm.released || target.state === "dead" ? -EINVAL : target.mm;
}

/** migrate_pages(pid, maxnode, old, new): pages that could not be moved; all are on the one node already. */
function migratePages(call: SyscallCall): number {
  const old = readNodes(call, 2, 1);
  if (typeof old === "number") return old;
  const wanted = readNodes(call, 3, 1);
  if (typeof wanted === "number") return wanted;
  const mm = memoryOf(call, call.i32(0));
  if (mm === -ESRCH || mm === -EPERM) return mm;
  if ((wanted & ~NODE_0) !== 0n && !nice(call)) return -EPERM;
  if ((wanted & NODE_0) === 0n) return -EINVAL;
  return typeof mm === "number" ? mm : 0;
}

/*
 * move_pages(pid, count, pages, nodes, status, flags)
 *   EINVAL  flags; EPERM MPOL_MF_MOVE_ALL without CAP_SYS_NICE; ESRCH, EPERM, EINVAL the process
 *   EFAULT  the lists; ENODEV a node other than 0: what came before has its status
 * Status of a page: its node, 0; -ENOENT where none is, -EFAULT where nothing is mapped or only the zero page.
 */
function movePages(call: SyscallCall): number {
  const bits = call.u32(5);
  if ((bits & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
  if ((bits & MPOL_MF_MOVE_ALL) !== 0 && !nice(call)) return -EPERM;
  const mm = memoryOf(call, call.i32(0));
  if (typeof mm === "number") return mm;
  const { user } = call;
  const count = call.n(1);
  const [pages, nodes, status] = [call.u64(2), call.u64(3), call.u64(4)];
  for (let i = 0n; i < count; i++) {
    const page = user.readU64(pages + 8n * i);
    if (page === null) return -EFAULT;
    if (nodes !== 0n) {
      const node = user.readI32(nodes + 4n * i);
      if (node === null) return -EFAULT;
      if (node !== 0) return -ENODEV;
    }
    if (!user.writeI32(status + 4n * i, nodeOf(mm, page))) return -EFAULT;
  }
  return 0;
}

function nodeOf(mm: AddressSpace, page: bigint): number {
  const at = page < 1n << 47n ? Number(page) : -1;
  const area = at === -1 ? null : mm.findArea(at);
  if (area === null || (area.flags & (VM_IO | VM_PFNMAP)) !== 0) return -EFAULT;
  const low = mm.translations.low(at - (at % 4096));
  if (!hasFrame(low)) return -ENOENT;
  return pteFrame(low) === mm.env.frames.zeroFrame ? -EFAULT : 0;
}

export const memoryPolicySyscalls: readonly Definition[] = [
  define({
    number: 237,
    name: "mbind",
    args: [
      address("addr"),
      length("len"),
      mode,
      structIn("nodemask", "long"),
      unsignedLong("maxnode"),
      flags("flags", MOVE_FLAGS),
    ],
    handler: mbind,
  }),
  define({
    number: 238,
    name: "set_mempolicy",
    args: [mode, structIn("nodemask", "long"), unsignedLong("maxnode")],
    handler: setMempolicy,
  }),
  define({
    number: 239,
    name: "get_mempolicy",
    args: [
      structOut("mode", "int"),
      structOut("nodemask", "long"),
      unsignedLong("maxnode"),
      address("addr"),
      flags("flags", GET_FLAGS),
    ],
    handler: getMempolicy,
  }),
  define({
    number: 256,
    name: "migrate_pages",
    args: [pid("pid"), unsignedLong("maxnode"), structIn("old_nodes", "long"), structIn("new_nodes", "long")],
    handler: migratePages,
  }),
  define({
    number: 279,
    name: "move_pages",
    args: [
      pid("pid"),
      unsignedLong("count"),
      structIn("pages", "pointer", 1),
      structIn("nodes", "int", 1),
      structOut("status", "int", 1),
      flags("flags", MOVE_FLAGS),
    ],
    handler: movePages,
  }),
  define({
    number: 450,
    name: "set_mempolicy_home_node",
    args: [address("addr"), length("len"), int("home_node"), hex("flags")],
    handler: (call) => call.mm.setHomeNode(call.word(0), call.word(1), call.n(2), call.n(3)),
  }),
];
