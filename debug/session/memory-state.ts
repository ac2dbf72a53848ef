import type { Machine } from "../machine.js";
import type { Task } from "../../kernel/task.js";
import { PAGE_SIZE, RAM_BASE } from "../../mmu/layout.js";
import { PTE_D, PTE_P, PTE_PS, PTE_SOFT_DIRTY, pteFrame } from "../../mmu/page-table-entry.js";
import { entryHex } from "../page-table-text.js";
import type { CallChanges } from "./stop-report.js";

const ENTRIES = 512;
const HALVES = 2;

/** What a system call may change of its process, to be compared with what it is afterwards. */
export interface MemoryState {
  readonly areas: readonly string[];
  /** Leaf entries that are not empty: page to all 64 bits. */
  readonly entries: ReadonlyMap<number, string>;
  readonly files: ReadonlyMap<number, string>;
  readonly pkru: number;
}

export function memoryState({ kernel }: Machine, task: Task): MemoryState {
  const { mm } = task;
  const areas = [...mm.areas()].map((area) => {
    const { start, end, prot, key, sealed, seals, name } = mm.snapshotArea(area);
    const bits = ["r", "w", "x"].map((letter, bit) => ((prot & (1 << bit)) === 0 ? "-" : letter)).join("");
    const marks = [
      ...(key === 0 ? [] : [`key ${key}`]),
      ...(sealed ? [seals === undefined ? "sealed" : `sealed (${seals})`] : []),
      ...(name === "" ? [] : [name]),
    ];
    return [`${start.toString(16)}-${end.toString(16)}`, bits, ...marks].join(" ");
  });
  const files = new Map<number, string>();
  for (const [descriptor, file] of task.files) files.set(descriptor, `${file.mapName} at ${file.position}`);
  return {
    areas,
    entries: leafEntries(kernel.memory.u32, mm.tables.root),
    files,
    pkru: kernel.cpu.registers.pkru,
  };
}

function leafEntries(u32: Uint32Array, root: number): Map<number, string> {
  const found = new Map<number, string>();
  const visit = (table: number, level: number, base: number): void => {
    const first = (RAM_BASE + table * PAGE_SIZE) >>> 2;
    const span = PAGE_SIZE * ENTRIES ** (level - 1);
    // Only the lower half is the program's.
    const count = level === 4 ? ENTRIES / 2 : ENTRIES;
    for (let index = 0; index < count; index++) {
      const low = u32[first + index * HALVES]!;
      const high = u32[first + index * HALVES + 1]!;
      if (low === 0 && high === 0) continue;
      const address = base + index * span;
      if (level > 1 && (low & PTE_P) !== 0 && (low & PTE_PS) === 0) visit(pteFrame(low), level - 1, address);
      else found.set(address, entryHex(low, high));
    }
  };
  visit(root, 4, 0);
  return found;
}

const NONE = "0x0";

const LEAF_BYTES = PAGE_SIZE * ENTRIES;
const isLarge = (entry: string | undefined): boolean =>
  entry !== undefined && (BigInt(entry) & BigInt(PTE_PS)) !== 0n;

/** The entries before, where leaves of 2 MiB that have been split since are told as the 512 that a split makes of them. */
function withSplitLeaves(
  before: ReadonlyMap<number, string>,
  after: ReadonlyMap<number, string>,
): ReadonlyMap<number, string> {
  const entries = new Map(before);
  for (const [address, entry] of before) {
    if (!isLarge(entry) || isLarge(after.get(address))) continue;
    const pages = Array.from({ length: ENTRIES }, (_, n) => address + n * PAGE_SIZE);
    if (address % LEAF_BYTES !== 0 || !pages.some((page) => after.has(page))) continue;
    let value = BigInt(entry) & ~BigInt(PTE_PS);
    if ((value & BigInt(PTE_D)) !== 0n) value |= BigInt(PTE_SOFT_DIRTY);
    for (const page of pages) {
      entries.set(page, `0x${value.toString(16).padStart(16, "0")}`);
      value += BigInt(PAGE_SIZE);
    }
  }
  return entries;
}

export function changesBetween(
  before: MemoryState,
  after: MemoryState,
): Pick<CallChanges, "areas" | "entries" | "files" | "pkru"> {
  const had = new Set(before.areas);
  const has = new Set(after.areas);
  const entries = withSplitLeaves(before.entries, after.entries);
  const pages = [...new Set([...entries.keys(), ...after.entries.keys()])].sort((a, b) => a - b);
  const descriptors = [...new Set([...before.files.keys(), ...after.files.keys()])].sort((a, b) => a - b);
  return {
    areas: {
      gone: before.areas.filter((area) => !has.has(area)),
      come: after.areas.filter((area) => !had.has(area)),
    },
    entries: pages
      .map((address) => ({
        address,
        before: entries.get(address) ?? NONE,
        after: after.entries.get(address) ?? NONE,
      }))
      .filter((entry) => entry.before !== entry.after),
    files: descriptors
      .map((descriptor) => ({
        descriptor,
        before: before.files.get(descriptor) ?? null,
        after: after.files.get(descriptor) ?? null,
      }))
      .filter((file) => file.before !== file.after),
    pkru: { before: before.pkru, after: after.pkru },
  };
}
