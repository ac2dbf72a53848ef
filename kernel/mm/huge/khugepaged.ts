import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { ScanDaemon } from "../ksm/same-pages.js";
import { HUGE_BYTES } from "../translations.js";
import { collapse, type CollapseLimits } from "./collapse.js";
import { whyNotCollapsible } from "./eligible.js";
import { PMD_ORDER } from "./orders.js";
import { isSharedOn } from "./shared-mount.js";

/** Pages that a look at 2 MiB counts for (HPAGE_PMD_NR). */
const LOOK = 512;

/** /sys/kernel/mm/transparent_hugepage/khugepaged, as far as it can be written. */
export interface CollapseSettings extends CollapseLimits {
  /** For one turn. */
  pagesToScan: number;
  scanSleepMilliseconds: number;
  /** After a turn in which no run of frames was to be had. */
  allocSleepMilliseconds: number;
}

/**
 * Looks through address spaces that have huge pages, or may have, for pages that can become such (khugepaged). One is
 * in the list from its first fault of 2 MiB on, or from MADV_HUGEPAGE on memory in use.
 */
export class Khugepaged {
  readonly settings: CollapseSettings = {
    pagesToScan: 4096,
    scanSleepMilliseconds: 10_000,
    allocSleepMilliseconds: 60_000,
    none: 511,
    shared: 256,
    swap: 64,
  };
  /** In the order in which they are looked through. */
  private readonly spaces: AddressSpace[] = [];
  /** The one that is looked through now, and the address to go on at; null between two passes. */
  private cursor: AddressSpace | null = null;
  private address = 0;
  fullScans = 0;
  pagesCollapsed = 0;
  daemon: ScanDaemon | null = null;

  get startMilliseconds(): number {
    return this.settings.scanSleepMilliseconds;
  }

  /** There is something to look through (khugepaged_has_work). */
  get active(): boolean {
    if (this.spaces.length === 0) return false;
    return this.isOn(this.spaces[0]);
  }

  /** hugepage_pmd_enabled */
  private isOn({ env: { settings, release } }: AddressSpace): boolean {
    const own = settings.hugeOrders[PMD_ORDER];
    if ((own === "inherit" ? settings.hugePages : own) !== "never") return true;
    return release.khugepagedKnowsShared && isSharedOn(settings.sharedMemory.settings);
  }

  /** An area of a file has come, or is advised (khugepaged_enter_vma). */
  consider(mm: AddressSpace, area: Area): void {
    if (mm.collapsible || area.pages?.sharedMemory == null || !this.isOn(mm)) return;
    if (whyNotCollapsible(mm, area, false) === null) this.enter(mm);
  }

  /** __khugepaged_enter */
  enter(mm: AddressSpace): void {
    if (mm.collapsible) return;
    mm.collapsible = true;
    this.spaces.push(mm);
    this.daemon?.wake();
  }

  /** An address space has been given back (__khugepaged_exit). */
  exit(mm: AddressSpace): void {
    const at = this.spaces.indexOf(mm);
    if (this.cursor === mm) this.go(this.spaces[at + 1] ?? null);
    this.spaces.splice(at, 1);
  }

  private go(next: AddressSpace | null): void {
    this.cursor = next;
    this.address = 0;
    if (next === null) this.fullScans++;
  }

  /**
   * One turn (khugepaged_do_scan): as many pages as are set, or the end of the list twice.
   * @returns pages looked at, and how long to sleep
   */
  turn(): { pages: number; milliseconds: number } {
    const { pagesToScan, scanSleepMilliseconds, allocSleepMilliseconds } = this.settings;
    let pages = 0;
    for (let starts = 0; pages < pagesToScan && this.active;) {
      if (this.cursor === null && ++starts === 2) break;
      this.cursor ??= this.spaces[0];
      const looked = this.look(this.cursor, pagesToScan - pages);
      if (looked === "no-run") return { pages, milliseconds: allocSleepMilliseconds };
      pages += looked;
    }
    return { pages, milliseconds: scanSleepMilliseconds };
  }

  /** Goes on in an address space (khugepaged_scan_mm_slot). @returns pages looked at */
  private look(mm: AddressSpace, most: number): number | "no-run" {
    let pages = 0;
    for (let area = mm.tree.findFirst(this.address); area !== null; area = area.next) {
      if (whyNotCollapsible(mm, area, false) !== null) {
        pages++;
        continue;
      }
      const end = area.end - (area.end % HUGE_BYTES);
      let at = Math.max(Math.ceil(area.start / HUGE_BYTES) * HUGE_BYTES, this.address);
      for (; at < end; at += HUGE_BYTES) {
        if (pages >= most) {
          this.address = at;
          return pages;
        }
        pages += LOOK;
        if (this.tries(mm, area, at)) continue;
        this.address = at + HUGE_BYTES;
        return "no-run";
      }
      this.address = area.end;
    }
    this.go(this.spaces[this.spaces.indexOf(mm) + 1] ?? null);
    return pages + 1;
  }

  /** @returns false when no run of frames was to be had */
  private tries(mm: AddressSpace, area: Area, at: number): boolean {
    const result = collapse(mm, area, at, this.settings);
    // Of shared memory it counts what it finds done, too.
    if (result === "collapsed" || (result === "huge" && area.pages !== null)) this.pagesCollapsed++;
    return result !== "no-run";
  }
}
