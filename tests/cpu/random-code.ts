import { BareMachine } from "./bare-machine.js";

const CODE = 0x400000;
const DATA = 0x600000;
const DATA_PAGES = 4;
const PAGE = 4096;
/** Bytes that make two-byte opcodes and prefixes likelier. */
const OPENINGS = [0x0f, 0x66, 0xf2, 0xf3, 0x48, 0x49];
const MAX_INSTRUCTIONS = 60;

/** xorshift32: the same seed, the same programs. */
export class Random {
  constructor(private state: number) {
    this.state = state >>> 0 || 1;
  }
  next(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return (this.state >>>= 0);
  }
}

/** Runs random bytes as code in both tiers and tells where they part. */
export class RandomCode {
  private readonly machines = [false, true].map((reference) => {
    const machine = new BareMachine({ reference });
    machine.map(CODE, 2, { execute: true });
    machine.map(DATA, DATA_PAGES);
    return machine;
  });
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  /** @returns null if both tiers end alike; otherwise the bytes and both ends */
  next(): string | null {
    const { random } = this;
    const bytes = Uint8Array.from({ length: 64 }, () => random.next() & 0xff);
    if ((random.next() & 1) !== 0) {
      bytes[0] = OPENINGS[random.next() % OPENINGS.length];
      if ((random.next() & 1) !== 0) bytes[1] = 0x0f;
    }
    // Half of them cross into the second page.
    const at = CODE + ((random.next() & 1) !== 0 ? 0 : PAGE - (random.next() & 31));
    const registers = Array.from({ length: 16 }, () =>
      (random.next() & 3) !== 0 ? DATA + (random.next() & 0x3fff) : random.next(),
    );
    const [interpreter, reference] = this.machines.map((m) => this.run(m, at, bytes, registers));
    if (interpreter === reference) return null;
    return `${Buffer.from(bytes).toString("hex")} at 0x${at.toString(16)}\n${interpreter}\n${reference}`;
  }

  private run(machine: BareMachine, at: number, bytes: Uint8Array, registers: readonly number[]): string {
    const { cpu, memory } = machine;
    for (const page of [CODE, CODE + PAGE]) memory.onCodeWrite(machine.frameOf(page), 0, PAGE);
    machine.poke(CODE, new Uint8Array(2 * PAGE));
    machine.poke(DATA, new Uint8Array(DATA_PAGES * PAGE).fill(0x41));
    machine.poke(at, bytes);
    registers.forEach((value, i) => cpu.registers.setNumber(i, value));
    cpu.registers.setNumber(4, DATA + 2 * PAGE);
    cpu.registers.rflags = 0x202;
    cpu.registers.segments.reset();
    cpu.registers.pkru = 0;
    cpu.registers.fsBase = 0;
    cpu.registers.gsBase = 0;
    cpu.resetXstate();
    cpu.registers.rip = at;
    cpu.instructions = 0;
    const reason = cpu.run(MAX_INSTRUCTIONS);
    const { vector, errorCode, addressBig } = cpu.exit;
    const why = reason === "exception" ? `${vector}/${errorCode}/${addressBig.toString(16)}` : "";
    const state = Buffer.from(cpu.xsaveArea()).toString("base64");
    const values = registers.map((_, i) => cpu.registers.get(i).toString(16)).join(" ");
    const data = Buffer.from(machine.peek(DATA, DATA_PAGES * PAGE));
    let sum = 0;
    for (const byte of data) sum = (Math.imul(sum, 31) + byte) | 0;
    return `${reason} ${why} rip ${cpu.registers.rip.toString(16)} after ${cpu.instructions}, flags ${cpu.registers.rflags.toString(16)}, ${values}, memory ${sum}, ${state}`;
  }
}
