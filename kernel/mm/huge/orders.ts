/*
 * Sizes of huge pages of anonymous memory (hugepages-NkB/enabled): 2 MiB, which a leaf of its own maps, and smaller
 * ones, that many pages of 4 KiB brought in by one fault. A size is an order: 2^order pages.
 */
import { VM_HUGEPAGE } from "../vm-flags.js";
import type { MmSettings } from "../environment.js";

/** What hugepages-NkB/enabled says; `inherit`: what transparent_hugepage/enabled says. */
export type OrderEnabled = "always" | "inherit" | "madvise" | "never";

/** The order of 2 MiB, and the smallest there is. */
export const PMD_ORDER = 9;
export const LEAST_ORDER = 2;

/** By order. */
export type HugeOrders = Record<number, OrderEnabled>;

/** Only 2 MiB are turned on, as transparent_hugepage/enabled has it (hugepage_init_sysfs). */
export function initialOrders(): HugeOrders {
  const orders: HugeOrders = {};
  for (let order = LEAST_ORDER; order < PMD_ORDER; order++) orders[order] = "never";
  orders[PMD_ORDER] = "inherit";
  return orders;
}

/** Whether memory may have huge pages of an order. @param flags VM_* of its area */
export function orderEnabled({ hugePages, hugeOrders }: MmSettings, order: number, flags: number): boolean {
  const own = hugeOrders[order];
  const enabled = own === "inherit" ? hugePages : own;
  return enabled === "always" || (enabled === "madvise" && (flags & VM_HUGEPAGE) !== 0);
}

/** An order below that of 2 MiB is turned on for some memory. */
export function hasSmallOrders({ hugePages, hugeOrders }: MmSettings): boolean {
  for (let order = LEAST_ORDER; order < PMD_ORDER; order++)
    if (hugeOrders[order] !== "never" && (hugeOrders[order] !== "inherit" || hugePages !== "never"))
      return true;
  return false;
}
