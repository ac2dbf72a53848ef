import { Mnemonic, OpKind, Register, type Instruction } from "iced-x86";
import { PAGE_SIZE } from "../../mmu/layout.js";
import { AGAIN, defineCallout, DONE, FAULTED, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { lower, type DecodeContext } from "../decode/context.js";
import { RFLAGS_DF } from "../registers.js";
import { BOUNCE, FLAG_OTHER, FS_BASE, GS_BASE, RAX, RCX, RDI, RSI, ZERO } from "../state.js";

/**
 * MOVS, STOS, LODS, CMPS, SCAS, alone or repeated. Registers are brought up to date before every access that can
 * fault, so a repeated instruction stops at its element and is resumed there.
 * Fields: d = width | repeat kind << 8 | 32-bit addresses << 12; e = source segment's base.
 */
const REPEAT = 1;
const REPEAT_NOT = 2;
/** Elements after which a repeated instruction lets the run loop look at its budget. */
const MAX_ELEMENTS = 1 << 16;
const TWO32 = 0x1_0000_0000;

/** The registers and address arithmetic of one string instruction. */
class StringOperands {
  readonly width: number;
  readonly repeat: number;
  private readonly narrow: boolean;
  readonly backward: boolean;
  private readonly u32: Uint32Array;

  constructor(
    readonly context: CalloutContext,
    private readonly record: number,
  ) {
    const d = context.d(record);
    this.u32 = context.memory.u32;
    this.width = d & 0xff;
    this.repeat = (d >>> 8) & 3;
    this.narrow = (d & 0x1000) !== 0;
    this.backward = (this.u32[FLAG_OTHER >>> 2] & RFLAGS_DF) !== 0;
  }

  /** Elements still to do; 64-bit counts beyond 2^53 lose precision, which nobody lives to see. */
  get count(): number {
    if (this.repeat === 0) return 1;
    return (this.narrow ? 0 : this.u32[(RCX >>> 2) + 1] * TWO32) + this.u32[RCX >>> 2];
  }

  /** Low and high half of the address in RSI or RDI, with the source's segment base. */
  private address(register: number): [number, number] {
    const low = this.u32[register >>> 2];
    const high = this.narrow ? 0 : this.u32[(register >>> 2) + 1];
    const base = register === RSI ? this.context.e(this.record) : ZERO;
    const sum = low + this.u32[base >>> 2];
    return [sum >>> 0, (high + this.u32[(base >>> 2) + 1] + (sum >= TWO32 ? 1 : 0)) >>> 0];
  }

  /** The user address of the next element, or -1 after recording a fault. */
  locate(register: number, write: boolean): number {
    const [low, high] = this.address(register);
    return this.context.access.userAddress(low, high, this.width, write);
  }

  /** Elements that can be done at once from `va` without leaving its page; 0 if the next one crosses. */
  run(va: number): number {
    const offset = va % PAGE_SIZE;
    if (this.backward) return offset + this.width <= PAGE_SIZE ? 1 : 0;
    return Math.floor((PAGE_SIZE - offset) / this.width);
  }

  /** Moves RSI and/or RDI past n elements and counts them off. */
  advance(n: number, source: boolean, destination: boolean): void {
    const by = n * this.width * (this.backward ? -1 : 1);
    if (source) this.bump(RSI, by);
    if (destination) this.bump(RDI, by);
    if (this.repeat !== 0) this.bump(RCX, -n);
  }
  private bump(register: number, by: number): void {
    const at = register >>> 2;
    const sum = this.u32[at] + by;
    this.u32[at + 1] = this.narrow ? 0 : this.u32[at + 1] + Math.floor(sum / TWO32);
    this.u32[at] = sum;
  }

  /** Reads one element that crosses a page into `to`. */
  readCrossing(register: number, to: number): boolean {
    const [low, high] = this.address(register);
    return this.context.access.read(low, high, this.width, to);
  }
  writeCrossing(from: number): boolean {
    const [low, high] = this.address(RDI);
    return this.context.access.write(low, high, this.width, from);
  }
}

/** Runs `chunk` until the count is used up; it returns elements done, or -1 after a fault, or -2 to stop early. */
function repeated(s: StringOperands, chunk: (limit: number) => number): CalloutStatus {
  for (let done = 0; ;) {
    const left = s.count;
    if (left === 0) return DONE;
    if (done >= MAX_ELEMENTS) return AGAIN;
    const n = chunk(Math.min(left, MAX_ELEMENTS));
    if (n === -1) return FAULTED;
    if (n === -2 || s.repeat === 0) return DONE;
    done += n;
  }
}

defineCallout("movs", (context, record) => {
  const s = new StringOperands(context, record);
  const { u8 } = context.memory;
  return repeated(s, (limit) => {
    const from = s.locate(RSI, false);
    if (from < 0) return -1;
    const to = s.locate(RDI, true);
    if (to < 0) return -1;
    const n = Math.min(limit, s.run(from), s.run(to));
    if (n === 0) {
      if (!s.readCrossing(RSI, BOUNCE) || !s.writeCrossing(BOUNCE)) return -1;
      s.advance(1, true, true);
      return 1;
    }
    const bytes = n * s.width;
    const source = context.access.translateForLoad(from, bytes);
    if (source < 0) return -1;
    const target = context.access.translateForStore(to, bytes);
    if (target < 0) return -1;
    // A forward copy into its own tail repeats what it has just written, element by element.
    if (target > source && target < source + bytes)
      for (let i = 0; i < bytes; i += s.width) u8.copyWithin(target + i, source + i, source + i + s.width);
    else u8.copyWithin(target, source, source + bytes);
    s.advance(n, true, true);
    return n;
  });
});

defineCallout("stos", (context, record) => {
  const s = new StringOperands(context, record);
  const { u8 } = context.memory;
  return repeated(s, (limit) => {
    const to = s.locate(RDI, true);
    if (to < 0) return -1;
    const n = Math.min(limit, s.run(to));
    if (n === 0) {
      if (!s.writeCrossing(RAX)) return -1;
      s.advance(1, false, true);
      return 1;
    }
    const bytes = n * s.width;
    const target = context.access.translateForStore(to, bytes);
    if (target < 0) return -1;
    if (s.width === 1) u8.fill(u8[RAX], target, target + n);
    else {
      u8.copyWithin(target, RAX, RAX + s.width);
      for (let filled = s.width; filled < bytes; filled *= 2)
        u8.copyWithin(target + filled, target, target + Math.min(filled, bytes - filled));
    }
    s.advance(n, false, true);
    return n;
  });
});

defineCallout("lods", (context, record) => {
  const s = new StringOperands(context, record);
  const { u8, u32 } = context.memory;
  return repeated(s, () => {
    if (s.locate(RSI, false) < 0 || !s.readCrossing(RSI, BOUNCE)) return -1;
    u8.copyWithin(RAX, BOUNCE, BOUNCE + s.width);
    if (s.width === 4) u32[(RAX >>> 2) + 1] = 0;
    s.advance(1, true, false);
    return 1;
  });
});

/** CMPS and SCAS: compares until the repeat condition fails, then sets the flags of the last comparison. */
function defineCompare(name: "cmps" | "scas"): void {
  defineCallout(name, (context, record) => {
    const s = new StringOperands(context, record);
    const { u8 } = context.memory;
    const scan = name === "scas";
    return repeated(s, (limit) => {
      const right = s.locate(RDI, false);
      if (right < 0) return -1;
      const left = scan ? right : s.locate(RSI, false);
      if (left < 0) return -1;
      const n = Math.min(limit, s.run(left), s.run(right));
      let x = RAX;
      let y: number;
      if (n === 0) {
        if (!scan && !s.readCrossing(RSI, BOUNCE)) return -1;
        if (!s.readCrossing(RDI, BOUNCE + 16)) return -1;
        x = scan ? RAX : BOUNCE;
        y = BOUNCE + 16;
      } else {
        if (!scan && (x = context.access.translateForLoad(left, n * s.width)) < 0) return -1;
        if ((y = context.access.translateForLoad(right, n * s.width)) < 0) return -1;
      }
      const elements = Math.max(n, 1);
      for (let i = 0; i < elements; i++) {
        const p = scan ? x : x + i * s.width;
        const q = y + i * s.width;
        let equal = true;
        for (let k = 0; k < s.width; k++) if (u8[p + k] !== u8[q + k]) equal = false;
        if (equal === (s.repeat === REPEAT) && s.repeat !== 0 && i < elements - 1) continue;
        compareFlags(context, p, q, s.width);
        s.advance(i + 1, !scan, true);
        return s.repeat === 0 || equal !== (s.repeat === REPEAT) ? -2 : i + 1;
      }
      return -2;
    });
  });
}
defineCompare("cmps");
defineCompare("scas");

export function compareFlags(context: CalloutContext, x: number, y: number, width: number): void {
  const { u8 } = context.memory;
  let a = 0n;
  let b = 0n;
  for (let i = width - 1; i >= 0; i--) {
    a = (a << 8n) | BigInt(u8[x + i]);
    b = (b << 8n) | BigInt(u8[y + i]);
  }
  const bits = 8 * width;
  const result = BigInt.asUintN(bits, a - b);
  const top = (v: bigint): number => Number(v >> BigInt(bits - 1));
  let parity = Number(result & 0xffn);
  parity ^= parity >>> 4;
  parity ^= parity >>> 2;
  parity ^= parity >>> 1;
  const flags =
    (a < b ? 1 : 0) |
    ((parity & 1) === 0 ? 4 : 0) |
    ((a & 15n) < (b & 15n) ? 0x10 : 0) |
    (result === 0n ? 0x40 : 0) |
    (top(result) << 7) |
    ((top(a) ^ top(b)) & (top(a) ^ top(result)) ? 0x800 : 0);
  context.registers.rflags = (context.registers.rflags & ~0x8d5) | flags;
}

const FAMILIES: Record<string, [keyof typeof Mnemonic, number][]> = {
  movs: [
    ["Movsb", 1],
    ["Movsw", 2],
    ["Movsd", 4],
    ["Movsq", 8],
  ],
  stos: [
    ["Stosb", 1],
    ["Stosw", 2],
    ["Stosd", 4],
    ["Stosq", 8],
  ],
  lods: [
    ["Lodsb", 1],
    ["Lodsw", 2],
    ["Lodsd", 4],
    ["Lodsq", 8],
  ],
  cmps: [
    ["Cmpsb", 1],
    ["Cmpsw", 2],
    ["Cmpsd", 4],
    ["Cmpsq", 8],
  ],
  scas: [
    ["Scasb", 1],
    ["Scasw", 2],
    ["Scasd", 4],
    ["Scasq", 8],
  ],
};

/** True if the mnemonic (MOVSD, CMPSD) means the string instruction and not SSE2's. */
export function isStringInstruction(instruction: Instruction): boolean {
  return instruction.isStringInstruction;
}

export function lowerString(name: string, width: number): (x: DecodeContext) => void {
  return (x) => {
    const ins = x.instruction;
    const repeat = ins.hasRepnePrefix ? REPEAT_NOT : ins.hasRepPrefix || ins.hasRepePrefix ? REPEAT : 0;
    const compares = name === "cmps" || name === "scas";
    const segment = ins.segmentPrefix;
    x.callout(name, {
      d:
        width |
        ((repeat !== 0 && !compares ? REPEAT : repeat) << 8) |
        (usesNarrowAddresses(ins) ? 0x1000 : 0),
      e: segment === Register.FS ? FS_BASE : segment === Register.GS ? GS_BASE : ZERO,
    });
  };
}

function usesNarrowAddresses(ins: Instruction): boolean {
  for (let i = 0; i < ins.opCount; i++) {
    const kind = ins.opKind(i);
    if (NARROW_KINDS.has(kind)) return true;
  }
  return false;
}
const NARROW_KINDS = new Set<number>([OpKind.MemorySegESI, OpKind.MemorySegEDI, OpKind.MemoryESEDI]);

for (const [name, forms] of Object.entries(FAMILIES))
  for (const [mnemonic, width] of forms) {
    // MOVSD and CMPSD are SSE2's names too: cpu/simd lowers both and asks isStringInstruction.
    if (mnemonic === "Movsd" || mnemonic === "Cmpsd") continue;
    lower(Mnemonic[mnemonic], lowerString(name, width));
  }
