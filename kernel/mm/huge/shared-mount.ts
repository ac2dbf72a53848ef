/*
 * Which pages of shared memory may come in as 2 MiB (mm/shmem.c): as the mount says that has them (huge=), unless
 * transparent_hugepage/shmem_enabled denies or forces it for all; of memory without a name as hugepages-NkB/shmem_enabled
 * says besides.
 */
import type { VmEvents } from "../environment.js";
import { VM_HUGEPAGE } from "../vm-flags.js";
import { PMD_ORDER } from "./orders.js";

/** The smallest order that shared memory has. */
export const LEAST_SHARED_ORDER = 1;

/** huge= of tmpfs. `within_size`: what lies within the file's size, or is advised; `advise`: what MADV_HUGEPAGE is for. */
export type SharedHuge = "always" | "within_size" | "advise" | "never";

/** transparent_hugepage/shmem_enabled: the mount of memory without a name, or what holds everywhere. */
export type SharedEnabled = SharedHuge | "deny" | "force";

/** hugepages-NkB/shmem_enabled; `inherit`: what shmem_enabled says. */
export type SharedOrderEnabled = SharedHuge | "inherit";

/** One record for the machine. */
export interface SharedSettings {
  enabled: SharedEnabled;
  /** By order. */
  readonly orders: Record<number, SharedOrderEnabled>;
  /** A hole leaves blocks as large as can be around it, not single pages (ReleaseRules.blocksSplitUnevenly). */
  splitsUnevenly: boolean;
  /** Where is counted what comes of it; null: nowhere. */
  events: VmEvents | null;
}

/** What the files of one mount have in common; one record for all of them. */
export interface SharedMount {
  huge: SharedHuge;
  /** It has the memory without a name: shared anonymous, memfds, System V (shm_mnt). */
  readonly internal: boolean;
  settings: SharedSettings;
}

export function sharedSettings(): SharedSettings {
  const orders: Record<number, SharedOrderEnabled> = {};
  for (let order = LEAST_SHARED_ORDER; order < PMD_ORDER; order++) orders[order] = "never";
  orders[PMD_ORDER] = "inherit";
  return { enabled: "never", orders, splitsUnevenly: false, events: null };
}

export function sharedMount(internal: boolean, settings = sharedSettings()): SharedMount {
  return { huge: "never", internal, settings };
}

/** Writes to shmem_enabled (shmem_enabled_store). @returns false for what is not permitted (EINVAL) */
export function setSharedEnabled(internal: SharedMount, enabled: SharedEnabled): boolean {
  const { settings } = internal;
  const inherits = Object.keys(settings.orders).filter(
    (order) => settings.orders[Number(order)] === "inherit",
  );
  // Smaller sizes cannot be forced.
  if (enabled === "force" && inherits.join() !== `${PMD_ORDER}`) return false;
  settings.enabled = enabled;
  if (enabled !== "deny" && enabled !== "force") internal.huge = enabled;
  return true;
}

/** Writes to hugepages-NkB/shmem_enabled (thpsize_shmem_enabled_store). @returns as `setSharedEnabled` */
export function setSharedOrder(
  settings: SharedSettings,
  order: number,
  enabled: SharedOrderEnabled,
): boolean {
  if (enabled === "inherit" && settings.enabled === "force" && order !== PMD_ORDER) return false;
  settings.orders[order] = enabled;
  return true;
}

/** Some shared memory may have 2 MiB (shmem_hpage_pmd_enabled). */
export function isSharedOn({ enabled, orders }: SharedSettings): boolean {
  if (enabled === "deny") return false;
  const own = orders[PMD_ORDER];
  return own === "inherit" ? enabled !== "never" : own !== "never";
}

/** A page of a file, and who asks for it. */
export interface SharedPage {
  readonly mount: SharedMount;
  readonly index: number;
  /** Bytes: the file's, or what it comes to by a write. */
  readonly size: number;
  /** VM_* of the area; null: the file's own operations ask. */
  readonly flags: number | null;
}

/** The mount lets 2 MiB around the page come in at once (shmem_huge_global_enabled). */
function mountAllows({ mount: { huge, settings }, index, size, flags }: SharedPage): boolean {
  if (settings.enabled === "deny") return false;
  if (settings.enabled === "force" || huge === "always") return true;
  if (huge === "never") return false;
  if (huge === "within_size" && endsWithin(index, size, PMD_ORDER)) return true;
  return ((flags ?? 0) & VM_HUGEPAGE) !== 0;
}

function endsWithin(index: number, size: number, order: number): boolean {
  const pages = 2 ** order;
  return Math.ceil(size / 4096) >= (Math.floor(index / pages) + 1) * pages;
}

/** The block of an order around a page may come in at once (shmem_allowable_huge_orders). */
export function sharedOrderAllowed(page: SharedPage, order: number): boolean {
  const { mount, index, size, flags } = page;
  const { enabled, orders } = mount.settings;
  if (flags === null || !mount.internal) return order === PMD_ORDER && mountAllows(page);
  if (enabled === "deny") return false;
  const own = orders[order];
  if (enabled === "force") return own === "inherit";
  switch (own) {
    case "always":
      return true;
    case "inherit":
      return mountAllows(page);
    case "within_size":
      return endsWithin(index, size, order);
    case "advise":
      return (flags & VM_HUGEPAGE) !== 0;
    default:
      return false;
  }
}

/** Nothing may come in but page by page, whatever is asked for. */
export function isPlain({ huge, internal, settings: { enabled, orders } }: SharedMount): boolean {
  if (enabled === "force") return false;
  if (enabled === "deny" || huge !== "never") return enabled === "deny";
  if (!internal) return true;
  for (let order = LEAST_SHARED_ORDER; order <= PMD_ORDER; order++)
    if (orders[order] !== "never" && orders[order] !== "inherit") return false;
  return true;
}
