/*
 * mbind(addr, length, mode, nodes, maxnode, flags); mode and nodes have become a policy already
 *   EINVAL  unknown flags
 *   EPERM   MPOL_MF_MOVE_ALL without CAP_SYS_NICE
 *   EINVAL  addr not page aligned; the range wraps
 *   (0      length 0, or one that rounds to 0)
 *   EINVAL  the policy (memory-policy.ts)
 *   EFAULT  a hole, or nothing mapped at all: nothing has changed
 *   ENOMEM  a split would pass vm.max_map_count
 * Seals do not matter. There is nothing to move: all pages are on the one node.
 *
 * set_mempolicy_home_node(addr, length, node, flags)
 *   EINVAL  addr not page aligned; flags; no such node; the range wraps
 *   (0      length 0, or one that rounds to 0)
 *   ENOENT  no area of the range has a policy (those without are passed over)
 *   EOPNOTSUPP  a policy other than MPOL_BIND and MPOL_PREFERRED_MANY; stops there
 */
import { EFAULT, EINVAL, ENOENT, EOPNOTSUPP, EPERM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { MPOL_BIND, MPOL_PREFERRED_MANY, samePolicy, type MemoryPolicy } from "./memory-policy.js";
import { modify } from "./merge.js";
import { addPages, isPageAligned, pageUp, type Word } from "./word.js";

const MPOL_MF_STRICT = 1;
const MPOL_MF_MOVE = 2;
const MPOL_MF_MOVE_ALL = 4;

/** @param makePolicy asked for where Linux asks, after the range has been looked at */
export function mbind(
  mm: AddressSpace,
  address: Word,
  length: Word,
  flags: number,
  mayMoveAll: boolean,
  makePolicy: () => MemoryPolicy | null | number,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mbind.${rule}`, errno, () => ({ text, source: "do_mbind" }));
  if ((flags & ~(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL)) !== 0)
    return refuse("flags", EINVAL, "unknown flags");
  if ((flags & MPOL_MF_MOVE_ALL) !== 0 && !mayMoveAll)
    return refuse("move-all", EPERM, "MPOL_MF_MOVE_ALL needs CAP_SYS_NICE");
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  const start = Number(address);
  const end = addPages(start, pageUp(length));
  if (end < start) return refuse("wraps", EINVAL, "the range wraps around the address space");
  if (end === start) return 0;
  const policy = makePolicy();
  if (typeof policy === "number") return refuse("policy", -policy, "no such policy on a machine of one node");
  let reached = start;
  for (let area = mm.tree.findFirst(start); area !== null && area.start <= reached; area = area.next) {
    reached = area.end;
    if (reached >= end) break;
  }
  if (reached < end) return refuse("hole", EFAULT, "part of the range is not mapped");
  return setPolicy(mm, start, end, () => policy);
}

export function setHomeNode(
  mm: AddressSpace,
  address: Word,
  length: Word,
  node: number,
  flags: number,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`set_mempolicy_home_node.${rule}`, errno, () => ({ text, source: "set_mempolicy_home_node" }));
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  if (flags !== 0) return refuse("flags", EINVAL, "no flags are defined");
  if (node !== 0) return refuse("node", EINVAL, "node 0 is the only one");
  const start = Number(address);
  const end = addPages(start, pageUp(length));
  if (end < start) return refuse("wraps", EINVAL, "the range wraps around the address space");
  if (end === start) return 0;
  let found = false;
  const error = setPolicy(mm, start, end, ({ policy }) => {
    if (policy === null) return null;
    if (policy.mode !== MPOL_BIND && policy.mode !== MPOL_PREFERRED_MANY) return -EOPNOTSUPP;
    found = true;
    return { ...policy, homeNode: node };
  });
  if (error !== 0) return refuse("policy", -error, "this policy has no home node");
  return found ? 0 : refuse("none", ENOENT, "no policy has been set in the range");
}

/** Gives each area of the range the policy that is its own; stops at the first that is refused. */
function setPolicy(
  mm: AddressSpace,
  start: number,
  end: number,
  policyOf: (area: Area) => MemoryPolicy | null | number,
): number {
  for (let from = start; from < end;) {
    const area = mm.tree.findOverlap(from, end);
    if (area === null) break;
    const to = Math.min(area.end, end);
    const policy = policyOf(area);
    if (typeof policy === "number") return policy;
    if (!samePolicy(area.policy, policy)) {
      const changed = modify(mm, area, Math.max(area.start, from), to, { policy });
      if (typeof changed === "number") return changed;
    }
    from = to;
  }
  return 0;
}
