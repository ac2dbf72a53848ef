import type { AddressSpace } from "./address-space.js";
import { modify } from "./merge.js";

/**
 * Seals what is mapped of [start, end) bytes, page aligned, because the system itself wants it so: with all that the
 * model of sealing has, and without asking it whether memory may be sealed. What cannot be split (a part of a special
 * mapping, the map count) is left as it is.
 * @param by who, for a reader of "sealed by ...": `--seal-elf at exec`
 */
export function sealBySystem(mm: AddressSpace, start: number, end: number, by: string): void {
  const { sealing, machine } = mm.env;
  if (sealing.systemBits === 0) return;
  const provenance = { ...machine.provenance(), by };
  for (let at = start; at < end;) {
    const area = mm.tree.findFirst(at);
    if (area === null || area.start >= end) break;
    const from = Math.max(area.start, at);
    const to = Math.min(area.end, end);
    const seal = sealing.add(area.seal, sealing.systemBits, provenance);
    if (seal !== area.seal && typeof modify(mm, area, from, to, { seal }) !== "number")
      mm.changed("seal", from, to);
    at = to;
  }
}
