import { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { Mmu, READ, WRITE, type AccessKind } from "../../../mmu/mmu.js";
import { PF_PK } from "../../../mmu/page-table-entry.js";
import { PhysicalMemory } from "../../../mmu/physical-memory.js";
import { AddressSpace } from "../../../kernel/mm/address-space.js";
import { createEnvironment, type MmEnvironment } from "../../../kernel/mm/environment.js";
import { FilePages } from "../../../kernel/mm/file-pages.js";
import type { FaultOutcome } from "../../../kernel/mm/fault-outcome.js";
import type { MappableFile } from "../../../kernel/mm/mappable-file.js";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE } from "../../../kernel/mm/uapi.js";
import { UserMemory } from "../../../kernel/mm/user-memory.js";
import { VM_GROWSDOWN, VM_LOCKED } from "../../../kernel/mm/vm-flags.js";
import type { Refusal } from "../../../kernel/refusal.js";

export const PG = 4096;
/** Where the areas of the drawings begin. */
export const BASE = 0x10_0000_0000;
export const ANON = MAP_PRIVATE | MAP_ANONYMOUS;
const INIT_PKRU = 0x5555_5554;

/** An address space on a machine of its own, with what a test asks of it. */
export class Space {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly mmu: Mmu;
  readonly env: MmEnvironment;
  readonly mm: AddressSpace;
  readonly user: UserMemory;
  readonly refusals: Refusal[] = [];

  constructor(options: Partial<MmEnvironment> & { ramMiB?: number } = {}) {
    const { ramMiB = 16, ...environment } = options;
    this.memory = new PhysicalMemory(ramMiB * 2 ** 20);
    this.frames = new FrameAllocator(this.memory);
    this.mmu = new Mmu(this.memory);
    const { mmu } = this;
    mmu.setPkru(INIT_PKRU);
    this.env = createEnvironment({
      frames: this.frames,
      mmu,
      machine: {
        pkru: () => mmu.pkru,
        setPkru: (value) => mmu.setPkru(value),
        provenance: () => ({ instruction: 1234, rip: 0x401000, tid: 1 }),
        pkruWrittenBy: () => ({ instruction: 1000, rip: 0x400f00, tid: 1 }),
        syscall: () => undefined,
      },
      onRefusal: (refusal) => this.refusals.push(refusal),
      ...environment,
    });
    this.mm = new AddressSpace(this.env, 1);
    this.mm.activate();
    this.user = new UserMemory(this.mm);
  }

  /** fork(2), which must succeed: the child's address space. */
  fork(asid: number, parent: AddressSpace = this.mm): AddressSpace {
    const child = parent.fork(this.env, asid);
    if (typeof child === "number") throw new Error(`fork: ${child}`);
    return child;
  }

  /** mmap(MAP_FIXED) of private anonymous pages `page` after BASE. */
  map(page: number, pages: number, prot = 3, flags = ANON): number {
    return this.mm.mmap(BASE + page * PG, pages * PG, prot, flags | MAP_FIXED, null, 0);
  }

  mapFile(
    page: number,
    pages: number,
    prot: number,
    flags: number,
    file: MappableFile,
    filePage = 0,
  ): number {
    return this.mm.mmap(BASE + page * PG, pages * PG, prot, flags | MAP_FIXED, file, filePage * PG);
  }

  at(page: number): number {
    return BASE + page * PG;
  }

  munmap(page: number, pages: number): number {
    return this.mm.munmap(this.at(page), pages * PG);
  }

  protect(page: number, pages: number, prot: number, key = -1): number {
    return this.mm.mprotect(this.at(page), pages * PG, prot, key);
  }

  seal(page: number, pages: number): number {
    return this.mm.mseal(this.at(page), pages * PG, 0);
  }

  advise(page: number, pages: number, advice: number): number {
    return this.mm.madvise(this.at(page), pages * PG, advice);
  }

  /** An access by the program: null when it works, in the end, else the outcome and the CPU's first error code. */
  access(va: number, kind: AccessKind): { outcome: FaultOutcome; cpuErrorCode: number } | null {
    for (let tries = 0; tries < 4; tries++) {
      if (this.mmu.access(va, kind, true) !== -1) return null;
      const cpuErrorCode = this.mmu.fault.errorCode;
      const outcome = this.mm.handleFault(va, cpuErrorCode);
      if (outcome.kind === "signal") return { outcome, cpuErrorCode };
    }
    throw new Error("a fault that never ends");
  }

  /** The access as the tables of the spec write it: "ok", or "code error", as "4 0x25". */
  result(va: number, kind: AccessKind): string {
    const failed = this.access(va, kind);
    if (failed === null) return "ok";
    if (failed.outcome.kind !== "signal") return "?";
    const { signal, code, errorCode } = failed.outcome;
    return `${signal === 7 ? "BUS " : ""}${code} 0x${errorCode.toString(16)}`;
  }

  store(page: number, value: number): void {
    const failed = this.access(this.at(page), WRITE);
    if (failed !== null) throw new Error(`store failed: ${JSON.stringify(failed.outcome)}`);
    const linear = this.mmu.access(this.at(page), WRITE, true);
    this.memory.u8[linear] = value;
  }

  load(page: number): number {
    const failed = this.access(this.at(page), READ);
    if (failed !== null) throw new Error(`load failed: ${JSON.stringify(failed.outcome)}`);
    return this.memory.u8[this.mmu.access(this.at(page), READ, true)];
  }

  setPkru(key: number, rights: number): void {
    this.mmu.setPkru(((this.mmu.pkru & ~(3 << (2 * key))) | (rights << (2 * key))) >>> 0);
  }

  /** The areas above BASE, as the spec draws them: [+start+pages prot flags]. */
  draw(): string {
    let text = "";
    for (const area of this.mm.tree) {
      if (area.start < BASE || area.start >= BASE + 2 ** 32) continue;
      const prot = ["-", "r", "w", "rw", "x", "rx", "wx", "rwx"][area.prot];
      const marks = [
        area.key === 0 ? "" : ` k${area.key}`,
        (area.flags & VM_LOCKED) === 0 ? "" : " lo",
        (area.flags & VM_GROWSDOWN) === 0 ? "" : " gd",
        area.seal === null ? "" : " sl",
      ];
      text += `[+${(area.start - BASE) / PG}+${area.pageCount} ${prot}${marks.join("")}]`;
    }
    return text;
  }

  file(pages: number, options: Partial<MappableFile> = {}): MappableFile & { pages: FilePages } {
    const content = new FilePages(this.frames, pages * PG);
    for (let i = 0; i < pages; i++) content.write(i * PG, Uint8Array.of(0x40 + i));
    return {
      readable: true,
      writable: true,
      device: { major: 8, minor: 1 },
      inode: 77,
      mapName: "/tmp/file",
      ...options,
      pages: content,
    };
  }
}

export { PF_PK };
