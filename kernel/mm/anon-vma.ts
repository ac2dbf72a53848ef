/**
 * A set of private pages that areas share, also across fork (struct anon_vma): what Linux looks at to decide
 * whether two areas may become one.
 */
export class AnonVma {
  /** Areas that may hold pages of it: its own and those of processes forked since. */
  links = 0;
  /** Areas whose new pages belong to it (num_active_vmas). */
  active = 0;
  /** Sets made from it by fork; a root counts itself (num_children). */
  children: number;

  /** @param parent what it was forked from; null for a root */
  constructor(readonly parent: AnonVma | null) {
    this.children = parent === null ? 1 : 0;
  }
}

/** What an area has to do with sets of private pages. The chain is never changed, only replaced. */
export interface AnonState {
  /** The set its new pages belong to (`anon_vma`); null until a private page exists. */
  anon: AnonVma | null;
  /** All sets that its pages may belong to, the oldest first (anon_vma_chain). Empty while `anon` is null. */
  chain: readonly AnonVma[];
}

export const NO_CHAIN: readonly AnonVma[] = [];

/** An area with these sets came into the tree. */
export function attachAnon(state: AnonState): void {
  if (state.anon === null) return;
  state.anon.active++;
  for (const set of state.chain) set.links++;
}

/** It left the tree (unlink_anon_vmas). */
export function detachAnon(state: AnonState): void {
  if (state.anon === null) return;
  state.anon.active--;
  for (const set of state.chain) if (--set.links === 0 && set.parent !== null) set.parent.children--;
}

/** The pages may come from before a fork: then merging must not widen the set (vma_is_fork_child). */
export function isForked(state: AnonState): boolean {
  return state.chain.length > 1;
}

/** Two neighbours' private pages permit them to become one (is_mergeable_anon_vma). */
export function anonCompatible(a: AnonState, b: AnonState): boolean {
  if (a.anon === b.anon) return true;
  if (a.anon === null) return !isForked(b);
  return b.anon === null && !isForked(a);
}

/**
 * The sets of a forked child's area (anon_vma_fork): those of the parent's, and one of its own, for which a set of
 * the chain serves that has no area left and no other child.
 */
export function forkAnon(parent: AnonState): AnonState {
  if (parent.anon === null) return { anon: null, chain: NO_CHAIN };
  for (const set of parent.chain)
    if (set.active === 0 && set.children < 2) return { anon: set, chain: parent.chain };
  parent.anon.children++;
  const anon = new AnonVma(parent.anon);
  return { anon, chain: [...parent.chain, anon] };
}
