import { pkruDeniesAccess, pkruDeniesWrite } from "../../mmu/page-table-entry.js";
import { grouped } from "../explain/refusal-text.js";
import type { KeyRow } from "./rows.js";
import type { View } from "./view.js";

/** What PKRU lets the thread do with each key, and the areas that have it; none on a processor without keys. */
export function keyRows(view: View): KeyRow[] {
  if (!view.machine.kernel.pku) return [];
  const pkru = Number(view.registers.pkru);
  const { mm } = view.task;
  const used = Array.from({ length: 16 }, () => ({ areas: 0, bytes: 0 }));
  for (const area of mm.areas()) {
    const use = used[area.key]!;
    use.areas++;
    use.bytes += area.end - area.start;
  }
  return used.map(({ areas, bytes }, key) => {
    const accessDisabled = pkruDeniesAccess(pkru, key);
    const writeDisabled = ((pkru >>> (2 * key + 1)) & 1) !== 0;
    const rights = accessDisabled ? "none" : pkruDeniesWrite(pkru, key) ? "read" : "read and write";
    const allocated = ((mm.keyMap >>> key) & 1) !== 0;
    const bits = `AD=${Number(accessDisabled)} WD=${Number(writeDisabled)}`;
    const pages = bytes / 4096;
    const use =
      areas === 0
        ? ""
        : `${areas} area${areas === 1 ? "" : "s"}, ${grouped(pages)} page${pages === 1 ? "" : "s"}`;
    const text = `key ${String(key).padStart(2)}  ${bits}  ${rights.padEnd(14)}  ${allocated ? "allocated" : "free     "}  ${use}`;
    return {
      key,
      rights,
      accessDisabled,
      writeDisabled,
      allocated,
      areas,
      areaBytes: bytes,
      text: text.trimEnd(),
    };
  });
}
