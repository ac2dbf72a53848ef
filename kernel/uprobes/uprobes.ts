import { EINVAL } from "../errno.js";
import type { Inode } from "../fs/inode.js";
import { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import type { FilePages } from "../mm/file-pages.js";
import type { UprobeDoor } from "../mm/uprobe-door.js";
import { addressIn, installBreakpoint, mayHaveProbes, removeBreakpoint } from "./breakpoint.js";
import { countDelayed } from "./reference-counter.js";
import { Trampoline } from "./trampoline.js";
import { Uprobe, type UprobeConsumer } from "./uprobe.js";

/** Every probed place of the machine (uprobes_tree), and [uprobes]. */
export class Uprobes implements UprobeDoor {
  private readonly byFile = new Map<FilePages, Uprobe[]>();

  constructor(readonly trampoline: Trampoline) {}

  /**
   * Somebody begins to listen at a place of a file (uprobe_register). Breakpoints come where it wants them.
   * @returns the place, or -EINVAL: beyond the end, an odd reference counter, another counter than the others have;
   *   what installBreakpoint says
   */
  register(
    inode: Inode,
    pages: FilePages,
    offset: number,
    counterOffset: number,
    consumer: UprobeConsumer,
  ): Uprobe | number {
    if (offset > pages.size || counterOffset % 2 !== 0) return -EINVAL;
    let uprobe = this.find(pages, offset);
    if (uprobe === undefined) {
      uprobe = new Uprobe(inode, pages, offset, counterOffset);
      inode.hold();
      const others = this.byFile.get(pages);
      if (others === undefined) this.byFile.set(pages, [uprobe]);
      else others.push(uprobe);
    } else if (uprobe.counterOffset !== counterOffset) return -EINVAL;
    uprobe.consumers.push(consumer);
    const error = this.install(uprobe, consumer);
    if (error === 0) return uprobe;
    this.unregister(uprobe, consumer);
    return error;
  }

  unregister(uprobe: Uprobe, consumer: UprobeConsumer): void {
    uprobe.consumers.splice(uprobe.consumers.indexOf(consumer), 1);
    this.removeUnwanted(uprobe);
    if (uprobe.consumers.length > 0) return;
    const left = this.byFile.get(uprobe.pages)!.filter((each) => each !== uprobe);
    if (left.length > 0) this.byFile.set(uprobe.pages, left);
    else this.byFile.delete(uprobe.pages);
    uprobe.inode.drop();
  }

  /** Breakpoints for a consumer, in all areas that may have them (register_for_each_vma). */
  install(uprobe: Uprobe, consumer: UprobeConsumer): number {
    let error = 0;
    this.forEachArea(uprobe, true, (mm, area, address) => {
      if (error === 0 && consumer.wants(mm)) error = installBreakpoint(mm, area, uprobe, address);
    });
    return error;
  }

  /** Breakpoints go where nobody wants them any more. */
  removeUnwanted(uprobe: Uprobe): void {
    this.forEachArea(uprobe, false, (mm, area, address) => {
      if (!uprobe.wantedIn(mm)) removeBreakpoint(mm, area, uprobe, address);
    });
  }

  /** Nobody wanted the hit in this address space (unapply_uprobe). */
  removeFrom(mm: AddressSpace, uprobe: Uprobe): void {
    this.forEachArea(uprobe, false, (other, area, address) => {
      if (other === mm) removeBreakpoint(mm, area, uprobe, address);
    });
  }

  private forEachArea(
    uprobe: Uprobe,
    fresh: boolean,
    visit: (mm: AddressSpace, area: Area, address: number) => void,
  ): void {
    const found: [AddressSpace, Area, number][] = [];
    for (const mapper of uprobe.pages.mappings.all())
      mapper.forEach(uprobe.pages, uprobe.page, uprobe.page + 1, (_start, _end, area) => {
        const address = addressIn(area, uprobe.offset);
        if (address !== undefined && mayHaveProbes(area, fresh)) found.push([mapper.mm, area, address]);
      });
    for (const [mm, area, address] of found) visit(mm, area, address);
  }

  private find(pages: FilePages, offset: number): Uprobe | undefined {
    return this.byFile.get(pages)?.find((uprobe) => uprobe.offset === offset);
  }

  /** The probe behind a breakpoint that was met. */
  at(mm: AddressSpace, address: number): Uprobe | undefined {
    const area = mm.findArea(address);
    if (area === null || area.pages === null || !mayHaveProbes(area, false)) return undefined;
    return this.find(area.pages, area.pageOffset * 4096 + (address - area.start));
  }

  /** uprobe_mmap: what goes wrong has nobody to hear of it. */
  mapped(mm: AddressSpace, area: Area): void {
    const uprobes = area.pages === null ? undefined : this.byFile.get(area.pages);
    if (uprobes === undefined) return;
    const fresh = mayHaveProbes(area, true);
    for (const uprobe of uprobes) {
      countDelayed(mm, area, uprobe);
      const address = addressIn(area, uprobe.offset);
      if (fresh && address !== undefined && uprobe.wantedIn(mm)) installBreakpoint(mm, area, uprobe, address);
    }
  }

  released(mm: AddressSpace): void {
    for (const uprobes of this.byFile.values()) for (const uprobe of uprobes) uprobe.delayed.delete(mm);
  }
}
