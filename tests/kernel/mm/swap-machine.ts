import { expect } from "vitest";
import type { AddressSpace } from "../../../kernel/mm/address-space.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { DEFAULT_SETTINGS } from "../../../kernel/mm/environment.js";
import { SharedAnonymousFile } from "../../../kernel/mm/shared-anonymous.js";
import { isSwapped } from "../../../kernel/mm/swap/entry.js";
import { SwapMemory, type SwapArea } from "../../../kernel/mm/swap/swap-area.js";
import { addArea, removeArea } from "../../../kernel/mm/swap/swapon.js";
import { hasFrame } from "../../../kernel/mm/translations.js";
import { MAP_SHARED } from "../../../kernel/mm/uapi.js";
import { PG, Space } from "./space.js";

/** A machine with address spaces of which one runs, and with swap areas. */
export class SwapMachine {
  readonly first: Space;
  /** Those that live, the running one among them. */
  readonly spaces: AddressSpace[];
  readonly areas: SwapArea[] = [];
  private nextAsid = 2;
  /** The running one, for accesses. */
  now: Space;

  constructor(ramMiB = 4, hugePages: "always" | "never" = "never") {
    this.first = new Space({ ramMiB, settings: { ...DEFAULT_SETTINGS, hugePages } });
    this.spaces = [this.first.mm];
    this.now = this.first;
  }

  get swap(): Space["env"]["swap"] {
    return this.first.env.swap;
  }

  swapOn(pages: number, priority: number | null = null): SwapArea {
    const host = {
      isBlockDevice: true,
      path: () => "/dev/vda",
      isOf: () => false,
      released: () => undefined,
    };
    const area = addArea(this.swap, { pages, bad: [], store: new SwapMemory(), host }, priority, true);
    this.areas.push(area);
    return area;
  }

  swapOff(area: SwapArea): number {
    const result = removeArea(this.swap, area, this.now.mm);
    if (result === 0) this.areas.splice(this.areas.indexOf(area), 1);
    return result;
  }

  fork(): number {
    const child = this.now.fork(this.nextAsid++, this.now.mm);
    child.users = 1;
    this.spaces.push(child);
    return this.spaces.length - 1;
  }

  run(which: number): void {
    const mm = this.spaces[which]!;
    mm.activate();
    this.now = Object.assign(Object.create(Space.prototype), this.first, { mm }) as Space;
  }

  /** The running one ends; the first one goes on. */
  exit(which: number): void {
    this.run(0);
    const [gone] = this.spaces.splice(which, 1);
    gone!.release();
  }

  /** A shared anonymous mapping. */
  mapShared(page: number, pages: number): number {
    const file = new SharedAnonymousFile(this.first.frames, pages * PG, 1);
    return this.now.mapFile(page, pages, 3, MAP_SHARED, file);
  }

  /** P present, S swapped, . neither. */
  where(page: number, pages: number, mm = this.now.mm): string {
    let text = "";
    for (let at = page; at < page + pages; at++) {
      const low = mm.translations.low(this.now.at(at));
      text += hasFrame(low) ? "P" : isSwapped(low) ? "S" : ".";
    }
    return text;
  }

  /** Writes pages, each with a byte of its own that is not 0. */
  fill(page: number, pages: number): void {
    for (let at = page; at < page + pages; at++) this.now.store(at, 1 + (at % 250));
  }

  loadAll(page: number, pages: number): number[] {
    return Array.from({ length: pages }, (_, at) => this.now.load(page + at));
  }

  consistent(): void {
    for (const mm of this.spaces) mm.users = Math.max(mm.users, 1);
    const tasks = new Map(this.spaces.map((mm, at) => [at, { mm }]));
    expect(checkMachine({ frames: this.first.frames, tasks })).toEqual([]);
  }
}
