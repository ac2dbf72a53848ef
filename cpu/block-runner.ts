import { PAGE_SIZE } from "../mmu/layout.js";
import { type Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import "./instructions.js";
import type { Block } from "./block.js";
import { BlockCache } from "./block-cache.js";
import { CalloutHost, type PkruWriter } from "./callout-host.js";
import { CodeSource } from "./code-source.js";
import { HOT, Regions } from "./compiler/regions.js";
import { CodeViews, LONG_VIEW } from "./compat/code-view.js";
import { callouts } from "./callouts.js";
import { BlockDecoder } from "./decode/block-decoder.js";
import {
  EXIT_AGAIN,
  EXIT_BUDGET,
  EXIT_CODE_WRITE,
  EXIT_DISPATCH,
  EXIT_EXCEPTION,
  EXIT_FAR,
  EXIT_INTERRUPT,
  EXIT_LINK_D,
  EXIT_LINK_E,
  EXIT_REGION,
  EXIT_STALE,
  EXIT_STATE,
  EXIT_SYSCALL,
  EXIT_WATCH,
} from "./exit-codes.js";
import { EXCEPTION_BP, EXCEPTION_DB, EXCEPTION_OF, Exceptions } from "./exceptions.js";
import { GuestAccess, VECTOR_GP } from "./guest-access.js";
import { HardwareBreakpoints } from "./hardware-breakpoints.js";
import { microOps } from "./ir/registry.js";
import type { CpuModel } from "./models.js";
import { RECORD_D, RECORD_E } from "./record.js";
import { Registers, RFLAGS_TF } from "./registers.js";
import {
  EXIT_ERROR,
  EXIT_RECORD,
  EXIT_VECTOR,
  FLAG_OTHER,
  FUEL,
  PKRU_WRITER_FUEL,
  PKRU_WRITER_RECORD,
  JUMP_TAG,
  R11,
  RCX,
  RIP,
  RSP,
} from "./state.js";
import type { StopPoints } from "./stop-points.js";
import { interpreter, type ExecutorFactory, type ExecutorImports, type Executor } from "./executor.js";

/**
 * "breakpoint": before the instruction at one. "watchpoint": behind the instruction that met one. "pkru": behind one
 * that wrote PKRU. "interrupt": behind an INT 0x80 that the kernel asks for.
 */
export type ExitReason =
  "budget" | "syscall" | "interrupt" | "exception" | "breakpoint" | "watchpoint" | "pkru";

/** Why `run` returned. One object, overwritten by each run. */
export interface CpuExit {
  reason: ExitReason;
  /** Exception vector (SDM vol. 3, 6.15): 14 for #PF …. */
  vector: number;
  errorCode: number;
  /** CR2 of a #PF; above 2^53 only `addressBig` is exact. */
  address: number;
  addressBig: bigint;
}

export interface CpuOptions {
  readonly model: CpuModel;
  /** Another tier than the WebAssembly interpreter. */
  readonly executor?: ExecutorFactory;
  /** Instructions that a block must have stood for to be compiled (a million by default); Infinity: never. */
  readonly hot?: number;
}

export const TWO47 = 2 ** 47;
/** In the place of an address space: no jump is cached. */
const NO_JUMPS = 0xfffffffe;
/** Error code of INT 0x80 where its gate is closed: the vector's place in the IDT. */
const CLOSED_GATE_80 = 0x402;
const TWO32 = 0x1_0000_0000;

/** Runs decoded blocks, in the executor or compiled, until something ends the run: exactly, to the instruction. */
export abstract class BlockRunner {
  readonly registers: Registers;
  readonly model: CpuModel;
  /** How the last run ended. */
  readonly exit: CpuExit;
  /** Instructions retired so far; a `rep` instruction counts once. */
  instructions = 0;
  /** The last WRPKRU executed. */
  readonly pkruWriter: PkruWriter = { instruction: 0, rip: 0 };
  /** Whose jumps count in the jump cache: to be set with the MMU's address space. */
  asid = 0;
  /** Whether INT 0x80 ends a run as "interrupt" with that vector; otherwise its gate is closed to user mode: #GP. */
  opensInt80 = false;
  readonly blocks: BlockCache;
  protected readonly access: GuestAccess;
  protected readonly code: CodeSource;
  protected readonly views = new CodeViews();
  protected readonly exceptions: Exceptions;
  private readonly calloutHost: CalloutHost;
  private readonly executor: Executor;
  /** Hot code as WebAssembly functions; null where the executor knows none. */
  readonly regions: Regions | null;
  protected readonly u32: Uint32Array;
  private readonly i32: Int32Array;
  /** Instructions granted to the running slice, before its blocks paid. */
  private granted = 0;
  protected slices = 0;
  /** The block that the last slice began with. */
  protected sliceBegan: Block | null = null;
  /** RIP at which the run stands between two slices. */
  protected rip = 0;
  protected stops: StopPoints | null = null;
  /** What the debug registers of whoever runs ask for. */
  protected hardware: HardwareBreakpoints | null = null;
  /** Where blocks begin for all who ever had some. */
  protected readonly hardwareBoundaries = new Set<number>();

  constructor(
    readonly memory: PhysicalMemory,
    readonly mmu: Mmu,
    options: CpuOptions,
  ) {
    this.model = options.model;
    this.u32 = memory.u32;
    this.i32 = memory.i32;
    this.registers = new Registers(memory, mmu);
    this.blocks = new BlockCache(memory, mmu);
    this.access = new GuestAccess(memory, mmu, this.blocks);
    this.code = new CodeSource(memory, mmu, this.blocks, new BlockDecoder(options.model));
    this.exceptions = new Exceptions(this.u32, this.registers, this.code);
    this.exit = this.exceptions.exit;
    this.calloutHost = new CalloutHost(this, this.access);
    memory.onCodeWrite = (frame, offset, length) => {
      if (this.blocks.hasCode(frame, offset, length)) this.blocks.dropFrame(frame);
    };
    this.blocks.beforeDropAll = () => this.notePkruWriter();
    const table = callouts();
    const imports: ExecutorImports = {
      slow: (argument) => this.access.slow(argument),
      callout: (number, record) => table[number](this.calloutHost, record),
    };
    this.executor = options.executor?.(memory, imports) ?? interpreter(memory, imports);
    const { regions } = this.executor;
    this.regions =
      regions === undefined || options.hot === Infinity
        ? null
        : new Regions(memory, mmu, this.blocks, regions, (rip) => this.isBoundary(rip), options.hot ?? HOT);
    mmu.onTranslationChange = (start, end) => {
      this.blocks.translationChanged(start, end);
      this.regions?.translationChanged(start, end);
    };
  }

  /** No block goes past it: somebody may want to stop there. */
  private isBoundary(rip: number): boolean {
    if (this.stops === null && this.hardwareBoundaries.size === 0) return false;
    const at = this.code.linear(rip);
    return this.stops?.boundaries.has(at) === true || this.hardwareBoundaries.has(at);
  }

  /** Exact while a callout of `record` runs. */
  instructionsAt(record: number): number {
    const block = this.blocks.ofRecord(record);
    return (
      this.instructions +
      this.granted -
      this.i32[FUEL >>> 2] -
      (block.rips.length - 1) +
      this.blocks.instructionOf(record, block)
    );
  }

  /** RIP of the instruction that `record` belongs to. */
  ripOf(record: number): number {
    const block = this.blocks.ofRecord(record);
    return block.rips[this.blocks.instructionOf(record, block)];
  }

  /** Forgets the block that `record` stands in, with its page. */
  dropBlockOf(record: number): void {
    this.blocks.dropFrame(Math.floor(this.blocks.ofRecord(record).physical / PAGE_SIZE));
  }

  /** Notes which code CS makes run. */
  protected lookAtCode(): void {
    this.code.view = this.views.of(this.registers.segments);
    // The jump cache knows 64-bit code only.
    this.u32[JUMP_TAG >>> 2] = this.code.view === LONG_VIEW ? this.asid : NO_JUMPS;
  }

  protected slice(budget: number): boolean {
    this.slices++;
    let block = this.code.blockAt(this.rip);
    this.sliceBegan = block ?? null;
    if (block === undefined) return this.exceptions.fetchFault();
    this.granted = budget;
    let fuel = budget;
    for (;;) {
      fuel -= block.rips.length - 1;
      if (fuel < 0) {
        // Fewer instructions are left than the block has: one at a time.
        this.retire(fuel + block.rips.length - 1);
        this.rip = block.rip;
        return this.instructionsLeftInSlice(budget, fuel + block.rips.length - 1);
      }
      this.i32[FUEL >>> 2] = fuel;
      const code = this.executor.run(block.record);
      fuel = this.i32[FUEL >>> 2];
      const record = this.u32[EXIT_RECORD >>> 2];
      switch (code) {
        case EXIT_LINK_D:
        case EXIT_LINK_E: {
          const from = this.blocks.ofRecord(record);
          const slot = code === EXIT_LINK_D ? RECORD_D : RECORD_E;
          this.rip = code === EXIT_LINK_D ? from.taken : from.notTaken;
          if (this.rip < 0 || this.rip >= TWO47) {
            this.retire(fuel);
            return this.leftUserSpace(record);
          }
          if (this.isBoundary(this.rip)) {
            this.retire(fuel);
            return true;
          }
          const decodedBefore = this.blocks.decoded;
          const target = this.code.blockAt(this.rip);
          if (target === undefined) {
            this.retire(fuel);
            return this.exceptions.fetchFault();
          }
          // Decoding may have emptied the arena, and with it `from`.
          if (decodedBefore === this.blocks.decoded || this.blocks.byId(from.id) === from)
            this.link(record, slot, from, target);
          block = target;
          continue;
        }
        case EXIT_DISPATCH: {
          const rip = this.u32[(RIP >>> 2) + 1] * TWO32 + this.u32[RIP >>> 2];
          if (rip >= TWO47) {
            this.retire(fuel);
            this.badTarget(record);
            return false;
          }
          this.rip = rip;
          if (this.isBoundary(rip)) {
            this.retire(fuel);
            return true;
          }
          if ((this.u32[FLAG_OTHER >>> 2] & RFLAGS_TF) !== 0) {
            this.retire(fuel);
            return true;
          }
          const target = this.code.blockAt(rip);
          if (target === undefined) {
            this.retire(fuel);
            return this.exceptions.fetchFault();
          }
          if (target.view === LONG_VIEW) this.blocks.cacheJump(target, this.asid);
          block = target;
          continue;
        }
        case EXIT_REGION:
          block = this.blocks.ofRecord(record);
          fuel += block.rips.length - 1;
          this.regions!.verify(block, this.asid);
          continue;
        case EXIT_BUDGET: {
          const next = this.blocks.ofRecord(record);
          this.retire(fuel + next.rips.length - 1);
          this.rip = next.rip;
          // What is left is less than the block: finish it exactly.
          return this.instructionsLeftInSlice(budget, fuel + next.rips.length - 1);
        }
        default:
          return this.leave(code, record, fuel);
      }
    }
  }

  private link(record: number, slot: typeof RECORD_D | typeof RECORD_E, from: Block, target: Block): void {
    if (from.dropped) return;
    const { base } = target.view;
    if (Math.floor((from.rip + base) / PAGE_SIZE) === Math.floor((target.rip + base) / PAGE_SIZE))
      this.blocks.link(record, slot, from, target, 0);
    else {
      this.blocks.link(record, slot, from, undefined, target.rip);
      if (target.view === LONG_VIEW) this.blocks.cacheJump(target, this.asid);
    }
  }

  private instructionsLeftInSlice(budget: number, left: number): boolean {
    // A slice that was cut for V8's sake simply ends; the caller asks for the next one. Only when nothing at all
    // could run is the remainder stepped.
    if (left < budget) return true;
    for (let i = 0; i < left; i++) if (!this.step(false)) return false;
    return true;
  }

  /** Counts what the slice has retired: all that it was granted, less what is left. */
  protected retire(left: number): void {
    this.notePkruWriter();
    this.instructions += this.granted - left;
    this.granted = 0;
  }

  /** Turns what WRPKRU has left in the state into an instruction count and a RIP, while its block still exists. */
  private notePkruWriter(): void {
    const record = this.u32[PKRU_WRITER_RECORD >>> 2];
    if (record === 0) return;
    this.u32[PKRU_WRITER_RECORD >>> 2] = 0;
    const block = this.blocks.ofRecord(record);
    const index = this.blocks.instructionOf(record, block);
    this.pkruWriter.rip = block.rips[index];
    this.pkruWriter.instruction =
      this.instructions + this.granted - this.i32[PKRU_WRITER_FUEL >>> 2] - (block.rips.length - 1) + index;
  }

  /** The interpreter left at `record`, which is not a branch. @returns whether the run may go on */
  private leave(code: number, record: number, fuel: number): boolean {
    const block = this.blocks.ofRecord(record);
    const index = this.blocks.instructionOf(record, block);
    const count = block.rips.length - 1;
    switch (code) {
      case EXIT_SYSCALL: {
        this.retire(fuel);
        this.rip = block.rips[count];
        this.registers.rip = this.rip;
        const flags = this.registers.rflags;
        this.u32[RCX >>> 2] = this.rip;
        this.u32[(RCX >>> 2) + 1] = Math.floor(this.rip / TWO32);
        this.u32[R11 >>> 2] = flags;
        this.u32[(R11 >>> 2) + 1] = 0;
        this.exit.reason = "syscall";
        return false;
      }
      case EXIT_STATE:
        this.retire(fuel);
        this.rip = block.rips[count];
        return true;
      case EXIT_FAR: {
        this.retire(fuel);
        this.rip = this.u32[(RIP >>> 2) + 1] * TWO32 + this.u32[RIP >>> 2];
        this.lookAtCode();
        return this.rip < TWO47 || this.exceptions.fetchAboveUserSpace(this.rip);
      }
      case EXIT_AGAIN:
      case EXIT_STALE:
        this.retire(fuel + count - index);
        this.rip = block.rips[index];
        return true;
      case EXIT_CODE_WRITE:
        this.retire(fuel + count - index);
        this.rip = block.rips[index];
        return this.step(true);
      case EXIT_WATCH:
        this.retire(fuel + count - index);
        this.rip = block.rips[index];
        return this.stepWatched();
      case EXIT_INTERRUPT:
        if (!this.opensInt80) {
          this.retire(fuel + count - index);
          this.rip = block.rips[index];
          return this.exceptions.report(VECTOR_GP, CLOSED_GATE_80);
        }
        this.retire(fuel + count - index - 1);
        this.rip = block.rips[index + 1];
        this.exceptions.report(0x80, 0);
        this.exit.reason = "interrupt";
        return false;
      case EXIT_EXCEPTION: {
        const vector = this.u32[EXIT_VECTOR >>> 2];
        const trap = vector === EXCEPTION_BP || vector === EXCEPTION_DB || vector === EXCEPTION_OF;
        this.retire(fuel + count - index - (trap ? 1 : 0));
        this.rip = block.rips[trap ? index + 1 : index];
        return this.exceptions.raise(vector, this.u32[EXIT_ERROR >>> 2], this.rip);
      }
      default:
        throw new Error(`unknown exit code ${code}`);
    }
  }

  /** A direct branch went to this.rip, which is not below 2^47; below 0 stands for the kernel's half. */
  private leftUserSpace(record: number): false {
    this.u32[RIP >>> 2] = this.rip;
    this.u32[(RIP >>> 2) + 1] = Math.floor(this.rip / TWO32);
    this.badTarget(record);
    return false;
  }

  /** A branch to a non-canonical address is #GP at the branch itself; what CALL and RET did to RSP is undone. */
  private badTarget(record: number): void {
    const block = this.blocks.ofRecord(record);
    const high = this.u32[(RIP >>> 2) + 1];
    if (high >>> 15 === 0x1ffff) {
      this.rip = high * TWO32 + this.u32[RIP >>> 2];
      this.exceptions.fetchAboveUserSpace(this.rip);
      return;
    }
    const index = this.blocks.instructionOf(record, block);
    this.instructions--;
    this.rip = block.rips[index];
    const op = this.regions?.opAt(record) ?? this.memory.u16[record >>> 1]!;
    const { name } = microOps()[op]!;
    const sp = this.u32[(RSP >>> 2) + 1] * TWO32 + this.u32[RSP >>> 2];
    const back = name === "ret" ? -8 - this.i32[(record + RECORD_D) >>> 2] : name.startsWith("call") ? 8 : 0;
    this.registers.setNumber(4, sp + back);
    this.exceptions.report(VECTOR_GP, 0);
  }

  /** The instruction at RIP touches bytes that somebody watches. @returns whether the run may go on */
  protected abstract stepWatched(): boolean;

  /** Executes one instruction outside the block cache. @returns whether the run may go on */
  protected step(mayWriteCode: boolean): boolean {
    const block = this.code.stepBlock(this.rip);
    if (block === undefined) return this.exceptions.fetchFault();
    this.granted = 1;
    this.i32[FUEL >>> 2] = 0;
    this.access.mayWriteCode = mayWriteCode;
    let code: number;
    try {
      code = this.executor.run(block.record);
    } finally {
      this.access.mayWriteCode = false;
    }
    const record = this.u32[EXIT_RECORD >>> 2];
    switch (code) {
      case EXIT_LINK_D:
      case EXIT_LINK_E:
        this.retire(0);
        this.rip = code === EXIT_LINK_D ? block.taken : block.notTaken;
        return (this.rip >= 0 && this.rip < TWO47) || this.leftUserSpace(record);
      case EXIT_BUDGET:
        this.retire(0);
        this.rip = this.blocks.ofRecord(record).rip;
        return true;
      case EXIT_DISPATCH: {
        this.retire(0);
        const target = this.u32[(RIP >>> 2) + 1] * TWO32 + this.u32[RIP >>> 2];
        if (target < TWO47) this.rip = target;
        else this.badTarget(record);
        return target < TWO47;
      }
      default:
        return this.leave(code, record, 0);
    }
  }
}
