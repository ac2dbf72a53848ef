import { Mnemonic, OpKind } from "iced-x86";
import { AGAIN, defineCallout, DONE, FAULTED, type CalloutContext } from "../callouts.js";
import type { DecodeContext } from "../decode/context.js";
import { loweringOf } from "../decode/context.js";
import { compareFlags } from "../integer/strings.js";
import { RFLAGS_DF } from "../registers.js";
import { ES } from "../segments.js";
import { BOUNCE, FLAG_OTHER, RAX, RCX, RDI, RSI } from "../state.js";
import { linearIn } from "./access.js";
import { segmentNumber } from "./addressing.js";
import { lowerCompat } from "./lowerings.js";

/**
 * String instructions outside of 64-bit mode, element by element: SI or ESI in DS or another segment, DI or EDI in ES.
 * Fields: d = width | repeat kind << 8 | bytes of an address << 12, e = source segment.
 */
const REPEAT = 1;
const REPEAT_NOT = 2;
/** Elements after which a repeated instruction lets the run loop look at its budget. */
const MAX_ELEMENTS = 1 << 16;
const RIGHT = BOUNCE + 16;
const ZF = 0x40;

class CompatString {
  readonly width: number;
  readonly repeat: number;
  private readonly short: boolean;
  private readonly step: number;

  constructor(
    readonly context: CalloutContext,
    private readonly record: number,
  ) {
    const d = context.d(record);
    this.width = d & 0xff;
    this.repeat = (d >>> 8) & 3;
    this.short = d >>> 12 === 2;
    this.step = (context.memory.u32[FLAG_OTHER >>> 2]! & RFLAGS_DF) !== 0 ? -this.width : this.width;
  }

  private get(register: number): number {
    const { u16, u32 } = this.context.memory;
    return this.short ? u16[register >>> 1]! : u32[register >>> 2]!;
  }
  private add(register: number, by: number): void {
    const { u16, u32 } = this.context.memory;
    if (this.short) u16[register >>> 1]! += by;
    else {
      u32[register >>> 2]! += by;
      u32[(register >>> 2) + 1] = 0;
    }
  }

  get isDone(): boolean {
    return this.repeat !== 0 && this.get(RCX) === 0;
  }
  /** Reads the element at the source, or the one at the destination; false after a fault. */
  readSource(to: number): boolean {
    return this.read(this.context.e(this.record), this.get(RSI), to);
  }
  readDestination(to: number): boolean {
    return this.read(ES, this.get(RDI), to);
  }
  private read(segment: number, offset: number, to: number): boolean {
    const linear = linearIn(this.context, segment, offset, this.width, false);
    return linear >= 0 && this.context.access.read(linear, 0, this.width, to);
  }
  writeDestination(from: number): boolean {
    const linear = linearIn(this.context, ES, this.get(RDI), this.width, true);
    return linear >= 0 && this.context.access.write(linear, 0, this.width, from);
  }
  advance(source: boolean, destination: boolean): void {
    if (source) this.add(RSI, this.step);
    if (destination) this.add(RDI, this.step);
    if (this.repeat !== 0) this.add(RCX, -1);
  }
  /** After a comparison: whether the repetition ends. */
  get ends(): boolean {
    const equal = (this.context.registers.rflags & ZF) !== 0;
    return equal !== (this.repeat === REPEAT);
  }
}

/** One element; false after a fault, "end" where a repetition ends. */
type Element = (s: CompatString) => boolean | "end";
const ELEMENTS: Record<string, Element> = {
  movs: (s) => {
    if (!s.readSource(BOUNCE) || !s.writeDestination(BOUNCE)) return false;
    s.advance(true, true);
    return true;
  },
  stos: (s) => {
    if (!s.writeDestination(RAX)) return false;
    s.advance(false, true);
    return true;
  },
  lods: (s) => {
    const { u8, u32 } = s.context.memory;
    if (!s.readSource(BOUNCE)) return false;
    u8.copyWithin(RAX, BOUNCE, BOUNCE + s.width);
    if (s.width === 4) u32[(RAX >>> 2) + 1] = 0;
    s.advance(true, false);
    return true;
  },
  cmps: (s) => {
    // The destination first, as recorded on real processors.
    if (!s.readDestination(RIGHT) || !s.readSource(BOUNCE)) return false;
    compareFlags(s.context, BOUNCE, RIGHT, s.width);
    s.advance(true, true);
    return s.ends ? "end" : true;
  },
  scas: (s) => {
    if (!s.readDestination(RIGHT)) return false;
    compareFlags(s.context, RAX, RIGHT, s.width);
    s.advance(false, true);
    return s.ends ? "end" : true;
  },
};

for (const [name, element] of Object.entries(ELEMENTS))
  defineCallout(`compat.${name}`, (context, record) => {
    const s = new CompatString(context, record);
    const { rflags } = context.registers;
    for (let done = 0; done < MAX_ELEMENTS; done++) {
      if (s.isDone) return DONE;
      const went = element(s);
      if (went === false) {
        // A fault finds the flags from before the instruction, as recorded on real processors.
        context.registers.rflags = rflags;
        return FAULTED;
      }
      if (went === "end" || s.repeat === 0) return DONE;
    }
    return AGAIN;
  });

const SHORT_KINDS = new Set<number>([OpKind.MemorySegSI, OpKind.MemorySegDI, OpKind.MemoryESDI]);

function usesShortAddresses(x: DecodeContext): boolean {
  for (let i = 0; i < x.instruction.opCount; i++) if (SHORT_KINDS.has(x.instruction.opKind(i))) return true;
  return false;
}

for (const name of Object.keys(ELEMENTS))
  for (const [suffix, width] of [
    ["b", 1],
    ["w", 2],
    ["d", 4],
  ] as const) {
    const mnemonic = Mnemonic[`${name[0]!.toUpperCase()}${name.slice(1)}${suffix}` as keyof typeof Mnemonic];
    lowerCompat(mnemonic, (x) => {
      const ins = x.instruction;
      // MOVSD and CMPSD are SSE2's names too.
      if (!ins.isStringInstruction) return loweringOf(mnemonic)!(x);
      const compares = name === "cmps" || name === "scas";
      const repeats = ins.hasRepPrefix || ins.hasRepePrefix || ins.hasRepnePrefix;
      const repeat = !repeats ? 0 : compares && ins.hasRepnePrefix ? REPEAT_NOT : REPEAT;
      x.callout(`compat.${name}`, {
        d: width | (repeat << 8) | ((usesShortAddresses(x) ? 2 : 4) << 12),
        e: segmentNumber(ins.memorySegment),
      });
    });
  }
