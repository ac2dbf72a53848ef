/*
 * UFFDIO_REGISTER and UFFDIO_UNREGISTER, after the arguments were found well-formed.
 *
 * Register refuses (userfaultfd_register):
 *   EINVAL  nothing mapped in the range
 *   for each area of it, ascending:
 *   EINVAL  a range that begins or ends inside of a huge page
 *   EINVAL  memory that cannot be watched so: a file's (unless for asynchronous write protection alone), droppable
 *   EPERM   it may never be writable
 *   EBUSY   registered with another userfaultfd
 *   ENOMEM  a split would pass vm.max_map_count; the areas before it are registered
 * Seals do not count: registering changes no permission.
 *
 * Unregister (userfaultfd_unregister): EINVAL as above, for memory that could not have been registered and, since 6.17,
 * for what another userfaultfd registered. Areas that are not registered are passed over.
 */
import { EBUSY, EINVAL, EPERM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { modify } from "../merge.js";
import { isHugetlb, maySplitAt } from "../hugetlb/area.js";
import { isSecret } from "../secret-memory.js";
import {
  VM_DROPPABLE,
  VM_MAYWRITE,
  VM_UFFD_FLAGS,
  VM_UFFD_MINOR,
  VM_UFFD_MISSING,
  VM_UFFD_WP,
  withFlags,
} from "../vm-flags.js";
import type { UserfaultContext } from "./context.js";
import { protectPages, unprotectPages } from "./protect.js";
import { UFFDIO_REGISTER_MODE_MINOR, UFFDIO_REGISTER_MODE_MISSING, UFFDIO_REGISTER_MODE_WP } from "./uapi.js";

/** Shared anonymous memory, memfds, System V shared memory, files of tmpfs (vma_is_shmem). */
export function isShmem(area: Area): boolean {
  const { file, pages } = area;
  return file !== null && pages?.isMemoryOnly === true && !isSecret(area) && !isHugetlb(area);
}

/** vma_can_userfault. @param flags VM_UFFD_* */
function canWatch(context: UserfaultContext, area: Area, flags: number): boolean {
  if ((area.flags & VM_DROPPABLE) !== 0) return false;
  if ((flags & VM_UFFD_MINOR) !== 0 && !isShmem(area) && !isHugetlb(area)) return false;
  if (context.isAsync && (flags & VM_UFFD_FLAGS) === VM_UFFD_WP) return true;
  return area.isAnonymous || isShmem(area) || isHugetlb(area);
}

function refuser(mm: AddressSpace, call: string) {
  return (rule: string, errno: number, text: string, area: Area | null): number =>
    mm.refuse(`userfaultfd.${call}.${rule}`, errno, () => ({ text, source: `userfaultfd_${call}`, area }));
}

/** @param mode UFFDIO_REGISTER_MODE_* */
export function registerRange(context: UserfaultContext, start: number, end: number, mode: number): number {
  const { mm } = context;
  const refuse = refuser(mm, "register");
  const flags =
    ((mode & UFFDIO_REGISTER_MODE_MISSING) !== 0 ? VM_UFFD_MISSING : 0) |
    ((mode & UFFDIO_REGISTER_MODE_MINOR) !== 0 ? VM_UFFD_MINOR : 0) |
    ((mode & UFFDIO_REGISTER_MODE_WP) !== 0 ? VM_UFFD_WP : 0);
  const first = mm.tree.findOverlap(start, end);
  if (first === null) return refuse("unmapped", EINVAL, "nothing is mapped in the range", null);
  if (!maySplitAt(first, start))
    return refuse("unaligned", EINVAL, "the range begins inside of a huge page", first);
  for (let area: Area | null = first; area !== null && area.start < end; area = area.next) {
    if (!canWatch(context, area, flags))
      return refuse("unfit", EINVAL, "memory of this kind cannot be watched so", area);
    if (end < area.end && !maySplitAt(area, end))
      return refuse("unaligned", EINVAL, "the range ends inside of a huge page", area);
    if ((area.flags & VM_MAYWRITE) === 0) return refuse("may-never", EPERM, "it may never be writable", area);
    if (area.userfault !== null && area.userfault !== context)
      return refuse("busy", EBUSY, "it is registered with another userfaultfd", area);
  }
  return forEachPart(mm, start, end, (area, from, to) => {
    if (area.userfault === context && (area.flags & flags) === flags) return 0;
    const before = area.flags;
    const done = modify(mm, area, from, to, {
      flags: withFlags(area.flags, flags, VM_UFFD_FLAGS),
      userfault: context,
    });
    if (typeof done === "number") return done;
    // What is no longer watched for writes has no protection left.
    if ((before & ~flags & VM_UFFD_WP) !== 0) unprotectPages(mm, area, from, to);
    mm.changed("protect", from, to);
    return 0;
  });
}

export function unregisterRange(context: UserfaultContext, start: number, end: number): number {
  const { mm } = context;
  const refuse = refuser(mm, "unregister");
  const first = mm.tree.findOverlap(start, end);
  if (first === null) return refuse("unmapped", EINVAL, "nothing is mapped in the range", null);
  if (!maySplitAt(first, start))
    return refuse("unaligned", EINVAL, "the range begins inside of a huge page", first);
  for (let area: Area | null = first; area !== null && area.start < end; area = area.next) {
    const foreign = area.userfault !== null && area.userfault !== context;
    if (foreign && !mm.env.release.userfaultUnregistersOthers)
      return refuse("foreign", EINVAL, "it is registered with another userfaultfd", area);
    if (!canWatch(context, area, area.flags))
      return refuse("unfit", EINVAL, "memory of this kind cannot be watched", area);
  }
  return forEachPart(mm, start, end, (area, from, to) => leaveArea(mm, area, from, to));
}

/** Takes an area's part out of its registration; who waits there tries again. */
function leaveArea(mm: AddressSpace, area: Area, start: number, end: number): number {
  const { userfault, flags } = area;
  if (userfault === null) return 0;
  if ((flags & VM_UFFD_WP) !== 0) unprotectPages(mm, area, start, end);
  const change = { flags: withFlags(flags, 0, VM_UFFD_FLAGS), userfault: null };
  const done = modify(mm, area, start, end, change);
  if (typeof done === "number") {
    if ((flags & VM_UFFD_WP) !== 0) protectPages(mm, area, start, end);
    return done;
  }
  userfault.wake(start, end);
  mm.changed("protect", start, end);
  return 0;
}

/** The last descriptor is closed: nothing is watched any more, and everybody tries again (userfaultfd_release). */
export function releaseContext(context: UserfaultContext): void {
  const { mm } = context;
  context.released = true;
  if (!mm.released)
    forEachPart(mm, 0, Infinity, (area, from, to) =>
      area.userfault === context ? leaveArea(mm, area, from, to) : 0,
    );
  context.wake(0, Infinity);
  context.queue.wake();
}

/** Visits what [start, end) has of each area, which `visit` may split and merge; ends at the first errno. */
function forEachPart(
  mm: AddressSpace,
  start: number,
  end: number,
  visit: (area: Area, start: number, end: number) => number,
): number {
  for (let at = start; at < end;) {
    const area = mm.tree.findFirst(at);
    if (area === null || area.start >= end) break;
    const to = Math.min(area.end, end);
    const error = visit(area, Math.max(area.start, at), to);
    if (error !== 0) return error;
    at = to;
  }
  return 0;
}
