import type { Program } from "../program.js";
import { RECORD, SLOTS } from "./layout.js";

/** Offsets in a task's context. */
export const C = {
  pkru: 0,
  step: 8,
  signo: 16,
  code: 24,
  key: 32,
  address: 40,
  error: 48,
  recoverRip: 56,
  recoverRsp: 64,
  handlerPkru: 72,
  frame: 80,
  mailbox: 88,
  line: 128,
} as const;

/** The step number's place in a context, and that RBP points to it: for who watches from outside. */
export const STEP_OFFSET = C.step;

export const CONTEXT = 1024;
export const STACK = 24576;

export const SYS = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  mmap: 9,
  pread64: 17,
  fork: 57,
  clone: 56,
  execve: 59,
  exit: 60,
  exit_group: 231,
  wait4: 61,
  uname: 63,
  ftruncate: 77,
  dup2: 33,
  futex: 202,
  waitid: 247,
  memfd_create: 319,
  mseal: 462,
  rt_sigaction: 13,
} as const;

/** Puts the scenario's PKRU in force. Loses RAX, RCX, RDX where there are keys; RSP must not be used after it. */
export function enter(p: Program): void {
  const skip = p.unique("entered");
  p.code(`
    test r15d, r15d
    jz ${skip}
    mov eax, [rbp+${C.pkru}]
    test al, 3
    jz ${skip}
    xor ecx, ecx
    xor edx, edx
    wrpkru
    ${skip}:
  `);
}

/** Notes the scenario's PKRU and opens key 0 for the program's own memory. Loses RAX, RCX, RDX, R11. */
export function leave(p: Program): void {
  const [skip, keep] = [p.unique("left"), p.unique("keep")];
  p.code(`
    test r15d, r15d
    jz ${skip}
    xor ecx, ecx
    rdpkru
    mov r11d, eax
    test al, 3
    jz ${keep}
    xor eax, eax
    xor edx, edx
    wrpkru
    ${keep}:
    mov [rbp+${C.pkru}], r11d
    ${skip}:
  `);
}

/** An operand's value: the slot it names plus its constant. Loses RAX. */
export function operand(p: Program, register: string, index: number): void {
  const at = RECORD.operands + 16 * index;
  p.code(`
    mov eax, [rbx+${at}]
    mov ${register}, [rax+${SLOTS}]
    add ${register}, [rbx+${at + 8}]
  `);
}

/** A fault from here on goes on at `label`, with RSP as it is here. Loses RAX. */
export function recoverAt(p: Program, label: string): void {
  p.code(`
    mov qword ptr [rbp+${C.signo}], 0
    lea rax, [${label}]
    mov [rbp+${C.recoverRip}], rax
    mov [rbp+${C.recoverRsp}], rsp
  `);
}
