/** Breakpoints in the private pages of one address space (kernel/events/uprobes.c: uprobe_write_opcode). */

import { PTE_ANON, pteFrame } from "../../mmu/page-table-entry.js";
import { EFAULT, ENOMEM } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import { bringInOrKill } from "../mm/bring-in.js";
import { VM_HUGETLB, VM_MAYEXEC, VM_MAYSHARE, VM_WRITE } from "../mm/vm-flags.js";
import { BREAKPOINT } from "./instruction.js";
import { addToCounter } from "./reference-counter.js";
import type { Uprobe } from "./uprobe.js";

/** An area that may have breakpoints: private, executable some day, and, to get a new one, not writable (valid_vma). */
export function mayHaveProbes(area: Area, fresh: boolean): boolean {
  const looked = VM_HUGETLB | VM_MAYEXEC | VM_MAYSHARE | (fresh ? VM_WRITE : 0);
  return area.file !== null && (area.flags & looked) === VM_MAYEXEC;
}

/** Where a place of the file lies in an area that maps it; undefined where it does not. */
export function addressIn(area: Area, offset: number): number | undefined {
  const address = area.start + offset - area.pageOffset * 4096;
  return address >= area.start && address < area.end ? address : undefined;
}

/** @returns 0, also where it is there already, or -errno */
export function installBreakpoint(mm: AddressSpace, area: Area, uprobe: Uprobe, address: number): number {
  const instruction = uprobe.instruction();
  if (typeof instruction === "number") return instruction;
  const now = byteAt(mm, area, address);
  if (now < 0 || now === BREAKPOINT) return Math.min(now, 0);
  const counted = uprobe.counterOffset === 0 ? 0 : addToCounter(mm, uprobe, 1);
  if (counted !== 0) return counted;
  const error = writeByte(mm, area, address, BREAKPOINT);
  if (error !== 0 && uprobe.counterOffset !== 0) addToCounter(mm, uprobe, -1);
  return error;
}

/** The instruction comes back, and with it the file's own page where nothing else is different in the private one. */
export function removeBreakpoint(mm: AddressSpace, area: Area, uprobe: Uprobe, address: number): void {
  const instruction = uprobe.instruction();
  if (typeof instruction === "number" || byteAt(mm, area, address) !== BREAKPOINT) return;
  if (uprobe.counterOffset !== 0) addToCounter(mm, uprobe, -1);
  const page = address - (address % 4096);
  if ((mm.translations.low(page) & PTE_ANON) === 0) return;
  if (writeByte(mm, area, address, instruction.bytes[0]!) !== 0) return;
  const { memory } = mm.env.frames;
  const cached = uprobe.pages.frameAt(uprobe.page, false);
  if (cached === -1) return;
  const original = memory.frameBytes(cached);
  const own = memory.frameBytes(pteFrame(mm.translations.low(page)));
  if (own.every((byte, i) => byte === original[i])) mm.translations.drop(page, page + 4096, "pages");
}

/** A byte as the program has it, or -errno. */
function byteAt(mm: AddressSpace, area: Area, address: number): number {
  if (bringInOrKill(mm, area, address, false) !== "ok") return -EFAULT;
  return mm.env.frames.memory.u8[linear(mm, address)]!;
}

function linear(mm: AddressSpace, address: number): number {
  return mm.env.frames.memory.linearOf(pteFrame(mm.translations.low(address))) + (address % 4096);
}

/** Into a private copy of the page. */
function writeByte(mm: AddressSpace, area: Area, address: number, byte: number): number {
  const outcome = bringInOrKill(mm, area, address, true);
  if (outcome !== "ok") return outcome === "no-memory" ? -ENOMEM : -EFAULT;
  const { memory } = mm.env.frames;
  memory.aboutToWrite(pteFrame(mm.translations.low(address)), address % 4096, 1);
  memory.u8[linear(mm, address)] = byte;
  return 0;
}
