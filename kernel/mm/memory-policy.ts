/**
 * Which NUMA nodes memory comes from (mm/mempolicy.c), on a machine with one node: every policy that can be had asks
 * for node 0. It is remembered, told and handed on, and parts areas; where pages lie does not depend on it.
 */
import { EINVAL } from "../errno.js";

export const MPOL_DEFAULT = 0;
export const MPOL_PREFERRED = 1;
export const MPOL_BIND = 2;
export const MPOL_INTERLEAVE = 3;
export const MPOL_LOCAL = 4;
export const MPOL_PREFERRED_MANY = 5;
export const MPOL_WEIGHTED_INTERLEAVE = 6;
const MPOL_MAX = 7;

export const MPOL_F_NUMA_BALANCING = 1 << 13;
export const MPOL_F_RELATIVE_NODES = 1 << 14;
export const MPOL_F_STATIC_NODES = 1 << 15;
const MODE_FLAGS = MPOL_F_NUMA_BALANCING | MPOL_F_RELATIVE_NODES | MPOL_F_STATIC_NODES;
/** The nodes of a policy that names the only one there is. */
const NODE_0 = 1n;

/** A policy, never changed; null stands for the default one. */
export interface MemoryPolicy {
  readonly mode: number;
  /** MPOL_F_* as given. */
  readonly flags: number;
  /** The nodes as given, where the flags ask to keep them; else those that they come to. */
  readonly nodes: bigint;
  /** set_mempolicy_home_node's; -1 without. */
  readonly homeNode: number;
}

/** Splits a mode as user space passes it; -EINVAL for one that is none (sanitize_mpol_flags). */
export function splitMode(word: number): { readonly mode: number; readonly flags: number } | number {
  const flags = word & MODE_FLAGS;
  const mode = (word & ~MODE_FLAGS) >>> 0;
  if (mode >= MPOL_MAX) return -EINVAL;
  if ((flags & MPOL_F_STATIC_NODES) !== 0 && (flags & MPOL_F_RELATIVE_NODES) !== 0) return -EINVAL;
  if ((flags & MPOL_F_NUMA_BALANCING) !== 0 && mode !== MPOL_BIND) return -EINVAL;
  return { mode, flags };
}

/** A policy of these parts (mpol_new, mpol_set_nodemask): null for the default one, or -EINVAL. */
export function makePolicy(mode: number, flags: number, given: bigint): MemoryPolicy | null | number {
  const placed = (flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)) !== 0;
  if (mode === MPOL_DEFAULT) return given === 0n ? null : -EINVAL;
  if (mode === MPOL_LOCAL || (mode === MPOL_PREFERRED && given === 0n)) {
    if (given !== 0n || placed) return -EINVAL;
    return { mode: MPOL_LOCAL, flags, nodes: 0n, homeNode: -1 };
  }
  if (given === 0n) return -EINVAL;
  // Relative nodes are counted round the nodes there are: every one is node 0.
  const reached = (flags & MPOL_F_RELATIVE_NODES) !== 0 ? NODE_0 : given & NODE_0;
  if (reached === 0n) return -EINVAL;
  return { mode, flags, nodes: placed ? given : reached, homeNode: -1 };
}

/** mpol_equal. */
export function samePolicy(a: MemoryPolicy | null, b: MemoryPolicy | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return a.mode === b.mode && a.flags === b.flags && a.nodes === b.nodes && a.homeNode === b.homeNode;
}
