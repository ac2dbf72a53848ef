import { sealingModel } from "../../../../kernel/mm/sealing/models.js";
import type { MmEnvironment } from "../../../../kernel/mm/environment.js";
import { PG, Space } from "../space.js";

/** A space under a model of sealing, with the calls that its tests make. */
export class SealedSpace extends Space {
  constructor(model: string, options: Partial<MmEnvironment> = {}) {
    super({ sealing: sealingModel(model), ...options });
  }

  /** The model's call on pages after BASE. */
  call(page: number, pages: number, third = 0, fourth = 0): number {
    return this.mm.mseal(this.at(page), pages * PG, third, fourth);
  }

  /** MAP_FIXED over pages. */
  overlay(page: number, pages: number): number {
    return this.map(page, pages, 1);
  }

  /** mremap of pages to others, or in place where `to` is null. */
  remap(page: number, pages: number, newPages: number, to: number | null = null): number {
    const [flags, target] = to === null ? [0, 0] : [3, this.at(to)];
    return this.mm.mremap(this.at(page), pages * PG, newPages * PG, flags, target);
  }

  /** The names of the seals at a page; "" for none. */
  seals(page: number): string {
    const area = this.mm.findArea(this.at(page));
    return area === null ? "unmapped" : (area.seal?.names ?? "");
  }

  /** The rule that refused last: `munmap.sealed by base`. */
  get why(): string {
    const last = this.refusals[this.refusals.length - 1];
    return last === undefined ? "" : `${last.rule}${last.sealing ? ` by ${last.sealing.rule}` : ""}`;
  }
}
