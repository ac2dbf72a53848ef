/**
 * An address space's local descriptor table: two words an entry, at least as long as the highest entry ever
 * written needs (arch/x86/kernel/ldt.c). Null where modify_ldt(2) never wrote one.
 */

import type { Descriptor } from "./user-desc.js";

/** LDT_ENTRIES, and the bytes of one. */
export const LDT_ENTRIES = 8192;
export const LDT_ENTRY_BYTES = 8;

export type LocalTable = Uint32Array;

/** The table with an entry set: the same, or a longer copy. */
export function withEntry(table: LocalTable | null, index: number, [low, high]: Descriptor): LocalTable {
  let to = table;
  if (to === null || to.length <= 2 * index) {
    // Longer than asked: an entry that is all 0 is as one beyond the table.
    to = new Uint32Array(2 * Math.min(LDT_ENTRIES, Math.max(index + 1, table?.length ?? 0)));
    if (table !== null) to.set(table);
  }
  to[2 * index] = low;
  to[2 * index + 1] = high;
  return to;
}

/** A table's bytes as modify_ldt(2) reads them. */
export function tableBytes(table: LocalTable): Uint8Array {
  const bytes = new Uint8Array(4 * table.length);
  const view = new DataView(bytes.buffer);
  table.forEach((word, i) => view.setUint32(4 * i, word, true));
  return bytes;
}
