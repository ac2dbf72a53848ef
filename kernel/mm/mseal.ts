/*
 * mseal(addr, length, flags), or the sealing model's own call
 *
 * Refuses, in this order (do_mseal):
 *   what the model says of the arguments; mainline:
 *     EINVAL  flags not 0
 *     EINVAL  addr not page aligned
 *     EINVAL  length not 0 but rounds to 0; the range wraps
 *   (0      length 0, wherever addr points)
 *   then for each area, ascending
 *     ENOMEM  the bytes before it are not mapped: nothing is sealed
 *     what the model says of the area; mainline: nothing
 *   EINVAL  part of a special mapping, which cannot be split
 *   ENOMEM  a split would pass vm.max_map_count
 *
 * Stays applied: the last two come while sealing; the areas before keep their new seals.
 */
import { ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { modify, whyWhole } from "./merge.js";
import { checkSealable, refuseMistake, refuseSealed } from "./sealing/range.js";
import type { SealArguments } from "./sealing/sealing-model.js";

export function mseal(mm: AddressSpace, call: SealArguments): number {
  const { sealing } = mm.env;
  const asked = sealing.readCall(call);
  if ("mistake" in asked) return refuseMistake(mm, "mseal", asked);
  const { start, end, bits } = asked;
  if (end <= start) return 0;

  const obstacle = checkSealable(mm, start, end, bits);
  if (obstacle !== null) {
    if ("area" in obstacle)
      return refuseSealed(mm, "mseal", obstacle.verdict, () => ({
        area: obstacle.area,
        address: Math.max(start, obstacle.area.start),
        applied: "nothing is sealed",
      }));
    const { hole } = obstacle;
    return mm.refuse("mseal.hole", ENOMEM, () => ({
      text: "part of the range is not mapped; nothing is sealed",
      source: "range_contains_unmapped",
      ...(hole < 2 ** 47 ? { address: hole } : {}),
    }));
  }

  const by = mm.env.machine.provenance();
  for (let at = start; at < end;) {
    const area: Area | null = mm.tree.findFirst(at);
    if (area === null || area.start >= end) break;
    const from = Math.max(area.start, at);
    const to = Math.min(area.end, end);
    const seal = sealing.add(area.seal, bits, by);
    if (seal !== area.seal) {
      const sealed: Area | number = modify(mm, area, from, to, { seal });
      if (typeof sealed === "number") {
        const whole = area;
        return mm.refuse("mseal.split", -sealed, () => ({
          text: whyWhole(whole, sealed),
          source: "vma_modify_flags",
          area: whole,
          ...(from > start ? { applied: "the areas before it are sealed and stay so" } : {}),
        }));
      }
      mm.changed("seal", from, to);
    }
    at = to;
  }
  return 0;
}
