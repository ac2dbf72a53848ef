import { EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import { anonCompatible, AnonVma, attachAnon, isForked, NO_CHAIN } from "./anon-vma.js";
import { Area, type AreaProperties } from "./area.js";
import { maySplitAt } from "./hugetlb/area.js";
import { samePolicy } from "./memory-policy.js";
import { VM_SOFTDIRTY, VM_SPECIAL, withFlags } from "./vm-flags.js";

/*
 * Linux's rules for one area becoming two and two becoming one (mm/vma.c). Two neighbours merge when their flags,
 * key, seal, name, file and page source are equal, their offsets follow each other, neither is special, and they do
 * not have two different sets of private pages.
 */

/** Merging may move its borders, but not make it vanish (can_merge_remove_vma). */
function countsAreas(area: Area): boolean {
  return area.file?.countsAreas === true;
}

/** The properties of a new area, everything else at rest. */
export function newProperties(properties: Partial<AreaProperties>): AreaProperties {
  return {
    flags: 0,
    key: 0,
    seal: null,
    file: null,
    pages: null,
    name: "",
    anonName: null,
    anonShmem: false,
    pageOffset: 0,
    anon: null,
    chain: NO_CHAIN,
    unsplittable: false,
    guarded: false,
    policy: null,
    userfault: null,
    hugetlb: null,
    ...properties,
  };
}

/** The neighbour may take the piece's private pages over. */
function takesPages(mm: AddressSpace, neighbour: Area, piece: AreaProperties): boolean {
  return mm.env.release.mergesIntoUntouched || neighbour.anon !== null || piece.anon === null;
}

/** Everything but place and offset permits that the two become one (is_mergeable_vma, is_mergeable_anon_vma). */
function compatible(mm: AddressSpace, a: AreaProperties, b: AreaProperties): boolean {
  return (
    ((a.flags ^ b.flags) & ~VM_SOFTDIRTY) === 0 &&
    (a.flags & VM_SPECIAL) === 0 &&
    a.key === b.key &&
    a.file === b.file &&
    a.pages === b.pages &&
    a.name === b.name &&
    a.anonName === b.anonName &&
    samePolicy(a.policy, b.policy) &&
    a.userfault === b.userfault &&
    !a.unsplittable &&
    !b.unsplittable &&
    mm.env.sealing.mergeable(a.seal, b.seal) &&
    anonCompatible(a, b)
  );
}

function mergesAfter(mm: AddressSpace, before: Area | null, start: number, piece: AreaProperties): boolean {
  return (
    before !== null &&
    before.end === start &&
    before.pageOffset + before.pageCount === piece.pageOffset &&
    takesPages(mm, before, piece) &&
    compatible(mm, before, piece)
  );
}

function mergesBefore(
  mm: AddressSpace,
  after: Area | null,
  start: number,
  end: number,
  piece: AreaProperties,
) {
  return (
    after !== null &&
    after.start === end &&
    piece.pageOffset + (end - start) / 4096 === after.pageOffset &&
    takesPages(mm, after, piece) &&
    compatible(mm, piece, after)
  );
}

function absorb(mm: AddressSpace, into: Area, from: AreaProperties): void {
  if (mm.env.release.mergeKeepsSoftDirty) into.flags = withFlags(into.flags, from.flags & VM_SOFTDIRTY, 0);
  if (into.anon === null) {
    into.anon = from.anon;
    into.chain = from.chain;
    attachAnon(into);
  }
  into.guarded ||= from.guarded;
}

/**
 * Puts [start, end), which is free, into the tree: as part of a neighbour where the rules allow, else as an area
 * of its own (vma_merge_new_range).
 * @param withNext false for brk, which looks only at what lies before
 * @param withPrevious false for the first brk: the heap never grows out of the program's own memory
 */
export function addOrMerge(
  mm: AddressSpace,
  start: number,
  end: number,
  properties: AreaProperties,
  withNext = true,
  withPrevious = true,
): Area {
  const { tree } = mm;
  const before = tree.findBefore(start);
  const after = before === null ? tree.first : before.next;
  let left = withPrevious && mergesAfter(mm, before, start, properties) ? before : null;
  let right = withNext && mergesBefore(mm, after, start, end, properties) ? after : null;
  if (left !== null && right !== null && (!anonCompatible(left, right) || countsAreas(right))) {
    if (mm.env.release.bridgeMergesWith === "previous") right = null;
    else left = null;
  }
  if (left !== null) {
    absorb(mm, left, properties);
    if (right !== null) {
      absorb(mm, left, right);
      mm.unlink(right);
      left.end = right.end;
    } else left.end = end;
    tree.boundaryMoved(left);
    return left;
  }
  if (right !== null) {
    absorb(mm, right, properties);
    right.pageOffset = properties.pageOffset;
    right.start = start;
    tree.boundaryMoved(right);
    return right;
  }
  const area = new Area(start, end, properties);
  mm.link(area);
  return area;
}

/**
 * Cuts an area in two at `at`, strictly inside it (__split_vma). The lower part keeps the object.
 * @returns 0, or -EINVAL for a special mapping, and inside of a huge page
 */
export function split(mm: AddressSpace, area: Area, at: number): number {
  if (area.unsplittable || !maySplitAt(area, at)) return -EINVAL;
  mm.tables.large.splitAcross(at);
  const upper = new Area(at, area.end, area);
  upper.pageOffset = area.fileIndex(at);
  area.end = at;
  mm.tree.boundaryMoved(area);
  mm.link(upper);
  tellSplit(mm, area, upper);
  return 0;
}

/** Both parts are looked at for probes (vma_complete). */
function tellSplit(mm: AddressSpace, lower: Area, upper: Area): void {
  mm.env.uprobes?.mapped(mm, lower);
  mm.env.uprobes?.mapped(mm, upper);
}

/** Why an area could not be split, or `modify` not done, in words. @param error what it answered */
export function whyWhole(area: Area, error: number): string {
  if (error === -ENOMEM) return "splitting the area needs one area more than vm.max_map_count permits";
  return area.unsplittable
    ? "a special mapping cannot be split"
    : "an area of huge pages is split only between two of them";
}

/** As `split`, for callers that must leave the map count within its limit: -ENOMEM at the limit (split_vma). */
export function splitCounted(mm: AddressSpace, area: Area, at: number): number {
  if (mm.tree.count >= mm.env.settings.maxMapCount) return -ENOMEM;
  return split(mm, area, at);
}

/**
 * Gives [start, end) of an area other properties, splitting it from the rest or merging it with its neighbours
 * (vma_modify).
 * @returns the area that now holds the range, or a negative errno with nothing but splits done
 */
export function modify(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  change: Partial<Pick<AreaProperties, "flags" | "key" | "seal" | "anonName" | "policy" | "userfault">>,
): Area | number {
  const { tree } = mm;
  // Wherever the borders come to lie, no leaf of 2 MiB belongs to two areas.
  mm.tables.large.splitAcross(start);
  mm.tables.large.splitAcross(end);
  const piece: AreaProperties = newProperties({
    flags: change.flags ?? area.flags,
    key: change.key ?? area.key,
    seal: change.seal === undefined ? area.seal : change.seal,
    file: area.file,
    pages: area.pages,
    name: area.name,
    anonName: change.anonName === undefined ? area.anonName : change.anonName,
    anonShmem: area.anonShmem,
    pageOffset: area.fileIndex(start),
    anon: area.anon,
    chain: area.chain,
    unsplittable: area.unsplittable,
    guarded: area.guarded,
    policy: change.policy === undefined ? area.policy : change.policy,
    userfault: change.userfault === undefined ? area.userfault : change.userfault,
    hugetlb: area.hugetlb,
  });
  const before = start === area.start ? area.previous : null;
  const after = end === area.end ? area.next : null;
  let left = mergesAfter(mm, before, start, piece) ? before : null;
  let right = mergesBefore(mm, after, start, end, piece) ? after : null;
  if (left !== null && right !== null && !anonCompatible(left, right)) right = null;
  if (start === area.start && end === area.end && countsAreas(area)) left = right = null;

  if (left !== null) {
    absorb(mm, left, piece);
    if (end === area.end) {
      mm.unlink(area);
      if (right !== null) {
        absorb(mm, left, right);
        mm.unlink(right);
        left.end = right.end;
      } else left.end = end;
    } else {
      area.pageOffset = area.fileIndex(end);
      area.start = end;
      left.end = end;
      tree.boundaryMoved(area);
    }
    tree.boundaryMoved(left);
    return withNewFlags(mm, left, change.flags);
  }
  if (right !== null) {
    absorb(mm, right, piece);
    if (start === area.start) mm.unlink(area);
    else {
      area.end = start;
      tree.boundaryMoved(area);
    }
    right.pageOffset = piece.pageOffset;
    right.start = start;
    tree.boundaryMoved(right);
    return withNewFlags(mm, right, change.flags);
  }

  let target = area;
  if (start > area.start) {
    const error = splitCounted(mm, area, start);
    if (error !== 0) return error;
    target = area.next ?? area;
  }
  if (end < target.end) {
    const error = splitCounted(mm, target, end);
    if (error !== 0) return error;
  }
  target.flags = piece.flags;
  target.key = piece.key;
  target.seal = piece.seal;
  target.anonName = piece.anonName;
  target.policy = piece.policy;
  target.userfault = piece.userfault;
  return target;
}

/**
 * Whoever asked for other flags writes them into the area that the range became part of, neighbours and all
 * (vm_flags_reset after vma_modify_flags): before 6.19 their mark of soft-dirty goes, or comes, with it.
 */
function withNewFlags(mm: AddressSpace, area: Area, flags: number | undefined): Area {
  mm.env.uprobes?.mapped(mm, area);
  if (flags !== undefined && !mm.env.release.mergeKeepsSoftDirty) area.flags = flags;
  return area;
}

/** The set that a new private page of this area joins: its own, that of a neighbour it could merge with, or a new one. */
export function prepareAnon(mm: AddressSpace, area: Area): void {
  if (area.anon !== null) return;
  area.anon = reusable(mm, area, area.next) ?? reusable(mm, area, area.previous) ?? new AnonVma(null);
  area.chain = [area.anon];
  attachAnon(area);
}

/** find_mergeable_anon_vma: neighbours that differ only in access flags may come to merge later. */
function reusable(mm: AddressSpace, area: Area, other: Area | null): AnonVma | null {
  if (other === null || other.anon === null || isForked(other)) return null;
  const [low, high] = other.start < area.start ? [other, area] : [area, other];
  const alike =
    low.end === high.start &&
    ((low.flags ^ high.flags) & ~(0x7 | VM_SOFTDIRTY)) === 0 &&
    low.key === high.key &&
    mm.env.sealing.mergeable(low.seal, high.seal) &&
    low.file === high.file &&
    samePolicy(low.policy, high.policy) &&
    low.pageOffset + low.pageCount === high.pageOffset;
  return alike ? other.anon : null;
}
