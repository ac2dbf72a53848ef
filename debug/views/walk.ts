import { FETCH, READ, WRITE } from "../../mmu/access-kind.js";
import {
  PF_I,
  PF_P,
  PF_PK,
  PF_RSVD,
  PF_U,
  PF_W,
  PTE_A,
  PTE_ANON,
  PTE_D,
  PTE_G,
  PTE_GUARD,
  PTE_POISON,
  PTE_UFFD_WP_MARKER,
  PTE_NX,
  PTE_P,
  PTE_PCD,
  PTE_PROT_NONE,
  PTE_PS,
  PTE_PWT,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_US,
  pkruDeniesAccess,
  pkruDeniesWrite,
  pteFrame,
  pteKey,
} from "../../mmu/page-table-entry.js";
import { walk, type WalkResult } from "../../mmu/walk.js";
import { VM_EXEC, VM_READ, VM_WRITE } from "../../kernel/mm/vm-flags.js";
import { pkruText } from "../explain/refusal-text.js";
import { entryHex, entryName } from "../page-table-text.js";
import type { AccessRow, WalkRow } from "./rows.js";
import { hex, type View } from "./view.js";

const BITS = [
  ["P", PTE_P],
  ["RW", PTE_RW],
  ["US", PTE_US],
  ["PWT", PTE_PWT],
  ["PCD", PTE_PCD],
  ["A", PTE_A],
  ["D", PTE_D],
  ["PS", PTE_PS],
  ["G", PTE_G],
] as const;
/** Bits 9 to 11, which the processor leaves to the kernel, and what it uses them for in a leaf. */
const SOFTWARE_BITS = [
  ["anon", PTE_ANON],
  ["soft-dirty", PTE_SOFT_DIRTY],
] as const;

type Kind = typeof READ | typeof WRITE | typeof FETCH;

function walkTo(view: View, address: number, kind: Kind): WalkResult {
  const { memory, mmu } = view.machine.kernel;
  const { root } = view.task.mm.tables;
  const high = Math.floor(address / 2 ** 32) | 0;
  return walk(memory, root, high, address >>> 0, kind, true, mmu.features, Number(view.registers.pkru));
}

/** The entries of an address from the PML4 down to the leaf, or to the first that is missing, every bit by name. */
export function walkRows(view: View, address: number): WalkRow[] {
  return walkTo(view, address, READ).levels.map(({ level, index, low, high }) => {
    const present = (low & PTE_P) !== 0;
    const leaf = level === 1 || (present && (low & PTE_PS) !== 0);
    const bits: { name: string; set: boolean }[] = BITS.flatMap(([name, bit]) =>
      // PAT's bit of a leaf; D and G mean nothing above one.
      (name === "PS" && level === 1) || ((name === "D" || name === "G") && !leaf)
        ? []
        : [{ name, set: (low & bit) !== 0 }],
    );
    if (leaf) for (const [name, bit] of SOFTWARE_BITS) bits.push({ name, set: (low & bit) !== 0 });
    bits.push({ name: "NX", set: (high & PTE_NX) !== 0 });
    const table = entryName({ level, index });
    const frame = present ? pteFrame(low) : 0;
    const key = leaf && present ? pteKey(high) : undefined;
    const text = [
      table.padEnd(9),
      entryHex(low, high),
      present ? `${leaf ? "page " : "table"} ${hex(frame * 4096).padEnd(10)}` : absence(low),
      ...(present ? [bits.map(({ name, set }) => (set ? name : "-".repeat(name.length))).join(" ")] : []),
      ...(key === undefined ? [] : [`key ${key}`]),
    ].join("  ");
    return { table, level, index, hex: entryHex(low, high), bits, frame, key, text };
  });
}

function absence(low: number): string {
  if ((low & PTE_PROT_NONE) !== 0) return "not present: PROT_NONE keeps its page";
  if (low === PTE_UFFD_WP_MARKER) return "not present: write-protected through userfaultfd";
  if (low === PTE_POISON) return "not present: poisoned through userfaultfd";
  if ((low & PTE_GUARD) !== 0) return "not present: a guard page";
  return "not present";
}

/** Whether the thread could read, write or execute at an address now, and what decides. */
export function accessRows(view: View, address: number): AccessRow[] {
  const kinds = [
    ["read", READ, VM_READ],
    ["write", WRITE, VM_WRITE],
    ["execute", FETCH, VM_EXEC],
  ] as const;
  return kinds.map(([name, access, right]) => {
    const result = walkTo(view, address, access);
    const allowed = result.outcome === "ok";
    const why = allowed ? "" : whyNot(view, address, access, right, result);
    const text = `${name.padEnd(8)} ${allowed ? "yes" : `no   ${why}`}`;
    return { access, name, allowed, why, text };
  });
}

function whyNot(view: View, address: number, kind: Kind, right: number, result: WalkResult): string {
  if (result.outcome === "gp") return "not canonical: #GP";
  const { levels, errorCode, key } = result;
  const code = `#PF ${hex(errorCode)} [ ${errorCodeNames(errorCode)} ]`;
  const area = view.task.mm.findArea(address);
  if (area === null) return `${code}  no area here`;
  const reasons: string[] = [];
  const last = levels.at(-1)!;
  if ((errorCode & PF_RSVD) !== 0) reasons.push(`a reserved bit is set in ${entryName(last)}`);
  else if ((last.low & PTE_P) === 0) {
    if ((area.flags & right) === 0) reasons.push("the area does not permit it");
    else reasons.push(last.low === PTE_GUARD ? "a guard page" : "no page yet: the kernel would bring it in");
  } else {
    if (kind === WRITE && levels.some(({ low }) => (low & PTE_RW) === 0)) {
      const mends = (area.flags & VM_WRITE) !== 0 ? ": the kernel would copy it, or mark it written" : "";
      reasons.push(`RW is clear${mends}`);
    }
    if (kind === FETCH && levels.some(({ high }) => (high & PTE_NX) !== 0)) reasons.push("NX is set");
    const pkru = Number(view.registers.pkru);
    const denies = pkruDeniesAccess(pkru, key) || (kind === WRITE && pkruDeniesWrite(pkru, key));
    if (kind !== FETCH && (errorCode & PF_PK) !== 0 && denies) reasons.push(pkruText(pkru, key));
  }
  return `${code}  ${reasons.join("; ")}`;
}

/** The bits of a page fault's error code (SDM vol. 3A 4.7). */
export function errorCodeNames(code: number): string {
  const names = [
    ["P", PF_P],
    ["W", PF_W],
    ["U", PF_U],
    ["RSVD", PF_RSVD],
    ["I", PF_I],
    ["PK", PF_PK],
  ] as const;
  return names.flatMap(([name, bit]) => ((code & bit) !== 0 ? [name] : [])).join(" ");
}
