import { areaName } from "../../kernel/mm/proc-maps.js";
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from "../../kernel/mm/vm-flags.js";
import { sealerText } from "../explain/refusal-text.js";
import { usesOf } from "./instructions.js";
import type { AreaMark, AreaRow } from "./rows.js";
import type { View } from "./view.js";

const LETTERS: readonly (readonly [AreaMark, string])[] = [
  ["executed", "x"],
  ["read", "r"],
  ["written", "w"],
  ["faulting", "!"],
];

/**
 * The thread's areas, ascending; those that its next instruction fetches, reads or writes are marked, and the one where
 * it has just faulted.
 */
export function areaRows(view: View, faultAddress?: number): AreaRow[] {
  const { mm } = view.task;
  const uses = usesOf(view);
  const rows = [...mm.areas()].map((area) => {
    const { start, end, flags, key } = area;
    const meets = (address: number, size = 1): boolean =>
      address < end && start < address + Math.max(size, 1);
    const marks: AreaMark[] = [];
    if (meets(view.rip)) marks.push("executed");
    if (uses.some((use) => use.reads && meets(use.address, use.size))) marks.push("read");
    if (uses.some((use) => use.writes && meets(use.address, use.size))) marks.push("written");
    if (faultAddress !== undefined && meets(faultAddress)) marks.push("faulting");
    const permissions =
      ((flags & VM_READ) !== 0 ? "r" : "-") +
      ((flags & VM_WRITE) !== 0 ? "w" : "-") +
      ((flags & VM_EXEC) !== 0 ? "x" : "-") +
      ((flags & VM_MAYSHARE) !== 0 ? "s" : "p");
    const snapshot = mm.snapshotArea(area);
    const seal = snapshot.sealed ? (snapshot.seals ?? "sealed") : "";
    const sealedBy =
      snapshot.sealedBy === undefined ? "" : sealerText(snapshot.sealedBy, (address) => view.nameAt(address));
    return { start, end, permissions, key, seal, sealedBy, name: areaName(mm, area), marks };
  });
  const sealColumn = Math.max(0, ...rows.map(({ seal }) => seal.length));
  const sizeColumn = Math.max(...rows.map(({ start, end }) => sizeText(end - start).length), 0);
  return rows.map((row) => {
    const mark = LETTERS.map(([name, letter]) => (row.marks.includes(name) ? letter : " ")).join("");
    const range = `${row.start.toString(16).padStart(12, "0")}-${row.end.toString(16).padStart(12, "0")}`;
    const key = row.key === 0 ? "     " : `key${String(row.key).padStart(2)}`;
    const seal = sealColumn === 0 ? "" : `  ${row.seal.padEnd(sealColumn)}`;
    const size = sizeText(row.end - row.start).padStart(sizeColumn);
    const text = `${mark} ${range} ${row.permissions} ${size}  ${key}${seal}  ${row.name}`;
    return { ...row, text: text.trimEnd() };
  });
}

function sizeText(bytes: number): string {
  if (bytes < 2 ** 20) return `${bytes / 1024}K`;
  return bytes < 2 ** 30 ? `${Math.round(bytes / 2 ** 20)}M` : `${Math.round(bytes / 2 ** 30)}G`;
}
