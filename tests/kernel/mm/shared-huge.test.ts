import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddressSpace } from "../../../kernel/mm/address-space.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { DEFAULT_SETTINGS } from "../../../kernel/mm/environment.js";
import { sharedMount, type SharedHuge } from "../../../kernel/mm/huge/shared-mount.js";
import { SharedAnonymousFile } from "../../../kernel/mm/shared-anonymous.js";
import { SwapMemory } from "../../../kernel/mm/swap/swap-area.js";
import { addArea } from "../../../kernel/mm/swap/swapon.js";
import { MAP_PRIVATE, MAP_SHARED } from "../../../kernel/mm/uapi.js";
import { READ, WRITE } from "../../../mmu/mmu.js";
import { PG, Space } from "./space.js";

const HUGE = 512;
/** Units of 2 MiB of the file, and of addresses. */
const UNITS = 3;
const PLACES = 8 * HUGE;

const MADV_DONTNEED = 4;
const MADV_REMOVE = 9;
const MADV_NOHUGEPAGE = 15;
const MADV_HUGEPAGE = 14;
const MADV_PAGEOUT = 21;
const MADV_COLLAPSE = 25;

const page = fc.oneof(
  fc.integer({ min: 0, max: UNITS - 1 }).map((unit) => unit * HUGE),
  fc.integer({ min: 0, max: UNITS * HUGE - 1 }),
);
const operation = fc.record({
  what: fc.constantFrom(
    ...[
      "map",
      "map",
      "private",
      "unmap",
      "protect",
      "discard",
      "collapse",
      "collapse",
      "remove",
      "cut",
      "grow",
    ],
    ...[
      "store",
      "store",
      "store",
      "load",
      "write",
      "move",
      "fork",
      "switch",
      "nohuge",
      "out",
      "pin",
      "unpin",
    ],
    ...["huge", "odd"],
  ),
  page,
  pages: fc.constantFrom(1, 3, 200, HUGE, HUGE, 2 * HUGE, HUGE + 7),
  place: fc.constantFrom(0, 0, 0, 4 * HUGE, 4 * HUGE + 1),
  value: fc.integer({ min: 1, max: 255 }),
});

/** A file of shared memory, who maps it, and what it should have. */
class Run {
  private readonly machine: Space;
  private readonly file: SharedAnonymousFile;
  /** By page of the file, but for zeroes. */
  private readonly content = new Map<number, number>();
  private readonly spaces: AddressSpace[];
  private space: Space;
  private readonly pinned: number[] = [];
  private size = UNITS * HUGE;
  leaves = 0;

  constructor(huge: SharedHuge) {
    const mount = { ...sharedMount(true), huge };
    mount.settings.splitsUnevenly = huge !== "never";
    if (huge === "advise")
      Object.assign(mount.settings.orders, { 1: "always", 4: "always", 7: "within_size" });
    this.machine = new Space({
      ramMiB: 48,
      settings: { ...DEFAULT_SETTINGS, sharedMemory: mount },
      onRefusal: null,
    });
    this.space = this.machine;
    this.spaces = [this.machine.mm];
    const host = {
      isBlockDevice: true,
      path: () => "/dev/vda",
      isOf: () => false,
      released: () => undefined,
    };
    addArea(this.machine.env.swap, { pages: 4096, bad: [], store: new SwapMemory(), host }, null, true);
    this.file = new SharedAnonymousFile(this.machine.frames, this.size * PG, 1, mount);
    // It lives on without mappings, as a memfd does.
    this.file.mapped();
  }

  private fileIndex(at: number): number | null {
    const area = this.space.mm.findArea(this.space.at(at));
    return area === null || area.pages !== this.file.pages ? null : area.fileIndex(this.space.at(at));
  }

  step({
    what,
    page,
    pages,
    place,
    value,
  }: typeof operation extends fc.Arbitrary<infer T> ? T : never): void {
    const { space, file } = this;
    const at = page + place;
    const count = Math.min(pages, UNITS * HUGE - page);
    switch (what) {
      case "map":
        space.mapFile(at, count, 3, MAP_SHARED, file, page);
        break;
      case "odd":
        space.mapFile(at, count, 3, MAP_SHARED, file, (page + 1) % (UNITS * HUGE));
        break;
      case "private":
        space.mapFile(at, count, 3, MAP_PRIVATE, file, page);
        break;
      case "unmap":
        space.munmap(at, count);
        break;
      case "protect":
        space.protect(at, count, value % 2 === 0 ? 1 : 3);
        break;
      case "discard":
        space.advise(at, count, MADV_DONTNEED);
        break;
      case "collapse":
        space.advise(at - (at % HUGE), HUGE, MADV_COLLAPSE);
        break;
      case "nohuge":
      case "huge":
        space.advise(at, count, what === "huge" ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        break;
      case "out":
        space.advise(at, count, MADV_PAGEOUT);
        break;
      case "remove": {
        const index = this.fileIndex(at);
        const area = space.mm.findArea(space.at(at));
        if (index === null || area === null) break;
        const length = Math.min(count, (area.end - space.at(at)) / PG);
        if (space.advise(at, length, MADV_REMOVE) !== 0) break;
        for (let n = 0; n < length; n++) this.content.delete(index + n);
        break;
      }
      case "cut":
      case "grow":
        this.size = what === "grow" ? UNITS * HUGE : Math.max(1, page);
        file.pages.truncate(this.size * PG);
        for (const index of [...this.content.keys()]) if (index >= this.size) this.content.delete(index);
        break;
      case "write":
        if (file.pages.write(page * PG, Uint8Array.of(value)) === 1) this.content.set(page, value);
        this.size = Math.max(this.size, page + 1);
        break;
      case "store": {
        const index = this.fileIndex(at);
        if (space.access(space.at(at), WRITE) !== null) break;
        space.store(at, value);
        if (index !== null && (space.mm.findArea(space.at(at))!.flags & 8) !== 0)
          this.content.set(index, value);
        break;
      }
      case "load":
        this.compare(at);
        break;
      case "move": {
        const area = space.mm.findArea(space.at(at));
        if (area === null) break;
        const length = Math.min(count, (area.end - space.at(at)) / PG);
        const to = PLACES + page + (value % 4 === 0 ? 1 : 0);
        space.mm.mremap(space.at(at), length * PG, length * PG, 3, space.at(to));
        break;
      }
      case "fork": {
        if (this.spaces.length > 2) break;
        this.spaces.push(space.fork(1 + this.spaces.length, space.mm));
        break;
      }
      case "switch": {
        const mm = this.spaces[value % this.spaces.length]!;
        mm.activate();
        this.space = Object.assign(Object.create(Space.prototype), this.machine, { mm }) as Space;
        break;
      }
      case "pin": {
        const frame = file.pages.frameAt(page, false);
        if (frame === -1 || this.pinned.length > 2) break;
        this.machine.env.pins.pin(frame);
        this.pinned.push(frame);
        break;
      }
      case "unpin":
        for (const frame of this.pinned.splice(0)) this.machine.env.pins.unpin(frame);
        break;
    }
    for (const { tables } of this.spaces) this.leaves += tables.large.fileCount;
  }

  private compare(at: number): void {
    const { space } = this;
    const index = this.fileIndex(at);
    const area = space.mm.findArea(space.at(at));
    if (index === null || area === null || (area.flags & 8) === 0) return;
    const failed = space.access(space.at(at), READ);
    if (failed === null) expect([at, space.load(at)]).toEqual([at, this.content.get(index) ?? 0]);
    else expect(index).toBeGreaterThanOrEqual(this.size);
  }

  compareAll(): void {
    for (let at = 0; at < PLACES; at += 61) this.compare(at);
    const bytes = new Uint8Array(1);
    for (let index = 0; index < this.size; index += 17) {
      this.file.pages.read(index * PG, bytes);
      expect([index, bytes[0]]).toEqual([index, this.content.get(index) ?? 0]);
    }
  }

  check(): void {
    const tasks = new Map(this.spaces.map((mm, i) => [i, { mm }]));
    for (const mm of this.spaces) mm.users = 1;
    expect(checkMachine({ frames: this.machine.frames, tasks })).toEqual([]);
  }
}

describe("huge pages of shared memory", () => {
  it.each(["never", "always", "advise"] as const)(
    "any sequence of operations on a file that several map keeps tables, references and content right (%s)",
    (huge) => {
      let leaves = 0;
      fc.assert(
        fc.property(fc.array(operation, { minLength: 5, maxLength: 25 }), (operations) => {
          const run = new Run(huge);
          run.step({ what: "map", page: 0, pages: UNITS * HUGE, place: 0, value: 0 });
          run.step({ what: "store", page: 3, pages: 1, place: 0, value: 7 });
          run.step({ what: "collapse", page: 3, pages: 1, place: 0, value: 0 });
          for (const each of operations) {
            run.step(each);
            run.check();
          }
          leaves += run.leaves;
          run.compareAll();
          run.check();
        }),
        { numRuns: 25 },
      );
      expect(leaves).toBeGreaterThan(0);
    },
  );
});
