import { DS, ES, FS, GS, LINUX_USER_TABLES } from "../../../cpu/segments.js";
import { BareMachine } from "../bare-machine.js";
import { BYTES, CODE, DATA, ldtEntry, type Answer, type Case } from "./layout.js";

const PAGE = 4096;
const MOST = 20_000;
/** Signals as Linux sends them for an exception, by vector. */
const SIGNALS: Record<number, number> = {
  0: 8,
  1: 5,
  3: 5,
  4: 11,
  5: 11,
  6: 4,
  11: 7,
  12: 7,
  13: 11,
  14: 11,
  16: 8,
  17: 7,
  19: 8,
};
const PAGE_FAULT = 14;

/** Runs the cases of host.c on the emulated processor, without a kernel. */
export class CompatMachine {
  private readonly machine: BareMachine;

  constructor(options: { reference?: boolean } = {}) {
    this.machine = new BareMachine(options);
    this.machine.map(CODE, BYTES / PAGE, { execute: true });
    this.machine.map(DATA, BYTES / PAGE);
    this.machine.cpu.descriptorTables = {
      read: (selector) => ((selector & 4) !== 0 ? ldtEntry(selector) : LINUX_USER_TABLES.read(selector)),
    };
  }

  /** @returns null where it does not end */
  run(c: Case): Answer | null {
    const { machine } = this;
    const { cpu, memory } = machine;
    const { registers } = cpu;
    for (let at = CODE; at < CODE + BYTES; at += PAGE) memory.onCodeWrite(machine.frameOf(at), 0, PAGE);
    this.page(CODE).fill(0xcc);
    this.page(CODE + PAGE).fill(0xcc);
    machine.poke(CODE + c.offset, c.code);
    this.fillData(c.seed);
    const { segments } = registers;
    segments.reset();
    if (cpu.returnTo(c.cs, c.ss) !== undefined) throw new Error("the case does not start");
    for (const [i, selector] of [
      [DS, c.ds],
      [ES, c.es],
      [FS, c.fs],
      [GS, c.gs],
    ] as const)
      if (cpu.loadSegment(i, selector) !== undefined) throw new Error("the case does not start");
    for (let i = 0; i < 16; i++) registers.setNumber(i, i < 8 ? c.regs[i]! : 0);
    registers.rflags = c.flags;
    registers.pkru = 0;
    cpu.loadXsaveArea(initialState(c.seed));
    registers.rip = (c.cs & 4) !== 0 ? c.offset : CODE + c.offset;
    if (cpu.run(MOST) !== "exception") return null;
    const { vector, errorCode, addressBig } = cpu.exit;
    const f = new DataView(cpu.xsaveArea().buffer);
    const bytes = new Uint8Array(f.buffer);
    const parts = new Uint8Array(96);
    for (let i = 0; i < 8; i++) parts.set(bytes.subarray(32 + 16 * i, 42 + 16 * i), 12 * i);
    return {
      signal: SIGNALS[vector] ?? 0,
      trap: vector,
      error: BigInt(errorCode),
      cr2: vector === PAGE_FAULT ? addressBig : 0n,
      regs: Array.from({ length: 8 }, (_, i) => registers.get(i)),
      rip: registers.ripBig,
      flags: registers.rflags,
      memory: hash(this.data()),
      selectors: [1, 2, 3, 0, 4, 5].map((i) => registers.selector(i)),
      floats: [
        f.getUint16(0, true),
        f.getUint16(2, true),
        f.getUint16(4, true),
        f.getUint32(24, true),
        (Math.imul(hash(parts), 31) + hash(bytes.subarray(160, 416))) >>> 0,
      ],
    };
  }

  private page(va: number): Uint8Array {
    const at = this.machine.memory.linearOf(this.machine.frameOf(va));
    return this.machine.memory.u8.subarray(at, at + PAGE);
  }
  private fillData(seed: number): void {
    let state = seed | 1;
    for (let va = DATA; va < DATA + BYTES; va += PAGE) {
      const page = this.page(va);
      const words = new Int32Array(page.buffer, page.byteOffset, PAGE / 4);
      for (let i = 0; i < words.length; i++) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        words[i] = state;
      }
    }
  }
  private data(): Uint8Array {
    const data = new Uint8Array(BYTES);
    for (let at = 0; at < BYTES; at += PAGE) data.set(this.page(DATA + at), at);
    return data;
  }
}

function hash(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 4) sum = (Math.imul(sum, 31) + view.getUint32(i, true)) | 0;
  return sum >>> 0;
}

/** As host.c fills the FXSAVE area. */
function initialState(seed: number): Uint8Array {
  const bytes = new Uint8Array(2696);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint16(4, 0xff, true);
  view.setUint32(24, 0x1f80, true);
  for (let i = 0; i < 8; i++) {
    const significand = 0x8000000000000000n | (BigInt(Math.imul(seed, i + 1) >>> 0) << 20n);
    view.setBigUint64(32 + 16 * i, significand, true);
    view.setUint16(40 + 16 * i, 0x3fff + i, true);
  }
  for (let i = 0; i < 16; i++)
    for (let k = 0; k < 4; k++)
      view.setUint32(160 + 16 * i + 4 * k, Math.imul(seed, 4 * i + k + 1) ^ 0x3f800000, true);
  view.setUint32(512, 0x203, true);
  return bytes;
}
