import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { MXCSR, X87, X87_STATUS, X87_TAGS, X87_TOP, XMM } from "../../cpu/state.js";
import { BareMachine, CODE } from "./bare-machine.js";
import { STATES, STATE_BYTES } from "./simd-cases.js";
import { SimdRunner, type SimdAnswers } from "./simd-runner.js";

const answers = JSON.parse(
  readFileSync(new URL("../recorded/simd/answers.json", import.meta.url), "utf8"),
) as SimdAnswers;

/** States per instruction that the reference evaluator runs, being slow: others for each. */
const REFERENCE_STATES = 2;

const DATA = 0x600000;
const GP = 13;
const PF = 14;
const MF = 16;
const XM = 19;

describe("every MMX and SSE instruction", () => {
  it(`does what a processor did on ${STATES} states, in both tiers`, () => {
    const interpreter = new SimdRunner(answers);
    const reference = new SimdRunner(answers, { reference: true });
    const wrong: string[] = [];
    for (const [i, [text, code, digest]] of answers.answers.entries()) {
      const after = interpreter.run(code);
      if (createHash("sha256").update(after).digest("hex").slice(0, 16) !== digest) wrong.push(text);
      const first = (i * REFERENCE_STATES) % STATES;
      const part = after.subarray(first * STATE_BYTES, (first + REFERENCE_STATES) * STATE_BYTES);
      if (!reference.run(code, first, REFERENCE_STATES).equals(part))
        wrong.push(`${text} (reference evaluator)`);
    }
    expect(wrong).toEqual([]);
  });
});

describe.each([
  ["interpreter", false],
  ["reference evaluator", true],
])("faults and side effects: %s", (_name, reference) => {
  /** A machine about to run `bytes`, then SYSCALL; RBX points at a writable page. */
  function machine(bytes: readonly number[]): BareMachine {
    const m = new BareMachine({ reference });
    m.map(CODE, 1, { execute: true });
    m.map(DATA, 1);
    m.poke(CODE, Uint8Array.from([...bytes, 0x0f, 0x05]));
    m.cpu.registers.rip = CODE;
    m.cpu.registers.setNumber(3, DATA);
    m.memory.u32[MXCSR >> 2] = 0x1f80;
    return m;
  }
  const vector = (m: BareMachine, i: number): Uint8Array =>
    m.memory.u8.slice(XMM + 16 * i, XMM + 16 * i + 16);
  const f64 = (m: BareMachine, register: number, lane: number, value: number): void => {
    m.memory.f64[(XMM + 16 * register) / 8 + lane] = value;
  };

  it("refuses a 16-byte operand that is not aligned with #GP(0), before the page is looked at", () => {
    for (const bytes of [
      [0x0f, 0x28, 0x43, 0x08], // movaps xmm0, [rbx+8]
      [0x0f, 0x29, 0x43, 0x08], // movaps [rbx+8], xmm0
      [0x66, 0x0f, 0xfc, 0x43, 0x08], // paddb xmm0, [rbx+8]
      [0x0f, 0x58, 0x83, 0x08, 0x10, 0, 0], // addps xmm0, [rbx+0x1008]: nothing is mapped there
    ]) {
      const m = machine(bytes);
      expect(m.run()).toBe("exception");
      expect(m.cpu.exit).toMatchObject({ vector: GP, errorCode: 0 });
      expect(m.cpu.registers.rip).toBe(CODE);
    }
    for (const bytes of [
      [0x0f, 0x10, 0x43, 0x08], // movups xmm0, [rbx+8]
      [0xf2, 0x0f, 0x58, 0x43, 0x04], // addsd xmm0, [rbx+4]
      [0x0f, 0xfc, 0x43, 0x04], // paddb mm0, [rbx+4]
      [0x66, 0x0f, 0x3a, 0x63, 0x43, 0x01, 0x1a], // pcmpistri xmm0, [rbx+1], 0x1a
    ])
      expect(machine(bytes).run()).toBe("syscall");
  });

  it("raises #XM for an unmasked exception: the flag is set, the destination is not", () => {
    const m = machine([0xf2, 0x0f, 0x5e, 0xc1]); // divsd xmm0, xmm1
    f64(m, 0, 0, 1);
    f64(m, 1, 0, 0);
    m.memory.u32[MXCSR >> 2] = 0x1f80 & ~0x200;
    const before = vector(m, 0);
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(XM);
    expect(m.memory.u32[MXCSR >> 2]).toBe((0x1f80 & ~0x200) | 4);
    expect(vector(m, 0)).toEqual(before);
    m.memory.u32[MXCSR >> 2] = 0x1f80;
    expect(m.run()).toBe("syscall");
    expect(m.memory.f64[XMM / 8]).toBe(Infinity);
  });

  it("raises #XM for an unmasked inexact result only when it is inexact", () => {
    const run = (x: number, y: number): string => {
      const m = machine([0xf2, 0x0f, 0x58, 0xc1]); // addsd xmm0, xmm1
      f64(m, 0, 0, x);
      f64(m, 1, 0, y);
      m.memory.u32[MXCSR >> 2] = 0x0f80;
      return m.run();
    };
    expect(run(1, 2)).toBe("syscall");
    expect(run(1, 2 ** -60)).toBe("exception");
  });

  it("refuses reserved bits of MXCSR with #GP(0)", () => {
    const m = machine([0x0f, 0xae, 0x13]); // ldmxcsr [rbx]
    m.poke(DATA, Uint8Array.of(0x80, 0x1f, 1, 0));
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(GP);
    expect(m.memory.u32[MXCSR >> 2]).toBe(0x1f80);
    m.poke(DATA, Uint8Array.of(0xbf, 0xff, 0, 0));
    expect(m.run()).toBe("syscall");
    expect(m.memory.u32[MXCSR >> 2]).toBe(0xffbf);
  });

  it("lets MMX instructions take over the x87 (SDM vol. 1, 9.6.2)", () => {
    const m = machine([0x0f, 0x6f, 0x1b]); // movq mm3, [rbx]
    m.poke(DATA, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    m.memory.u8[X87_TOP] = 5;
    m.memory.u8[X87_TAGS] = 0;
    expect(m.run()).toBe("syscall");
    expect(m.memory.u8[X87_TOP]).toBe(0);
    expect(m.memory.u8[X87_TAGS]).toBe(0xff);
    expect([...m.memory.u8.slice(X87 + 48, X87 + 58)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff]);
    const emms = machine([0x0f, 0x77]);
    emms.memory.u8[X87_TAGS] = 0xff;
    expect(emms.run()).toBe("syscall");
    expect(emms.memory.u8[X87_TAGS]).toBe(0);
  });

  it("leaves the x87 alone when the memory operand of an MMX instruction faults, and raises a pending #MF", () => {
    const m = machine([0x0f, 0xfc, 0x83, 0, 0x10, 0, 0]); // paddb mm0, [rbx+0x1000]
    m.memory.u8[X87_TOP] = 5;
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, address: DATA + 0x1000 });
    expect(m.memory.u8[X87_TOP]).toBe(5);
    m.memory.u8[X87_STATUS] = 0x80;
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit.vector).toBe(MF);
  });

  it("stores under a mask only what it selects, and touches no page without a selected byte", () => {
    const m = machine([0x66, 0x0f, 0xf7, 0xc1]); // maskmovdqu xmm0, xmm1
    m.memory.u8.fill(0x5a, XMM, XMM + 16);
    m.memory.u8.fill(0, XMM + 16, XMM + 32);
    m.memory.u8[XMM + 16] = 0x80;
    m.memory.u8[XMM + 18] = 0xff;
    m.cpu.registers.setNumber(7, DATA + 4093);
    expect(m.run()).toBe("syscall");
    expect([...m.peek(DATA + 4092, 4)]).toEqual([0, 0x5a, 0, 0x5a]);
    m.memory.u8[XMM + 19] = 0x80;
    m.cpu.registers.rip = CODE;
    m.memory.u8[XMM] = 1;
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, address: DATA + 4096, errorCode: 6 });
  });

  it("approximates reciprocals within 1.5 * 2^-12 (SDM vol. 2, RCPPS and RSQRTPS)", () => {
    const values = new Float32Array([3, 0.1, -1e20, 7e-39]);
    for (const [opcode, exact] of [
      [0x53, (x: number) => 1 / x],
      [0x52, (x: number) => 1 / Math.sqrt(x)],
    ] as const) {
      const m = machine([0x0f, opcode, 0xc1]);
      m.memory.u8.set(new Uint8Array(values.buffer), XMM + 16);
      expect(m.run()).toBe("syscall");
      const result = new Float32Array(vector(m, 0).buffer);
      for (const i of [0, 1]) expect(Math.abs(result[i] / exact(values[i]) - 1)).toBeLessThan(1.5 * 2 ** -12);
      if (opcode === 0x53) expect(Math.abs(result[2] / exact(values[2]) - 1)).toBeLessThan(1.5 * 2 ** -12);
      else expect(result[2]).toBeNaN();
      expect(result[3]).toBe(Infinity);
    }
  });

  it("faults at CLFLUSH as at a load, and never at a prefetch", () => {
    const m = machine([0x0f, 0xae, 0xbb, 0, 0x10, 0, 0]); // clflush [rbx+0x1000]
    expect(m.run()).toBe("exception");
    expect(m.cpu.exit).toMatchObject({ vector: PF, errorCode: 4 });
    expect(machine([0x0f, 0x18, 0x8b, 0, 0x10, 0, 0]).run()).toBe("syscall"); // prefetcht0 [rbx+0x1000]
  });
});

it("SSE4 is #UD on x86-64-v1", () => {
  const m = new BareMachine({ cpu: "x86-64-v1" });
  m.map(CODE, 1, { execute: true });
  m.poke(CODE, Uint8Array.of(0x66, 0x0f, 0x38, 0x17, 0xc1)); // ptest xmm0, xmm1
  m.cpu.registers.rip = CODE;
  expect(m.run()).toBe("exception");
  expect(m.cpu.exit.vector).toBe(6);
});
