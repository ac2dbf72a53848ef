import { describe, expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import { Program, writeElf } from "../../userland/index.js";
import { vdsoImage } from "../../userland/vdso-image.js";

const image = vdsoImage();
const view = new DataView(image.buffer);
const u32 = (at: number): number => view.getUint32(at, true);
const u64 = (at: number): number => Number(view.getBigUint64(at, true));

/** What PT_DYNAMIC says. */
function dynamic(): Map<number, number> {
  const entries = new Map<number, number>();
  const header = 64 + 56;
  expect(u32(header)).toBe(2);
  for (let at = u64(header + 8); u64(at) !== 0; at += 16) entries.set(u64(at), u64(at + 8));
  return entries;
}
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_GNU_HASH = 0x6fff_fef5;

function text(at: number): string {
  return new TextDecoder().decode(image.subarray(at, image.indexOf(0, at)));
}

/** A name's symbol as the System V ABI finds it. */
function bySysvHash(name: string): number {
  const tables = dynamic();
  let hash = 0n;
  for (const letter of name) {
    hash = (hash << 4n) + BigInt(letter.charCodeAt(0));
    hash = (hash ^ ((hash & 0xf000_0000n) >> 24n)) & 0x0fff_ffffn;
  }
  const table = tables.get(DT_HASH)!;
  const buckets = u32(table);
  for (let i = u32(table + 8 + 4 * (Number(hash) % buckets)); i !== 0; i = u32(table + 8 + 4 * (buckets + i)))
    if (text(tables.get(DT_STRTAB)! + u32(tables.get(DT_SYMTAB)! + 24 * i)) === name) return i;
  return 0;
}

/** As glibc finds it: filter, bucket, chain. */
function byGnuHash(name: string): number {
  const tables = dynamic();
  let hash = 5381n;
  for (const letter of name) hash = (hash * 33n + BigInt(letter.charCodeAt(0))) & 0xffff_ffffn;
  const table = tables.get(DT_GNU_HASH)!;
  const [buckets, first, words, shift] = [0, 4, 8, 12].map((at) => u32(table + at)) as [
    number,
    number,
    number,
    number,
  ];
  const filter = view.getBigUint64(table + 16 + 8 * (Number(hash / 64n) % words), true);
  if (((filter >> (hash % 64n)) & (filter >> ((hash >> BigInt(shift)) % 64n)) & 1n) === 0n) return 0;
  const bucket = table + 16 + 8 * words;
  const chain = bucket + 4 * buckets;
  for (let i = u32(bucket + 4 * (Number(hash) % buckets)); i !== 0; i++) {
    const entry = u32(chain + 4 * (i - first));
    const same = (entry | 1) === (Number(hash) | 1);
    if (same && text(tables.get(DT_STRTAB)! + u32(tables.get(DT_SYMTAB)! + 24 * i)) === name) return i;
    if ((entry & 1) !== 0) return 0;
  }
  return 0;
}

describe("the vDSO's image", () => {
  const names = ["clock_gettime", "gettimeofday", "time", "clock_getres", "getcpu"];
  it.each([...names, ...names.map((name) => `__vdso_${name}`)])("both tables of names lead to %s", (name) => {
    const found = bySysvHash(name);
    expect(found).not.toBe(0);
    expect(byGnuHash(name)).toBe(found);
  });

  it("has no other names, and no getrandom", () => {
    expect(bySysvHash("__vdso_getrandom")).toBe(0);
    expect(byGnuHash("__vdso_getrandom")).toBe(0);
  });
});

/** Where a function lies in the image. */
const entry = (name: string): number => u64(dynamic().get(DT_SYMTAB)! + 24 * bySysvHash(name) + 8);

/** A program that finds the vDSO in its auxiliary vector and leaves its address in RBP. */
function program(): Program {
  const asm = new Program();
  asm.code(`
    _start:
      mov rbx, qword ptr [rsp]
      lea rbx, [rsp + rbx*8 + 16]
    environment:
      mov rax, qword ptr [rbx]
      add rbx, 8
      test rax, rax
      jne environment
    vector:
      mov rax, qword ptr [rbx]
      mov rbp, qword ptr [rbx + 8]
      add rbx, 16
      test rax, rax
      je absent
      cmp rax, 33
      jne vector
  `);
  return asm;
}

describe("the vDSO in a program", () => {
  it("lies on top of the mappings, its data before it", () => {
    const machine = Machine.create();
    machine.load(writeElf(program().label("absent").exit(0).link()));
    const areas = machine.areas().filter((area) => area.name.startsWith("[v"));
    expect(areas.map(({ name, start, end }) => [name, start.toString(16), end - start])).toEqual([
      ["[vvar]", "7ffff7ff7000", 0x4000],
      ["[vvar_vclock]", "7ffff7ffb000", 0x2000],
      ["[vdso]", "7ffff7ffd000", 0x2000],
    ]);
    expect(machine.read(0x7ffff7ffd000, image.length)).toEqual(image);
  });

  it.each([
    ["CLOCK_REALTIME", 0],
    ["CLOCK_MONOTONIC", 1],
    ["CLOCK_REALTIME_COARSE", 5],
    ["CLOCK_MONOTONIC_COARSE", 6],
    ["CLOCK_TAI", 11],
  ])("%s never goes back between it and the system call, sleeping or not", (_name, id) => {
    const asm = program();
    asm.code(`
        mov r12d, 40
        xor r13d, r13d
        xor r14d, r14d
      again:
        mov edi, ${id}
        lea rsi, [answer]
        lea rax, [rbp + ${entry("__vdso_clock_gettime")}]
        call rax
        call compare
        mov edi, ${id}
        lea rsi, [answer]
        mov eax, 228
        syscall
        call compare
        lea rdi, [nap]
        xor esi, esi
        mov eax, 35
        syscall
        dec r12d
        jne again
        mov edi, 0
        jmp leave
      compare:
        mov rax, qword ptr [answer]
        mov rcx, qword ptr [answer + 8]
        cmp rax, r13
        jb absent
        ja later
        cmp rcx, r14
        jb absent
      later:
        mov r13, rax
        mov r14, rcx
        cmp rcx, 999999999
        ja absent
        ret
      absent:
        mov edi, 1
      leave:
        mov eax, 231
        syscall
    `);
    asm.within(".data", () => asm.label("answer").u64(0, 0).label("nap").u64(0, 123_456_789));
    const machine = Machine.create();
    machine.load(writeElf(asm.link()));
    for (;;) {
      const end = machine.run();
      if (end.reason === "blocked" && end.deadline !== null) machine.kernel.advanceClock(end.deadline);
      else {
        expect(end).toMatchObject({ reason: "exited", status: { code: 0 } });
        return;
      }
    }
  });

  it("asks the kernel on the host's clock", () => {
    const asm = program();
    asm.code(`
        mov edi, 1
        lea rsi, [answer]
        lea rax, [rbp + ${entry("__vdso_clock_gettime")}]
        call rax
        mov edi, 0
        jmp leave
      absent:
        mov edi, 1
      leave:
        mov eax, 231
        syscall
    `);
    asm.within(".data", () => asm.label("answer").u64(0, 0));
    const elf = writeElf(asm.link());
    for (const clock of ["virtual", "host"] as const) {
      const machine = Machine.create({ clock });
      machine.load(elf);
      const calls: string[] = [];
      machine.on("syscallEnter", (call) => calls.push(call.name));
      machine.run();
      expect(calls).toEqual(clock === "host" ? ["clock_gettime", "exit_group"] : ["exit_group"]);
    }
  });
});
