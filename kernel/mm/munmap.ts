/*
 * munmap(addr, length)
 *
 * Refuses, in this order:
 *   EINVAL  addr not page aligned, or beyond user space, or the range is
 *   EINVAL  length rounds to 0
 *   (0      nothing is mapped there)
 *   EPERM   (6.10) any area in the range is sealed; nothing has changed then
 *   ENOMEM  the range lies inside one area and the map count is at its limit
 *   EPERM   the area that begins before addr is sealed
 *   EPERM   any area in the range is sealed
 *   EINVAL  a special mapping, or a huge page, would have to be split
 *
 * Stays applied: on EPERM no page is unmapped, but an unsealed area that begins before addr stays split at addr,
 * and the last area may stay split at the end. (__do_munmap, vms_gather_munmap_vmas)
 */
import { EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { protectEntries } from "./hugetlb/entries.js";
import { TASK_SIZE } from "./layout.js";
import { modify, split, whyWhole } from "./merge.js";
import { checkSealsOfRange, refuseSealed } from "./sealing/range.js";
import type { SealOrigin, SealVerdict } from "./sealing/sealing-model.js";
import { tellUnmapped } from "./userfault/events.js";
import { VM_ACCESS_FLAGS, VM_MAY_ALL, withFlags } from "./vm-flags.js";
import { isPageAligned, pageUp, type Word } from "./word.js";

export function munmap(mm: AddressSpace, address: Word, length: Word): number {
  if (!isPageAligned(address))
    return mm.refuse("munmap.unaligned", EINVAL, () => ({
      text: "the address is not a multiple of the page size",
      source: "do_vmi_munmap",
    }));
  const start = Number(address);
  if (start > TASK_SIZE || length > TASK_SIZE - start)
    return mm.refuse("munmap.range", EINVAL, () => ({
      text: "the range does not lie in user space",
      source: "do_vmi_munmap",
    }));
  const end = start + pageUp(length);
  if (end === start)
    return mm.refuse("munmap.empty", EINVAL, () => ({
      text: "the length is 0",
      source: "do_vmi_munmap",
    }));
  return unmapRange(mm, start, end, "munmap");
}

/** Unmaps [start, end), which is aligned and in user space, for whoever asks. */
export function unmapRange(mm: AddressSpace, start: number, end: number, origin: SealOrigin): number {
  const error = gather(mm, start, end, origin);
  if (error !== 0 || mm.tree.findOverlap(start, end) === null) return error;
  removeGathered(mm, start, end, origin);
  return 0;
}

/**
 * Makes areas end at `start` and `end` and asks the seals, so that removing them cannot fail
 * (vms_gather_munmap_vmas).
 * @returns 0 or a negative errno
 */
export function gather(mm: AddressSpace, start: number, end: number, origin: SealOrigin): number {
  const sealed = checkSealsOfRange(
    mm,
    start,
    end,
    (each) => mm.env.sealing.mayUnmap(each, origin, mm.env.machine),
    origin === "munmap" ? () => mm.env.sealing.mayPassHole("munmap", { advice: 0 }) : null,
  );
  if (sealed !== null) return refuseUnmap(mm, sealed.area, start, end, origin, sealed.verdict);
  let area = mm.tree.findOverlap(start, end);
  if (area === null) return 0;
  if (area.start < start) {
    if (end < area.end && mm.tree.count >= mm.env.settings.maxMapCount) {
      const first = area;
      return mm.refuse(`${callOf(origin)}.map-count`, ENOMEM, () => ({
        text: `cutting out the middle of an area needs one area more than vm.max_map_count permits`,
        source: "vms_gather_munmap_vmas",
        area: first,
      }));
    }
    const refused = refuseIfSealed(mm, area, start, end, origin);
    if (refused !== 0) return refused;
    const error = splitOrRefuse(mm, area, start, origin);
    if (error !== 0) return error;
    area = area.next;
  }
  for (; area !== null && area.start < end; area = area.next) {
    const refused = refuseIfSealed(mm, area, start, end, origin);
    if (refused !== 0) return refused;
    if (area.end > end) {
      const error = splitOrRefuse(mm, area, end, origin);
      if (error !== 0) return error;
    }
  }
  return 0;
}

function splitOrRefuse(mm: AddressSpace, area: Area, at: number, origin: SealOrigin): number {
  const error = split(mm, area, at);
  if (error === 0) return 0;
  const details = { text: whyWhole(area, error), source: "__split_vma", area, address: at };
  return mm.refuse(`${callOf(origin)}.split`, -error, () => details);
}

/** The call whose rule a refusal names. */
function callOf(origin: SealOrigin): string {
  return origin === "mremap-destination" ? "mremap" : origin;
}

function refuseIfSealed(mm: AddressSpace, area: Area, start: number, end: number, origin: SealOrigin) {
  const verdict = mm.env.sealing.mayUnmap(area, origin, mm.env.machine);
  return verdict === null ? 0 : refuseUnmap(mm, area, start, end, origin, verdict);
}

function refuseUnmap(
  mm: AddressSpace,
  area: Area | null,
  start: number,
  end: number,
  origin: SealOrigin,
  verdict: SealVerdict,
): number {
  const pages = (end - start) / 4096;
  return refuseSealed(mm, callOf(origin), verdict, () => ({
    area,
    ...(area === null ? {} : { address: Math.max(area.start, start) }),
    applied:
      mm.tree.find(start)?.start === start &&
      area?.start !== start &&
      mm.tree.findBefore(start)?.end === start
        ? "nothing is unmapped; the area before may stay split at the start of the range"
        : pages === 1
          ? "the page stays mapped"
          : `all ${pages} pages stay mapped`,
  }));
}

/** Takes all rights from an area, those it could be given too. */
function makeInaccessible(mm: AddressSpace, area: Area): void {
  const { start, end } = area;
  const flags = withFlags(area.flags, 0, VM_ACCESS_FLAGS | VM_MAY_ALL);
  const result = modify(mm, area, start, end, { flags });
  // A whole area is never split, so nothing can fail.
  if (typeof result !== "number") protectEntries(mm, result, start, end);
}

/** Removes the areas of [start, end) after `gather` succeeded. */
export function removeGathered(mm: AddressSpace, start: number, end: number, origin: SealOrigin): void {
  tellUnmapped(mm, start, end);
  let area = mm.tree.findOverlap(start, end);
  const floor = area === null || area.previous === null ? 0 : area.previous.end;
  let kept = false;
  while (area !== null && area.start < end) {
    const { next, end: reached } = area;
    if (mm.env.sealing.leaves(area, origin) === "inaccessible") {
      makeInaccessible(mm, area);
      kept = true;
      // It may be one with its neighbours now.
      area = mm.tree.findFirst(reached);
    } else {
      mm.removeArea(area);
      area = next;
    }
  }
  if (kept) return mm.changed("protect", start, end);
  mm.translations.prune(start, end, floor, area === null ? 2 ** 47 : area.start);
  mm.changed("unmap", start, end);
}
