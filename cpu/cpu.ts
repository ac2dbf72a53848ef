import { PAGE_SIZE } from "../mmu/layout.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { BlockRunner, TWO47, type CpuOptions, type ExitReason } from "./block-runner.js";
import { linearOfCode } from "./compat/code-view.js";
import { MAX_INSTRUCTION_BYTES } from "./decode/block-decoder.js";
import { loadsStackSegment } from "./decode/stack-segment.js";
import { EXCEPTION_DB } from "./exceptions.js";
import type { HardwareBreakpoints } from "./hardware-breakpoints.js";
import { RFLAGS_TF } from "./registers.js";
import type { DescriptorTables, SegmentFault } from "./segments.js";
import { FLAG_OTHER, MXCSR } from "./state.js";
import { StopPoints, type Watch } from "./stop-points.js";
import { readXsave, resetXstate, writeXsave } from "./xstate.js";

export type { CpuExit, CpuOptions, ExitReason } from "./block-runner.js";

/**
 * Instructions between two returns to TypeScript. V8 has no on-stack replacement for WebAssembly, so the loop must
 * return now and then for its optimised code to be used; short at first, while it is being compiled.
 */
const SLICE = 65_521;
const FIRST_SLICES = 1 << 12;

/** An x86-64 processor in user mode, as the kernel and a debugger see it. */
export class Cpu extends BlockRunner {
  private pkruListened = false;
  /** Pages that stay out of the TLB for all who ever had breakpoints of their own there. */
  private readonly hardwarePages = new Set<number>();

  constructor(memory: PhysicalMemory, mmu: Mmu, options: CpuOptions) {
    super(memory, mmu, options);
    this.resetXstate();
    this.registers.segments.reset();
  }

  /** Where descriptors are read when a segment register is loaded. */
  get descriptorTables(): DescriptorTables {
    return this.registers.segments.tables;
  }
  set descriptorTables(tables: DescriptorTables) {
    this.registers.segments.tables = tables;
  }
  /** Which code runs, by CS's descriptor cache. */
  get mode(): 64 | 32 | 16 {
    return this.registers.segments.mode;
  }
  /** As MOV to ES, SS, DS, FS or GS: loads the register, with the base of FS and GS; or changes nothing. */
  loadSegment(i: number, selector: number): SegmentFault | undefined {
    return this.registers.segments.load(i, selector);
  }
  /** The checks of IRET to user mode: loads CS and SS, or changes nothing. */
  returnTo(cs: number, ss: number): SegmentFault | undefined {
    return this.registers.segments.returnTo(cs, ss);
  }

  /** A debugger's stops; null takes them away. */
  get stopPoints(): StopPoints | null {
    return this.stops;
  }
  set stopPoints(stopPoints: StopPoints | null) {
    const stops = stopPoints ?? (this.pkruListened ? new StopPoints() : null);
    if (stops !== null) stops.listened = this.pkruListened;
    // Blocks that were decoded for other boundaries may go past these.
    if (stops !== this.stops && (this.stops !== null || stops!.boundaries.size > 0)) this.blocks.dropAll();
    this.stops = stops;
    this.access.stopPoints = stops;
    this.code.stopPoints = stops;
    this.mmu.withheld = stops === null ? null : stops.pages;
  }

  get hardwareBreakpoints(): HardwareBreakpoints | null {
    return this.hardware;
  }
  set hardwareBreakpoints(breakpoints: HardwareBreakpoints | null) {
    if (breakpoints === this.hardware) return;
    this.hardware = breakpoints;
    this.access.hardware = breakpoints;
    if (breakpoints === null) return;
    const { hardwareBoundaries: places, hardwarePages: pages } = this;
    const before = [places.size, pages.size];
    for (const { start, end, kind } of breakpoints.list)
      if (kind === "execute") places.add(start);
      else for (let at = start - (start % PAGE_SIZE); at < end; at += PAGE_SIZE) pages.add(at);
    this.code.hardwareBoundaries = places;
    this.mmu.watched = pages;
    if (places.size !== before[0]) this.blocks.dropAll();
    if (pages.size !== before[1]) this.mmu.flush();
  }

  /** Code at these addresses is decoded anew, so that blocks end before them. */
  addBoundaries(addresses: Iterable<number>): void {
    const { boundaries } = this.stops!;
    const before = boundaries.size;
    for (const address of addresses) boundaries.add(address);
    if (boundaries.size !== before) this.blocks.dropAll();
  }

  /** From now on every access to the watch's pages is seen. */
  addWatch(watch: Watch): void {
    if (this.stops!.withhold(watch)) this.mmu.flush();
  }

  /** Whether a run ends behind each instruction that writes PKRU. */
  stopAtPkru(on: boolean): void {
    const stops = this.stops!;
    if (on && !stops.pkru) this.blocks.dropAll();
    stops.pkru = on;
  }

  /** The same, for listeners, who may come and go with or without a debugger. */
  listenToPkru(on: boolean): void {
    this.pkruListened = on;
    this.stopPoints = this.stops;
    if (on) this.blocks.dropAll();
  }

  saveContext(into?: Uint8Array): Uint8Array {
    return this.registers.save(into);
  }
  loadContext(context: Uint8Array): void {
    this.registers.load(context);
  }
  xsaveArea(): Uint8Array {
    return writeXsave(this.memory, this.model, this.registers);
  }
  loadXsaveArea(bytes: Uint8Array): void {
    readXsave(this.memory, this.model, this.registers, bytes);
  }
  /** x87, SSE as after FNINIT with MXCSR 0x1f80; PKRU is left alone. */
  resetXstate(): void {
    resetXstate(this.memory);
    this.u32[MXCSR >>> 2] = 0x1f80;
  }

  /** Linear address of the code at an instruction pointer, as CS stands. */
  codeAddress(rip: number): number {
    return linearOfCode(this.views.of(this.registers.segments), rip);
  }

  /**
   * Runs at most `maxInstructions` instructions, exactly as many if nothing else stops it.
   * `exit` says more about an exception.
   */
  run(maxInstructions: number): ExitReason {
    this.registers.refreshPkru(this.asid);
    this.lookAtCode();
    const end = this.instructions + maxInstructions;
    this.rip = this.registers.rip;
    this.exit.reason = "budget";
    let going = this.rip < TWO47 || this.instructions >= end || this.exceptions.fetchAboveUserSpace(this.rip);
    while (going && this.instructions < end) {
      if (this.stops !== null && this.stopsBefore(this.stops)) {
        this.exit.reason = "breakpoint";
        break;
      }
      const held = this.hardware?.heldAt === this.instructions;
      if (this.hardware !== null && !held && this.meetsHardware(this.hardware)) break;
      const before = this.pkruWriter.instruction;
      if ((this.u32[FLAG_OTHER >>> 2] & RFLAGS_TF) !== 0) going = this.stepWithTrap();
      else if (held) going = this.endHold(this.hardware!);
      else {
        const from = this.instructions;
        going = this.slice(Math.min(end - from, this.slices < 64 ? FIRST_SLICES : SLICE));
        if (this.sliceBegan !== null) this.regions?.sampled(this.sliceBegan, this.instructions - from);
      }
      if (
        this.stops?.endsAtPkru === true &&
        this.pkruWriter.instruction !== before &&
        this.exit.reason === "budget"
      ) {
        this.exit.reason = "pkru";
        break;
      }
    }
    // Above user space only the register has it exactly.
    if (this.rip < TWO47) this.registers.rip = this.rip;
    this.mmu.setPkru(this.registers.pkru);
    return this.exit.reason;
  }

  /**
   * Executes the one instruction that `bytes` begin with as if it stood at RIP, whatever stands there. A debugger's
   * breakpoint there does not count.
   */
  runInstruction(bytes: Uint8Array): ExitReason {
    this.registers.refreshPkru(this.asid);
    this.lookAtCode();
    this.rip = this.registers.rip;
    this.exit.reason = "budget";
    const before = this.instructions;
    this.code.instead = bytes;
    try {
      const traps = (this.u32[FLAG_OTHER >>> 2] & RFLAGS_TF) !== 0;
      for (let going = true; going && this.instructions === before;)
        going = traps ? this.stepWithTrap() : this.step(false);
    } finally {
      this.code.instead = null;
    }
    if (this.rip < TWO47) this.registers.rip = this.rip;
    this.mmu.setPkru(this.registers.pkru);
    return this.exit.reason;
  }

  private stopsBefore(stops: StopPoints): boolean {
    return stops.breakpoints.has(this.code.linear(this.rip)) && stops.passed !== this.instructions;
  }

  /** The instruction behind MOV to SS. Where it enters the kernel, #DB is the kernel's, which makes nothing of it. */
  private endHold(hardware: HardwareBreakpoints): boolean {
    const going = this.step(true);
    if (!going) hardware.hits = 0;
    return going;
  }

  /** #DB comes before the next instruction, or was held back by a debugger's stop. */
  private meetsHardware(hardware: HardwareBreakpoints): boolean {
    if (hardware.hits === 0 && !hardware.stopsBefore(this.code.linear(this.rip), this.instructions))
      return false;
    this.exceptions.report(EXCEPTION_DB, 0);
    return true;
  }

  /** One instruction that touches watched bytes: behind it the run ends, unless it faults. */
  protected stepWatched(): boolean {
    const { rip, access, stops } = this;
    if (stops !== null) {
      stops.hit = null;
      stops.noting = true;
    }
    access.notingHardware = true;
    let going: boolean;
    try {
      going = this.step(true);
    } finally {
      if (stops !== null) stops.noting = false;
      access.notingHardware = false;
    }
    const { hardware } = this;
    if (hardware !== null && !going && this.exit.reason === "exception") hardware.hits = 0;
    const hit = stops === null ? null : (stops.hit as { rip: number } | null);
    if (!going || (hit === null && stops?.changed !== true))
      return going && (hardware === null || hardware.hits === 0 || this.trapsBehind(rip, hardware));
    if (hit !== null) hit.rip = rip;
    this.exit.reason = "watchpoint";
    return false;
  }

  /** #DB behind an instruction that touched data. @returns whether the run goes on first */
  private trapsBehind(rip: number, hardware: HardwareBreakpoints): boolean {
    const bytes = this.code.fetch(rip, MAX_INSTRUCTION_BYTES);
    if (bytes === undefined || !loadsStackSegment(bytes)) return this.exceptions.report(EXCEPTION_DB, 0);
    hardware.heldAt = this.instructions;
    return true;
  }

  /** One instruction under TF: #DB behind it. */
  private stepWithTrap(): boolean {
    if (!this.step(false)) return false;
    return this.exceptions.report(EXCEPTION_DB, 0);
  }
}
