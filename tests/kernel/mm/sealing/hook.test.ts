import { beforeEach, describe, expect, it } from "vitest";
import { BPF, type BpfInstruction, type BpfProgram } from "../../../../kernel/bpf/instruction.js";
import { verifyBpf } from "../../../../kernel/bpf/verify.js";
import { EPERM } from "../../../../kernel/errno.js";
import { CONTEXT_BYTES, OPERATIONS } from "../../../../kernel/mm/sealing/program-judge.js";
import { PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const i = (code: number, k: number, jt = 0, jf = 0): BpfInstruction => ({ code, jt, jf, k });
const ret = (k: number): BpfInstruction => i(BPF.RET_K, k);

/** Offsets in the context. */
const [OPERATION, FLAGS, START, END, PROT, KEY, SEALS, PKRU, ARGUMENT, ASKED_KEY] = [
  ...[0, 4, 8, 16, 24, 28, 32, 36, 40, 44],
] as const;

/** 1 where the word at `offset` is `value`. */
const equal = (offset: number, value: number): BpfProgram => [
  i(BPF.LD_ABS, offset),
  i(BPF.JEQ_K, value >>> 0, 0, 1),
  ret(1),
  ret(0),
];

describe("hook", () => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace("hook");
  });
  /** Attaches; then four pages are sealed. */
  function attached(program: BpfProgram, prot = 3): SealedSpace {
    expect(verifyBpf(program, CONTEXT_BYTES)).toBeNull();
    s.env.sealing = s.env.sealing.attach!(program);
    s.map(0, 4, prot);
    s.call(0, 4);
    return s;
  }

  it("without a program is mainline", () => {
    s.map(0, 4);
    s.call(0, 4);
    expect([s.munmap(0, 1), s.protect(0, 1, 1), s.overlay(0, 1), s.remap(0, 4, 2)]).toEqual(
      Array(4).fill(-EPERM),
    );
    expect(s.advise(0, 1, 4)).toBe(0);
  });
  it("1 permits everything that a seal refuses", () => {
    attached([ret(1)]);
    expect(s.protect(0, 1, 1)).toBe(0);
    expect(s.advise(0, 1, 4)).toBe(0);
    expect(s.overlay(1, 1)).toBe(s.at(1));
    expect(s.remap(2, 2, 1)).toBe(s.at(2));
    expect(s.munmap(0, 4)).toBe(0);
  });
  it("0 lets the refusal stand as it is", () => {
    attached([ret(0)]);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.refusals[0]!.text).not.toContain("so the refusal stands");
  });
  it("any other answer lets it stand and says so", () => {
    attached([ret(2)]);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.refusals[0]!.text).toMatch(/; the program answered 2, neither 0 nor 1, so the refusal stands$/);
  });
  it("so does a division by zero", () => {
    attached([i(BPF.DIV_X, 0), ret(1)]);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.refusals[0]!.text).toContain("; the program divided by zero, so the refusal stands");
  });
  it("what no seal refuses is not asked about", () => {
    attached([ret(0)]);
    s.map(10, 1);
    expect(s.munmap(10, 1)).toBe(0);
    expect(s.mm.munmap(s.at(0) + 1, PG)).toBe(-22);
  });
  it.each<[keyof typeof OPERATIONS, (s: SealedSpace) => number]>([
    ["munmap", (one) => one.munmap(0, 1)],
    ["mmap", (one) => one.overlay(0, 1)],
    ["mremap", (one) => one.remap(0, 4, 2)],
    ["mprotect", (one) => one.protect(0, 1, 3)],
    ["madvise", (one) => one.advise(0, 1, 4)],
  ])("the context's operation: %s", (name, ask) => {
    for (const [other, number] of Object.entries(OPERATIONS)) {
      s = new SealedSpace("hook");
      attached(equal(OPERATION, number), 1);
      expect([other, ask(s) >= 0]).toEqual([other, other === name]);
    }
  });
  it("the context's operation: mremap's destination and brk", () => {
    attached(equal(OPERATION, OPERATIONS.mremap));
    s.map(20, 1);
    expect(s.overlay(0, 1)).toBe(-EPERM);
    expect(s.remap(20, 1, 1, 0)).toBe(s.at(0));
    s = new SealedSpace("hook");
    s.mm.setLayout({ startBrk: s.at(100), brk: s.at(100) });
    s.mm.brk(s.at(104));
    attached(equal(OPERATION, OPERATIONS.brk));
    s.call(100, 4);
    expect(s.mm.brk(s.at(101))).toBe(s.at(101));
    expect(s.munmap(100, 1)).toBe(-EPERM);
  });
  it.each<[string, number, number]>([
    ["start, low half", START, 0],
    ["start, high half", START + 4, 0x10],
    ["end, low half", END, 4 * PG],
    ["end, high half", END + 4, 0x10],
    ["prot", PROT, 3],
    ["key", KEY, 0],
    ["seals, without the model's own bit", SEALS, 1],
    ["pkru", PKRU, 0x5555_5554],
    ["argument of munmap", ARGUMENT, 0],
    ["key asked for: none", ASKED_KEY, -1],
    ["flags", FLAGS, 0],
  ])("the context has the area: %s", (_, offset, value) => {
    attached(equal(offset, value));
    expect(s.munmap(0, 4)).toBe(0);
  });
  it("the context's argument: the protection and the key of mprotect", () => {
    const key = s.mm.pkeyAlloc(0, 0);
    attached(equal(ARGUMENT, 5));
    expect(s.protect(0, 1, 1)).toBe(-EPERM);
    expect(s.protect(0, 1, 5)).toBe(0);
    s = new SealedSpace("hook");
    s.mm.pkeyAlloc(0, 0);
    attached(equal(ASKED_KEY, key));
    expect(s.protect(0, 1, 3, 0)).toBe(-EPERM);
    expect(s.protect(0, 1, 3, key)).toBe(0);
  });
  it("the context's argument of madvise, and its flag of who could write", () => {
    attached(equal(ARGUMENT, 8), 1);
    expect(s.advise(0, 1, 4)).toBe(-EPERM);
    expect(s.advise(0, 1, 8)).toBe(0);
    s = new SealedSpace("hook");
    // Where the caller could write there is no refusal to decide.
    attached(equal(FLAGS, 1), 1);
    expect(s.advise(0, 1, 4)).toBe(-EPERM);
  });
  it("PKRU is the calling thread's at that time", () => {
    const key = s.mm.pkeyAlloc(0, 0);
    // 1 where the write-disable bit of the area's key is clear.
    attached([
      i(BPF.LD_ABS, KEY),
      i(BPF.LSH_K, 1),
      i(BPF.ADD_K, 1),
      i(BPF.TAX, 0),
      i(BPF.LD_ABS, PKRU),
      i(BPF.RSH_X, 0),
      i(BPF.AND_K, 1),
      i(BPF.XOR_K, 1),
      i(BPF.RET_A, 0),
    ]);
    s.map(10, 1);
    s.protect(10, 1, 3, key);
    s.call(10, 1);
    s.setPkru(key, 2);
    expect(s.munmap(10, 1)).toBe(-EPERM);
    s.setPkru(key, 0);
    expect(s.munmap(10, 1)).toBe(0);
  });
  it("decides of what was sealed after it was attached, and of nothing else", () => {
    s.map(10, 2);
    s.call(10, 1);
    attached([ret(1)]);
    s.call(11, 1);
    expect(s.munmap(10, 1)).toBe(-EPERM);
    expect(s.munmap(11, 1)).toBe(0);
  });
  it("to seal again does not bring an old seal within its reach, nor does a neighbour", () => {
    s.map(10, 2);
    s.call(10, 1);
    attached([ret(1)]);
    s.call(10, 2);
    expect(s.mm.findArea(s.at(10))).not.toBe(s.mm.findArea(s.at(11)));
    expect(s.munmap(10, 2)).toBe(-EPERM);
    expect(s.munmap(10, 1)).toBe(-EPERM);
  });
  it("splits and merges as mainline: equal seals become one area, and pieces keep theirs", () => {
    attached(equal(OPERATION, OPERATIONS.munmap));
    s.map(4, 2);
    s.call(4, 2);
    expect(s.draw()).toBe("[+0+6 rw sl]");
    expect(s.munmap(2, 1)).toBe(0);
    expect(s.draw()).toBe("[+0+2 rw sl][+3+3 rw sl]");
  });
  it("of a range partly within its reach the rest decides", () => {
    s.map(4, 1);
    s.call(4, 1);
    attached([ret(1)]);
    expect(s.munmap(0, 5)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+4 rw sl][+4+1 rw sl]");
  });
  it("a child has it and its seals; a second one is not taken", () => {
    attached(equal(OPERATION, OPERATIONS.munmap));
    const child = s.fork(2);
    expect(child.munmap(s.at(0), PG)).toBe(0);
    expect(child.mprotect(s.at(1), PG, 1, -1)).toBe(-EPERM);
    expect(s.seals(0)).toBe("sealed");
    expect(s.env.sealing.attach).toBeUndefined();
    expect(s.env.sealing.attached).toBe(4);
  });
  it("smaps shows its seals as others", () => {
    attached([ret(0)]);
    expect(s.mm.formatSmaps()).toMatch(/VmFlags:.* sl/);
  });
});

describe("what a program must be", () => {
  const mistakes: [string, BpfProgram, string][] = [
    ["empty", [], "the program is empty"],
    ["too long", Array<BpfInstruction>(4097).fill(ret(0)), "4097 instructions; 4096 are permitted"],
    ["without an end", [i(BPF.LD_IMM, 1)], "the last instruction is no RET"],
    ["an unknown code", [i(0x94, 1), ret(0)], "there is no code 0x94 here"],
    ["a load that is not aligned", [i(BPF.LD_ABS, 2), ret(0)], "a load at 2"],
    ["a load beyond the context", [i(BPF.LD_ABS, CONTEXT_BYTES), ret(0)], "beyond the 48 bytes"],
    ["a load of packets", [i(0x30, 0), ret(0)], "there is no code 0x30 here"],
    ["a jump to its end", [i(BPF.JA, 1), ret(0)], "a jump beyond the end"],
    ["a jump back", [i(BPF.JA, 0xffff_ffff), ret(0)], "a jump beyond the end"],
    ["a test that leads too far", [i(BPF.JEQ_K, 0, 0, 1), ret(0)], "a jump beyond the end"],
    ["a division by zero", [i(BPF.DIV_K, 0), ret(0)], "a division by zero"],
    ["a shift by 32", [i(BPF.RSH_K, 32), ret(0)], "a shift by 32"],
    ["a scratch word too many", [i(BPF.ST, 16), ret(0)], "scratch word 16; there are 16"],
    [
      "a scratch word that nothing wrote",
      [i(BPF.LD_MEM, 3), ret(0)],
      "scratch word 3 may not have been written",
    ],
    [
      "a scratch word that one of two ways writes",
      [i(BPF.JEQ_K, 0, 1, 0), i(BPF.ST, 3), i(BPF.LD_MEM, 3), ret(0)],
      "scratch word 3 may not",
    ],
  ];
  it.each(mistakes)("%s", (_, program, text) => {
    expect(verifyBpf(program, CONTEXT_BYTES)?.text).toContain(text);
  });
  it("4096 instructions are taken, and come to an end", () => {
    const s = new SealedSpace("hook");
    const program = [...Array<BpfInstruction>(4095).fill(i(BPF.ADD_K, 0)), ret(1)];
    expect(verifyBpf(program, CONTEXT_BYTES)).toBeNull();
    s.env.sealing = s.env.sealing.attach!(program);
    s.map(0, 1);
    s.call(0, 1);
    expect(s.munmap(0, 1)).toBe(0);
  });
});
