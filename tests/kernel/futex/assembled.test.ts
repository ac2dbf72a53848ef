import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { SYS } from "../../../userland/linux.js";
import { Program } from "../../../userland/program.js";
import { hostRunsPrograms, runNative } from "../../userland/native.js";

/** CLONE_VM | FS | FILES | SIGHAND | THREAD | SYSVSEM | CHILD_CLEARTID. */
const THREAD = 0x250f00;
const FUTEX = { WAIT: 0, WAKE: 1, LOCK_PI: 6, UNLOCK_PI: 7, PRIVATE: 128 } as const;
const SET_ROBUST_LIST = 273;

/** A thread at a label, its end told by the word at `gone`, which holds 1 until then. */
function thread(program: Program, label: string): Program {
  const parent = program.unique("parent");
  return program
    .code("mov dword ptr [gone], 1")
    .code("lea rsi, [stack + 65536]\n lea r10, [gone]\n xor edx, edx\n xor r8d, r8d")
    .code(`mov edi, ${THREAD}\n mov eax, ${SYS.clone}\n syscall`)
    .code(`test rax, rax\n jnz ${parent}\n jmp ${label}`)
    .label(parent);
}

/** Waits for the kernel to clear `gone`: on a shared key, as the kernel wakes. */
function join(program: Program): Program {
  const [again, over] = [program.unique("again"), program.unique("over")];
  return program
    .label(again)
    .code(`mov eax, [gone]\n test eax, eax\n jz ${over}`)
    .syscall(SYS.futex, "gone", FUTEX.WAIT, 1, 0)
    .code(`jmp ${again}`)
    .label(over);
}

function build(): Uint8Array {
  const program = new Program();
  program.within(".bss", () => {
    for (const word of ["gone", "turn", "lock", "count"]) program.align(8).label(word).reserve(8);
    program.align(16).label("stack").reserve(65536);
    // A robust list by hand: its head, and one entry with the futex behind the pointer.
    program.align(16).label("head").reserve(24).align(8).label("entry").reserve(16);
  });
  program.label("_start");

  // Two threads take turns a hundred times.
  thread(program, "player");
  program.code("mov ebx, 100").label("serve");
  program.code("mov dword ptr [turn], 1").syscall(SYS.futex, "turn", FUTEX.WAKE | FUTEX.PRIVATE, 1);
  program.label("receive").code("cmp dword ptr [turn], 0\n je returned");
  program.syscall(SYS.futex, "turn", FUTEX.WAIT | FUTEX.PRIVATE, 1, 0).code("jmp receive");
  program.label("returned").code("dec ebx\n jnz serve");
  join(program).print("turns taken: ").printUnsigned("[count]").line("");

  // A thread ends with a PI lock that nobody waits for, then with one that somebody waits for.
  thread(program, "keeper");
  join(program).syscall(SYS.futex, "lock", FUTEX.LOCK_PI | FUTEX.PRIVATE, 0, 0);
  program.print("lock of one who is gone: ").printErrno().line("");
  program.code("mov dword ptr [lock], 0");
  thread(program, "sleeper");
  program
    .label("look")
    .code("cmp dword ptr [lock], 0\n jne held")
    .syscall(SYS.sched_yield)
    .code("jmp look")
    .label("held");
  program.syscall(SYS.futex, "lock", FUTEX.LOCK_PI | FUTEX.PRIVATE, 0, 0);
  program.print("passed on at its end: ").printErrno().code("mov eax, [lock]\n and eax, 0x40000000");
  program.print(", owner died: ").printHex("rax").line("");
  join(program).syscall(SYS.futex, "lock", FUTEX.UNLOCK_PI | FUTEX.PRIVATE);
  program.print("unlock: ").printErrno().print(", left ").printHex("[lock]").line("");

  // A robust lock.
  thread(program, "robust");
  join(program).code("mov eax, [entry + 8]").print("robust word: ").printHex("rax").line("").exit(0);

  program.label("player").code("mov ebx, 100").label("wait");
  program.code("cmp dword ptr [turn], 1\n je hit");
  program
    .syscall(SYS.futex, "turn", FUTEX.WAIT | FUTEX.PRIVATE, 0, 0)
    .code("jmp wait")
    .label("hit");
  program.code("inc dword ptr [count]\n mov dword ptr [turn], 0");
  program
    .syscall(SYS.futex, "turn", FUTEX.WAKE | FUTEX.PRIVATE, 1)
    .code("dec ebx\n jnz wait")
    .syscall(SYS.exit, 0);

  program
    .label("keeper")
    .syscall(SYS.futex, "lock", FUTEX.LOCK_PI | FUTEX.PRIVATE, 0, 0)
    .syscall(SYS.exit, 0);
  program.label("sleeper").syscall(SYS.futex, "lock", FUTEX.LOCK_PI | FUTEX.PRIVATE, 0, 0);
  // Long enough for the other one to wait.
  program
    .label("until")
    .code("mov eax, [lock]\n test eax, eax\n js enough")
    .syscall(SYS.sched_yield)
    .code("jmp until");
  program.label("enough").syscall(SYS.exit, 0);

  program.label("robust").code(`
    lea rax, [entry]
    mov [head], rax
    mov qword ptr [head + 8], 8
    lea rax, [head]
    mov [entry], rax
  `);
  program
    .syscall(SYS.gettid)
    .code("mov [entry + 8], eax")
    .syscall(SET_ROBUST_LIST, "head", 24)
    .syscall(SYS.exit, 0);
  return program.build();
}

/** What Linux 6.18.44 printed. */
const EXPECTED = `turns taken: 100
lock of one who is gone: ESRCH
passed on at its end: ok, owner died: 0x40000000
unlock: ok, left 0x0
robust word: 0x40000000
`;

describe("futexes of a program without a C library", () => {
  const elf = build();

  it.each([1, 2, 3])("in the machine, seed %d", (seed) => {
    const host = new BufferHost();
    const machine = Machine.create({ host, seed, quantum: 50 * seed });
    machine.load(elf);
    expect(machine.run(50_000_000).reason).toBe("exited");
    expect(host.text(1) + host.text(2)).toBe(EXPECTED);
  });

  it.skipIf(!hostRunsPrograms)("on the host (skipped where it is not Linux on x86-64)", () => {
    expect(runNative(elf).stdout.toString()).toBe(EXPECTED);
  });
});
