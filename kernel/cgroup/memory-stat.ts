import { PAGE_SIZE } from "../../mmu/layout.js";
import { pteFrame } from "../../mmu/page-table-entry.js";
import { PTE_ANON } from "../../mmu/page-table-entry.js";
import type { PageFrame } from "../../mmu/types.js";
import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import { hasFrame } from "../mm/translations.js";
import type { ControlGroup } from "./control-group.js";

/** memory.stat, as far as it can be told: counted when it is read, by looking through the page tables. */
export function memoryStat(kernel: Kernel, group: ControlGroup): string {
  const charges = kernel.cgroups.charges;
  const charged = (frame: PageFrame): boolean => charges?.isWithin(frame, group) ?? false;
  const anonymous = new Set<PageFrame>();
  const mapped = new Set<PageFrame>();
  let pageTables = 0;
  const spaces = new Set<AddressSpace>();
  for (const { mm } of kernel.tasks.values()) if (!mm.released) spaces.add(mm);
  for (const { tables } of spaces) {
    tables.forEachTable((frame) => {
      if (charged(frame)) pageTables++;
    });
    tables.forEachPresentOrSwap(0, 2 ** 47, (_va, low) => {
      const frame = pteFrame(low);
      if (hasFrame(low) && charged(frame)) ((low & PTE_ANON) === 0 ? mapped : anonymous).add(frame);
    });
  }
  let cached = 0;
  for (const holder of kernel.frames.holders)
    for (const frame of holder.heldFrames()) if (charged(frame) && !anonymous.has(frame)) cached++;
  const lines: readonly (readonly [string, number])[] = [
    ["anon", anonymous.size],
    ["file", cached],
    ["kernel", pageTables],
    ["pagetables", pageTables],
    ["file_mapped", mapped.size],
  ];
  return lines.map(([name, pages]) => `${name} ${pages * PAGE_SIZE}\n`).join("");
}
