import type { Image } from "../assembler.js";
import { Program } from "../program.js";
import { restorer } from "../runtime/faults.js";
import { MAX_ACTORS, OPERATIONS, RECORD, RESUME, SHARED, SLOTS, TABLE } from "./layout.js";
import { actors } from "./runtime-actors.js";
import { handler, output } from "./runtime-answers.js";
import { C, CONTEXT, STACK, SYS } from "./runtime-context.js";
import { accesses, interpreter, keys } from "./runtime-steps.js";

/*
 * The program that every scenario is run by: it reads the records of the table, does what each says and prints an
 * answer a line, in hexadecimal: `STEP v VALUE`, `STEP f SIGNAL CODE KEY ADDRESS ERROR` and so on (answers.ts).
 *
 * Its own memory has key 0. Where a scenario denies itself key 0, PKRU is opened between the steps: what a step does
 * runs with the scenario's own value, which is kept in the context meanwhile.
 *
 * Registers: RBX the record, RBP the context of the task, R15 whether there are protection keys.
 */

/** Signals that are taken from the start: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGUSR2. */
const TAKEN = [4, 5, 7, 8, 10, 11, 12] as const;

let made: Image | undefined;

/** The program without a table; assembled once. */
export function runtimeImage(): Image {
  made ??= assemble();
  return made;
}

function assemble(): Image {
  const p = new Program();
  p.within(".bss", () => {
    p.align(4096)
      .label("stacks")
      .reserve(STACK * (MAX_ACTORS + 1));
    p.align(64)
      .label("contexts")
      .reserve(CONTEXT * (MAX_ACTORS + 1));
    p.label("handlers").reserve(8 * 65);
    p.label("xsave_pkru").reserve(8);
    p.label("action").reserve(32);
    p.label("buffer").reserve(65536);
  });
  p.within(".rodata", () => {
    p.align(8).label("operations");
    for (const name of OPERATIONS) p.code(`dq op_${name}`);
    p.label("proc_smaps").string("/proc/self/smaps\0");
    p.label("proc_meminfo").string("/proc/meminfo\0");
    p.label("proc_pagemap").string("/proc/self/pagemap\0");
    p.label("proc_exe").string("/proc/self/exe\0");
    p.label("memfd_name").string("scenario\0");
    p.align(8).label("exec_argv").code("dq proc_exe, proc_exe, 0");
    p.label("pause").code("dq 0, 1000000");
  });
  start(p);
  interpreter(p);
  accesses(p);
  keys(p);
  actors(p);
  output(p);
  handler(p);
  return p.link();
}

function start(p: Program): void {
  const [fresh, none, copy] = ["fresh", "none", "copy"].map((name) => p.unique(name));
  p.code(`
    _start:
      mov r14, [rsp]
      mov r13, rsp
      and r13, -4096
      lea rbp, [contexts]
      lea rsp, [stacks+${STACK}]
      xor r15d, r15d
      mov eax, 7
      xor ecx, ecx
      cpuid
      test ecx, 0x10
      jz ${none}
      mov r15d, 1
      mov eax, 13
      mov ecx, 9
      cpuid
      mov [xsave_pkru], rbx
      xor ecx, ecx
      rdpkru
      mov [rbp+${C.pkru}], eax
    ${none}:
  `);
  for (const signal of TAKEN) p.code(`mov edi, ${signal}\n call take_signal`);
  p.code(`
      cmp r14, 2
      jne ${fresh}
      call map_shared
      mov rbx, [${RESUME}]
      mov rax, [${RESUME + 8}]
      mov [rbp+${C.mailbox}], rax
      mov [${SLOTS + 16}], r13
      mov eax, [rbx+${RECORD.step}]
      mov [rbp+${C.step}], rax
      mov rax, r13
      call answer_value
      add rbx, ${RECORD.bytes}
      cmp qword ptr [rbp+${C.mailbox}], 0
      je run_main
      call run
      jmp served
    ${fresh}:
      lea rdi, [memfd_name]
      xor esi, esi
      mov eax, ${SYS.memfd_create}
      syscall
      mov edi, eax
      mov esi, ${SHARED.descriptor}
      mov eax, ${SYS.dup2}
      push rdi
      syscall
      pop rdi
      mov eax, ${SYS.close}
      syscall
      mov edi, ${SHARED.descriptor}
      mov esi, ${SHARED.bytes}
      mov eax, ${SYS.ftruncate}
      syscall
      call map_shared
      mov [${SLOTS + 16}], r13
      lea rdi, [buffer]
      mov eax, ${SYS.uname}
      syscall
      lea rdi, [rbp+${C.line}]
      mov word ptr [rdi], 0x204b
      add rdi, 2
      lea rsi, [buffer+130]
    ${copy}:
      lodsb
      stosb
      test al, al
      jnz ${copy}
      dec rdi
      mov eax, r15d
      call put_number
      push rdi
      xor edi, edi
      xor esi, esi
      xor edx, edx
      mov eax, ${SYS.mseal}
      syscall
      pop rdi
      call put_number
      mov rax, [${SLOTS + 16}]
      call put_number
      call flush
      mov rbx, ${TABLE}
    run_main:
      call run
      lea rdi, [rbp+${C.line}]
      mov byte ptr [rdi], 'E'
      inc rdi
      call flush
      xor edi, edi
      mov eax, ${SYS.exit_group}
      syscall

    map_shared:
      mov edi, ${SHARED.address}
      mov esi, ${SHARED.bytes}
      mov edx, 3
      mov r10d, 0x11
      mov r8d, ${SHARED.descriptor}
      xor r9d, r9d
      mov eax, ${SYS.mmap}
      syscall
      ret

    take_signal:
      lea rax, [signal_handler]
      mov [action], rax
      mov dword ptr [action+8], 0x0c000004
      lea rax, [${restorer}]
      mov [action+16], rax
      lea rsi, [action]
      xor edx, edx
      mov r10d, 8
      mov eax, ${SYS.rt_sigaction}
      syscall
      ret
    ${restorer}: mov eax, 15
      syscall
  `);
}
