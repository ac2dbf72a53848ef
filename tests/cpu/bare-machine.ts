import { FrameAllocator } from "../../mmu/frame-allocator.js";
import { Mmu } from "../../mmu/mmu.js";
import { PageTables } from "../../mmu/page-tables.js";
import { PhysicalMemory } from "../../mmu/physical-memory.js";
import { PTE_NX, PTE_P, PTE_RW, PTE_US } from "../../mmu/page-table-entry.js";
import { Cpu, type CpuOptions } from "../../cpu/cpu.js";
import { cpuModel } from "../../cpu/models.js";
import { ReferenceEvaluator } from "../../cpu/ir/evaluator.js";
import { Assembler } from "../../userland/assembler.js";

const PAGE = 4096;
export const CODE = 0x400000;
export const STACK_TOP = 0x7fff_f000;

/** A CPU with page tables and no kernel: tests map pages, load assembled code, and look at what `run` leaves. */
export class BareMachine {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly tables: PageTables;
  readonly mmu: Mmu;
  readonly cpu: Cpu;
  labels = new Map<string, number>();

  constructor(
    options: { reference?: boolean; cpu?: string; pku?: boolean; megabytes?: number; hot?: number } = {},
  ) {
    this.memory = new PhysicalMemory((options.megabytes ?? 16) << 20);
    this.frames = new FrameAllocator(this.memory);
    this.tables = new PageTables(this.frames);
    this.mmu = new Mmu(this.memory);
    this.mmu.setAddressSpace(this.tables.root, 1);
    const model = cpuModel(options.cpu ?? "x86-64-v2", options.pku ?? true);
    if (model === undefined) throw new Error("no such model");
    const executor: CpuOptions["executor"] = options.reference
      ? (memory, imports) => new ReferenceEvaluator(memory, imports)
      : undefined;
    this.cpu = new Cpu(this.memory, this.mmu, {
      model,
      ...(executor === undefined ? {} : { executor }),
      ...(options.hot === undefined ? {} : { hot: options.hot }),
    });
    this.cpu.asid = 1;
    this.map(STACK_TOP - 4 * PAGE, 4);
    this.cpu.registers.setNumber(4, STACK_TOP - 64);
  }

  /** Maps fresh pages. */
  map(va: number, pages: number, { write = true, execute = false, key = 0 } = {}): void {
    for (let i = 0; i < pages; i++)
      this.mapFrame(va + i * PAGE, this.frames.allocate(), { write, execute, key });
  }
  mapFrame(va: number, frame: number, { write = true, execute = false, key = 0 } = {}): void {
    this.tables.set(va, frame, PTE_P | PTE_US | (write ? PTE_RW : 0), (execute ? 0 : PTE_NX) | (key << 27));
    this.mmu.invalidatePage(va);
  }
  frameOf(va: number): number {
    const entry = this.tables.entryAddress(va, false);
    return this.memory.u32[entry >>> 2] >>> 12;
  }

  /** Assembles at `base`, on writable and executable pages; RIP goes to the first instruction. */
  load(source: string, base = CODE, pages = 4): this {
    const asm = new Assembler();
    asm.code(`start:\n${source}`);
    const image = asm.link({ base, entry: "start" });
    this.map(base, pages, { execute: true });
    for (const segment of image.segments) this.poke(segment.address, segment.bytes);
    for (const symbol of image.symbols) this.labels.set(symbol.name, symbol.address);
    this.cpu.registers.rip = image.entry;
    return this;
  }
  poke(va: number, bytes: Uint8Array): void {
    bytes.forEach((byte, i) => (this.memory.u8[this.linear(va + i)] = byte));
  }
  peek(va: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.memory.u8[this.linear(va + i)]);
  }
  peek64(va: number): bigint {
    return new DataView(this.peek(va, 8).buffer).getBigUint64(0, true);
  }
  private linear(va: number): number {
    const entry = this.tables.entryAddress(va, false);
    if (entry === 0) throw new Error(`nothing mapped at 0x${va.toString(16)}`);
    return this.memory.linearOf(this.memory.u32[entry >>> 2] >>> 12) + (va & 0xfff);
  }
  /** Runs to the next SYSCALL or exception. */
  run(limit = 1_000_000): string {
    return this.cpu.run(limit);
  }
}
