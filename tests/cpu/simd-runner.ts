import "../../cpu/simd/index.js";
import { BareMachine, CODE, STACK_TOP } from "./bare-machine.js";
import { STATE_BYTES, STATES, state } from "./simd-cases.js";

/** What tests/recorded/simd/answers.json holds: per instruction its text, its bytes, and the states' digest. */
export interface SimdAnswers {
  readonly processor: string;
  readonly prologue: string;
  readonly epilogue: string;
  readonly answers: readonly (readonly [string, string, string])[];
}

const BEFORE = 0x600000;
const AFTER = 0x600400;
const RETURN = CODE + 0x8000;
const RETURN_BYTES = new Uint8Array(new BigUint64Array([BigInt(RETURN)]).buffer);
const RDI = 7;
const RSI = 6;
const RSP = 4;

/** Runs recorded cases on one machine. */
export class SimdRunner {
  private readonly machine: BareMachine;
  private readonly states = Array.from({ length: STATES }, (_, i) => state(i));
  private readonly prologue: Buffer;
  private readonly epilogue: Buffer;
  private next = CODE;
  private readonly data: Uint8Array;
  private readonly stack: Uint8Array;

  constructor(answers: SimdAnswers, options: { reference?: boolean } = {}) {
    this.machine = new BareMachine(options);
    this.prologue = Buffer.from(answers.prologue, "hex");
    this.epilogue = Buffer.from(answers.epilogue, "hex");
    this.machine.map(CODE, 9, { execute: true });
    this.machine.map(BEFORE, 1);
    this.data = this.machine.memory.frameBytes(this.machine.frameOf(BEFORE));
    this.stack = this.machine.memory.frameBytes(this.machine.frameOf(STACK_TOP - 64));
    // SYSCALL, where the cases return to.
    this.machine.poke(RETURN, Uint8Array.of(0x0f, 0x05));
  }

  /** The states after the instruction, one after another, for `count` states from number `first` on. */
  run(instruction: string, first = 0, count = STATES): Buffer {
    const { machine } = this;
    const { registers } = machine.cpu;
    const code = Buffer.concat([this.prologue, Buffer.from(instruction, "hex"), this.epilogue]);
    // Always at another place, so that decoded code never has to be dropped within a page's run.
    if (this.next + code.length > RETURN) this.next = CODE;
    const at = this.next;
    this.next += code.length;
    machine.memory.aboutToWrite(machine.frameOf(at), at & 0xfff, 4096 - (at & 0xfff));
    machine.memory.aboutToWrite(machine.frameOf(at + code.length), 0, 4096);
    machine.poke(at, code);
    const out: Uint8Array[] = [];
    for (const before of this.states.slice(first, first + count)) {
      this.data.set(before, 0);
      this.data.fill(0, AFTER - BEFORE, AFTER - BEFORE + STATE_BYTES);
      this.stack.set(RETURN_BYTES, (STACK_TOP - 64) & 0xfff);
      registers.setNumber(RSP, STACK_TOP - 64);
      registers.setNumber(RDI, BEFORE);
      registers.setNumber(RSI, AFTER);
      registers.rip = at;
      const reason = machine.run();
      if (reason !== "syscall")
        throw new Error(
          `${instruction}: ${reason} ${JSON.stringify({ ...machine.cpu.exit, addressBig: 0 })}`,
        );
      out.push(this.data.slice(AFTER - BEFORE, AFTER - BEFORE + STATE_BYTES));
    }
    return Buffer.concat(out);
  }
}
