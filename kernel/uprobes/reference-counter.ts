/** Counters in the program that say whether anybody probes it (update_ref_ctr): USDT's semaphores. */

import { EINVAL, EFAULT } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import { UserMemory } from "../mm/user-memory.js";
import { VM_SHARED, VM_WRITE } from "../mm/vm-flags.js";
import type { Uprobe } from "./uprobe.js";

/** Where the counter lies in an area that has it: writable and private (valid_ref_ctr_vma). */
function counterIn(area: Area, uprobe: Uprobe): number | undefined {
  if (area.file === null || area.pages !== uprobe.pages) return undefined;
  if ((area.flags & (VM_WRITE | VM_SHARED)) !== VM_WRITE) return undefined;
  const address = area.start + uprobe.counterOffset - area.pageOffset * 4096;
  return address >= area.start && address < area.end ? address : undefined;
}

/** @returns 0, also where it is put off until the counter is mapped; -EINVAL where it would become negative */
export function addToCounter(mm: AddressSpace, uprobe: Uprobe, by: 1 | -1): number {
  let result = 0;
  for (const area of mm.tree) {
    const address = counterIn(area, uprobe);
    if (address === undefined) continue;
    result = change(mm, address, by);
    if (by > 0) return result;
    break;
  }
  if (by > 0) uprobe.delayed.add(mm);
  else uprobe.delayed.delete(mm);
  return result;
}

/** An area came: what was put off for want of it is done (delayed_ref_ctr_inc). */
export function countDelayed(mm: AddressSpace, area: Area, uprobe: Uprobe): void {
  if (!uprobe.delayed.has(mm)) return;
  const address = counterIn(area, uprobe);
  if (address === undefined) return;
  change(mm, address, 1);
  uprobe.delayed.delete(mm);
}

function change(mm: AddressSpace, address: number, by: number): number {
  const user = new UserMemory(mm, { foreign: true });
  const bytes = user.read(address, 2);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer);
  const value = view.getInt16(0, true) + by;
  if (value < 0) return -EINVAL;
  view.setInt16(0, value, true);
  return user.writeBytes(address, bytes) ? 0 : -EFAULT;
}
