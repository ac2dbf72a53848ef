import type { PathEntry } from "../kernel/refusal.js";
import {
  PTE_A,
  PTE_D,
  PTE_G,
  PTE_GUARD,
  PTE_POISON,
  PTE_UFFD_WP_MARKER,
  PTE_NX,
  PTE_P,
  PTE_PROT_NONE,
  PTE_PS,
  PTE_RW,
  PTE_US,
  pteFrame,
  pteKey,
} from "../mmu/page-table-entry.js";

const TABLES = ["", "PT", "PD", "PDPT", "PML4"] as const;

/** `PML4[0]`: which entry of which table. */
export function entryName({ level, index }: Pick<PathEntry, "level" | "index">): string {
  return `${TABLES[level]}[${index}]`;
}

/**
 * The bits that are set in an entry, by their names in the SDM: `P RW US A D`, `key 1`, `NX`.
 * @param level of its table; left out, the entry is a leaf, and with PS one of 2 MiB
 */
export function entryBits(low: number, high: number, level = (low & PTE_PS) === 0 ? 1 : 2): string[] {
  if ((low & PTE_P) === 0) {
    if ((low & PTE_PROT_NONE) !== 0) return ["not present (PROT_NONE keeps its frame)"];
    if (low === PTE_UFFD_WP_MARKER) return ["not present (write-protected through userfaultfd)"];
    if (low === PTE_POISON) return ["not present (poisoned through userfaultfd)"];
    if ((low & PTE_GUARD) !== 0) return ["not present (guard)"];
    return ["not present"];
  }
  const bits = ["P", (low & PTE_RW) !== 0 ? "RW" : "read-only"];
  const names = [
    [PTE_US, "US"],
    [PTE_A, "A"],
    [PTE_D, "D"],
    [PTE_G, "G"],
  ] as const;
  for (const [bit, name] of names) if ((low & bit) !== 0) bits.push(name);
  if (level > 1 && (low & PTE_PS) !== 0) bits.push("PS");
  if ((high & PTE_NX) !== 0) bits.push("NX");
  return bits;
}

/** `0x8800000012345067`: an entry's 64 bits. */
export function entryHex(low: number, high: number): string {
  return `0x${(high >>> 0).toString(16).padStart(8, "0")}${(low >>> 0).toString(16).padStart(8, "0")}`;
}

/** One entry in words: `frame 0x12345, P RW US A D, key 1`. */
export function entryText({ low, high, level }: PathEntry): string {
  const bits = entryBits(low, high, level).join(" ");
  if ((low & PTE_P) === 0) return bits;
  const frame = `frame 0x${pteFrame(low).toString(16)}`;
  return level === 1 || (low & PTE_PS) !== 0 ? `${frame}, ${bits}, key ${pteKey(high)}` : `${frame}, ${bits}`;
}
