import type { Image } from "../assembler.js";
import { Program } from "../program.js";
import { restorer } from "../runtime/faults.js";
import {
  KIND,
  MAILBOX,
  MAILBOXES,
  MAX_ACTORS,
  OPERATIONS,
  RECORD,
  RESUME,
  SCRATCH,
  SHARED,
  SLOTS,
  TABLE,
} from "./layout.js";

/**
 * The program that every scenario is run by: it reads the records of the table, does what each says and prints an
 * answer a line, in hexadecimal: `STEP v VALUE`, `STEP f SIGNAL CODE KEY ADDRESS ERROR` and so on (answers.ts).
 *
 * Its own memory has key 0. Where a scenario denies itself key 0, PKRU is opened between the steps: what a step does
 * runs with the scenario's own value, which is kept in the context meanwhile.
 *
 * Registers: RBX the record, RBP the context of the task, R15 whether there are protection keys.
 */

/** Offsets in a task's context. */
const C = {
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

const CONTEXT = 1024;
const STACK = 24576;

/** Signals that are taken from the start: SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGUSR2. */
const TAKEN = [4, 5, 7, 8, 10, 11, 12] as const;

const SYS = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  mmap: 9,
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

const THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x20_0000;

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

/** Puts the scenario's PKRU in force. Loses RAX, RCX, RDX where there are keys; RSP must not be used after it. */
function enter(p: Program): void {
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
function leave(p: Program): void {
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
function operand(p: Program, register: string, index: number): void {
  const at = RECORD.operands + 16 * index;
  p.code(`
    mov eax, [rbx+${at}]
    mov ${register}, [rax+${SLOTS}]
    add ${register}, [rbx+${at + 8}]
  `);
}

/** A fault from here on goes on at `label`, with RSP as it is here. Loses RAX. */
function recoverAt(p: Program, label: string): void {
  p.code(`
    mov qword ptr [rbp+${C.signo}], 0
    lea rax, [${label}]
    mov [rbp+${C.recoverRip}], rax
    mov [rbp+${C.recoverRsp}], rsp
  `);
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

function interpreter(p: Program): void {
  p.code(`
    run:
      mov eax, [rbx+${RECORD.step}]
      mov [rbp+${C.step}], rax
      movzx eax, byte ptr [rbx]
      lea rcx, [operations]
      jmp qword ptr [rcx+rax*8]
    advance:
      add rbx, ${RECORD.bytes}
      jmp run
    op_end:
      ret
    result:
      cmp qword ptr [rbp+${C.signo}], 0
      jne fault_result
      mov ecx, [rbx+${RECORD.dest}]
      test ecx, ecx
      jz .no_dest
      mov [rcx+${SLOTS}], rax
    .no_dest:
      cmp byte ptr [rbx+${RECORD.quiet}], 0
      jne advance
      call answer_value
      jmp advance
    fault_result:
      call begin
      mov byte ptr [rdi], 'f'
      inc rdi
  `);
  for (const at of [C.signo, C.code, C.key, C.address, C.error])
    p.code(`mov rax, [rbp+${at}]\n call put_number`);
  p.code("call flush\n jmp advance\n op_value:");
  operand(p, "rcx", 0);
  p.code(`
      mov rax, rcx
      mov qword ptr [rbp+${C.signo}], 0
      jmp result
    op_syscall:
  `);
  operand(p, "rdi", 0);
  operand(p, "rsi", 1);
  operand(p, "r13", 2);
  operand(p, "r10", 3);
  operand(p, "r8", 4);
  operand(p, "r9", 5);
  p.code(`mov r14d, [rbx+${RECORD.number}]`);
  recoverAt(p, ".syscall_done");
  enter(p);
  p.code("mov rdx, r13\n mov eax, r14d\n syscall\n mov r14, rax\n .syscall_done:");
  leave(p);
  p.code("mov rax, r14\n jmp result");
}

function accesses(p: Program): void {
  const sizes = [
    [1, "movzx r14d, byte ptr [rsi]", "mov [rsi], dil"],
    [2, "movzx r14d, word ptr [rsi]", "mov [rsi], di"],
    [4, "mov r14d, [rsi]", "mov [rsi], edi"],
    [8, "mov r14, [rsi]", "mov [rsi], rdi"],
  ] as const;
  for (const way of ["load", "store"] as const) {
    p.label(`op_${way}`);
    operand(p, "rsi", 0);
    operand(p, "rdi", 1);
    p.code(`xor r14d, r14d\n movzx r13d, byte ptr [rbx+${RECORD.size}]`);
    recoverAt(p, `.${way}_done`);
    enter(p);
    for (const [size, load, store] of sizes) {
      const next = p.unique("next");
      p.code(`cmp r13d, ${size}\n jne ${next}\n ${way === "load" ? load : store}\n jmp .${way}_done`);
      p.label(next);
    }
    p.label(`.${way}_done`);
    leave(p);
    p.code("mov rax, r14\n jmp result");
  }
  // The code called comes back by jmp r12: the stack may be out of reach under the scenario's PKRU.
  p.label("op_call");
  operand(p, "rsi", 0);
  recoverAt(p, ".call_done");
  p.code("lea r12, [.called]");
  enter(p);
  p.code("jmp rsi\n .called: mov r14d, eax\n .call_done:");
  leave(p);
  p.code("mov rax, r14\n jmp result");
  p.label("op_poke");
  operand(p, "rdi", 0);
  operand(p, "rsi", 1);
  p.code("mov [rdi], rsi\n jmp advance");
  p.label("op_dump");
  operand(p, "rsi", 0);
  p.code(`
      call begin
      mov word ptr [rdi], 0x2062
      add rdi, 2
      mov r13d, [rbx+${RECORD.number}]
    .dump_byte:
      movzx ecx, byte ptr [rsi]
      mov eax, ecx
      shr eax, 4
      call put_digit
      mov eax, ecx
      and eax, 15
      call put_digit
      inc rsi
      dec r13d
      jnz .dump_byte
      call flush
      jmp advance
  `);
}

function keys(p: Program): void {
  // RCX: twice the key; RDX: its rights. EAX: the old value, then the new one.
  const change = (): void => {
    p.code(
      "and ecx, 15\n add ecx, ecx\n mov r8d, 3\n shl r8d, cl\n not r8d\n and eax, r8d\n shl edx, cl\n or eax, edx",
    );
  };
  p.label("op_setkey");
  operand(p, "rcx", 0);
  operand(p, "rdx", 1);
  p.code(`mov eax, [rbp+${C.pkru}]`);
  change();
  p.code("jmp .write_pkru\n op_wrpkru:");
  operand(p, "rcx", 0);
  p.code("mov eax, ecx\n .write_pkru: mov r14d, eax");
  recoverAt(p, ".wrpkru_done");
  p.code("mov eax, r14d\n xor r14d, r14d\n xor ecx, ecx\n xor edx, edx\n wrpkru\n .wrpkru_done:");
  leave(p);
  p.code("xor eax, eax\n jmp result\n op_rdpkru:");
  recoverAt(p, ".rdpkru_done");
  p.code("test r15d, r15d\n jnz .rdpkru_done\n xor ecx, ecx\n rdpkru");
  p.code(`.rdpkru_done: mov eax, [rbp+${C.pkru}]\n jmp result`);
  p.code(`op_handlerpkru: mov qword ptr [rbp+${C.signo}], 0\n mov eax, [rbp+${C.handlerPkru}]\n jmp result`);
  p.label("op_framekey");
  p.code(".frame:");
  frameState(p);
  operand(p, "rcx", 0);
  operand(p, "rdx", 1);
  p.code("mov eax, [rsi]");
  change();
  p.code("mov [rsi], eax\n xor eax, eax\n jmp result\n op_framepkru:");
  frameState(p);
  operand(p, "rcx", 0);
  p.code(`
      cmp byte ptr [rbx+${RECORD.size}], 0
      jne .clear_component
      mov [rsi], ecx
      xor eax, eax
      jmp result
    .clear_component:
      and qword ptr [rdi+512], 0xfffffffffffffdff
      xor eax, eax
      jmp result
  `);
}

/** RDI: the XSAVE image in the signal frame; RSI: PKRU in it. */
function frameState(p: Program): void {
  p.code(`
    mov qword ptr [rbp+${C.signo}], 0
    mov rdi, [rbp+${C.frame}]
    mov rdi, [rdi+224]
    mov rsi, [xsave_pkru]
    add rsi, rdi
  `);
}

function actors(p: Program): void {
  const mailbox = (): void => {
    p.code(`mov r12d, [rbx+${RECORD.number}]\n imul r12d, r12d, ${MAILBOX.bytes}\n add r12d, ${MAILBOXES}`);
  };
  p.label("op_fork");
  mailbox();
  enter(p);
  p.code(`mov eax, ${SYS.fork}\n syscall\n mov r14, rax`);
  leave(p);
  p.code(`
      test r14, r14
      jz .forked_child
      mov [r12+${MAILBOX.pid}], r14
      mov dword ptr [r12+${MAILBOX.kind}], ${KIND.process}
      mov qword ptr [rbp+${C.signo}], 0
      mov rax, r14
      jmp result
    .forked_child:
      mov [rbp+${C.mailbox}], r12
      jmp serve
    op_thread:
  `);
  mailbox();
  p.code(`
      mov eax, [rbx+${RECORD.number}]
      inc eax
      imul ecx, eax, ${STACK}
      lea rsi, [stacks+${STACK}]
      add rsi, rcx
      imul ecx, eax, ${CONTEXT}
      lea r13, [contexts]
      add r13, rcx
      mov [r13+${C.mailbox}], r12
      mov edi, ${THREAD_FLAGS}
      lea r10, [r12+${MAILBOX.tid}]
      mov qword ptr [r10], 1
      mov dword ptr [r12+${MAILBOX.kind}], ${KIND.thread}
      mov r9, rsi
      xor r8d, r8d
  `);
  enter(p);
  p.code(
    `xor edx, edx\n mov rsi, r9\n mov eax, ${SYS.clone}\n syscall\n test rax, rax\n jnz .in_parent\n mov rbp, r13`,
  );
  leave(p);
  p.code("jmp serve\n .in_parent: mov r14, rax");
  leave(p);
  p.code(`
      mov qword ptr [rbp+${C.signo}], 0
      mov rax, r14
      jmp result

    serve:
      mov r12, [rbp+${C.mailbox}]
      mov ebx, [r12]
      test ebx, ebx
      jnz .serve_order
      lea rdi, [r12+${MAILBOX.order}]
      xor esi, esi
      xor edx, edx
      xor r10d, r10d
      mov eax, ${SYS.futex}
      syscall
      jmp serve
    .serve_order:
      mov dword ptr [r12], 0
      call run
    served:
      mov r12, [rbp+${C.mailbox}]
      mov dword ptr [r12+${MAILBOX.done}], 1
      lea rdi, [r12+${MAILBOX.done}]
      mov esi, 1
      mov edx, 1
      mov eax, ${SYS.futex}
      syscall
      jmp serve

    post_order:
      mov dword ptr [r12+${MAILBOX.done}], 0
      mov [r12+${MAILBOX.order}], eax
      lea rdi, [r12+${MAILBOX.order}]
      mov esi, 1
      mov edx, 1
      mov eax, ${SYS.futex}
      syscall
      ret

    op_give:
  `);
  mailbox();
  operand(p, "rcx", 0);
  p.code(`
      mov eax, ecx
      call post_order
    .give_wait:
      cmp dword ptr [r12+${MAILBOX.done}], 0
      jne advance
      cmp dword ptr [r12+${MAILBOX.kind}], ${KIND.process}
      jne .give_sleep
      mov edi, 1
      mov rsi, [r12+${MAILBOX.pid}]
      lea rdx, [buffer]
      mov qword ptr [rdx], 0
      mov qword ptr [rdx+8], 0
      mov r10d, 0x01000005
      xor r8d, r8d
      mov eax, ${SYS.waitid}
      syscall
      test rax, rax
      jnz .give_dead
      cmp dword ptr [buffer], 0
      jne .give_dead
    .give_sleep:
      lea rdi, [r12+${MAILBOX.done}]
      xor esi, esi
      xor edx, edx
      lea r10, [pause]
      mov eax, ${SYS.futex}
      syscall
      jmp .give_wait
    .give_dead:
      call begin
      mov byte ptr [rdi], 'd'
      inc rdi
      call flush
      jmp advance
    op_exit:
  `);
  operand(p, "rdi", 0);
  p.code(
    `mov eax, ${SYS.exit_group}\n syscall\n op_endthread: xor edi, edi\n mov eax, ${SYS.exit}\n syscall\n op_wait:`,
  );
  mailbox();
  operand(p, "rcx", 0);
  p.code(`
      mov eax, ecx
      call post_order
      mov rdi, [r12+${MAILBOX.pid}]
      mov esi, ${SCRATCH}
      mov qword ptr [rsi], 0
      xor edx, edx
      xor r10d, r10d
      mov eax, ${SYS.wait4}
      syscall
      test rax, rax
      js .wait_failed
      cmp byte ptr [rbx+${RECORD.quiet}], 0
      jne advance
      call begin
      mov byte ptr [rdi], 'w'
      inc rdi
      mov eax, [${SCRATCH}]
      call put_number
      call flush
      jmp advance
    .wait_failed:
      call answer_value
      jmp advance
    op_join:
  `);
  mailbox();
  operand(p, "rcx", 0);
  p.code(`
      mov eax, ecx
      call post_order
    .join_again:
      mov edx, [r12+${MAILBOX.tid}]
      test edx, edx
      jz .joined
      lea rdi, [r12+${MAILBOX.tid}]
      xor esi, esi
      lea r10, [pause]
      mov eax, ${SYS.futex}
      syscall
      jmp .join_again
    .joined:
      mov qword ptr [rbp+${C.signo}], 0
      xor eax, eax
      jmp result
    op_exec:
      mov [${RESUME}], rbx
      mov rax, [rbp+${C.mailbox}]
      mov [${RESUME + 8}], rax
      lea rdi, [proc_exe]
      lea rsi, [exec_argv]
      xor edx, edx
  `);
  p.code(`mov r13, rdx\n mov r14d, ${SYS.execve}`);
  enter(p);
  p.code("mov rdx, r13\n mov eax, r14d\n syscall\n mov r14, rax");
  leave(p);
  p.code(`mov qword ptr [rbp+${C.signo}], 0\n mov rax, r14\n jmp result\n op_handler:`);
  operand(p, "rcx", 0);
  p.code(`
      mov edi, [rbx+${RECORD.number}]
      lea rdx, [handlers]
      mov [rdx+rdi*8], rcx
      call take_signal
      mov qword ptr [rbp+${C.signo}], 0
      jmp result
  `);
}

function output(p: Program): void {
  p.code(`
    op_smaps:
      lea rdi, [proc_smaps]
      xor esi, esi
      xor edx, edx
      mov eax, ${SYS.open}
      syscall
      test rax, rax
      js .no_smaps
      mov r13d, eax
      call begin
      mov byte ptr [rdi], 'm'
      inc rdi
      call flush
    .smaps_more:
      mov edi, r13d
      lea rsi, [buffer]
      mov edx, 65536
      xor eax, eax
      syscall
      test rax, rax
      jle .smaps_end
      mov rdx, rax
      lea rsi, [buffer]
    .smaps_write:
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      test rax, rax
      jle .smaps_end
      add rsi, rax
      sub rdx, rax
      jnz .smaps_write
      jmp .smaps_more
    .smaps_end:
      mov edi, r13d
      mov eax, ${SYS.close}
      syscall
      call begin
      mov byte ptr [rdi], 'M'
      inc rdi
      call flush
      jmp advance
    .no_smaps:
      call answer_value
      jmp advance

    begin:
      lea rdi, [rbp+${C.line}]
      mov rax, [rbp+${C.step}]
      call put_hex
      mov byte ptr [rdi], ' '
      inc rdi
      ret
    answer_value:
      mov r14, rax
      call begin
      mov byte ptr [rdi], 'v'
      inc rdi
      mov rax, r14
      call put_number
      jmp flush
    put_number:
      mov byte ptr [rdi], ' '
      inc rdi
    put_hex:
      mov rcx, rax
      mov edx, 64
    .skip_zero:
      sub edx, 4
      jz .hex_digits
      push rcx
      mov r8, rcx
      mov ecx, edx
      shr r8, cl
      pop rcx
      test r8, r8
      jz .skip_zero
    .hex_digits:
      mov r8, rcx
      push rcx
      mov ecx, edx
      shr r8, cl
      pop rcx
      mov eax, r8d
      and eax, 15
      call put_digit
      sub edx, 4
      jns .hex_digits
      ret
    put_digit:
      add al, '0'
      cmp al, '9'
      jbe .decimal
      add al, 39
    .decimal:
      stosb
      ret
    flush:
      mov byte ptr [rdi], 10
      inc rdi
      lea rsi, [rbp+${C.line}]
      mov rdx, rdi
      sub rdx, rsi
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      ret
  `);
}

/** RDI the signal, RSI siginfo, RDX ucontext. */
function handler(p: Program): void {
  p.code(`
    signal_handler:
      mov r9, rdx
      xor eax, eax
      test r15d, r15d
      jz .no_keys
      xor ecx, ecx
      rdpkru
    .no_keys:
      mov [rbp+${C.handlerPkru}], rax
      lea rcx, [handlers]
      mov ecx, edi
      lea rdx, [handlers]
      mov rdx, [rdx+rcx*8]
      test rdx, rdx
      jnz .with_block
      cmp dword ptr [rsi+8], 0
      jle .plain
      mov rdx, [rbp+${C.recoverRip}]
      test rdx, rdx
      jz .unexpected
      mov [rbp+${C.signo}], rdi
      mov eax, [rsi+8]
      mov [rbp+${C.code}], rax
      mov eax, [rsi+32]
      mov [rbp+${C.key}], rax
      mov rax, [rsi+16]
      mov [rbp+${C.address}], rax
      mov rax, [r9+192]
      mov [rbp+${C.error}], rax
      mov [r9+168], rdx
      mov rax, [rbp+${C.recoverRsp}]
      mov [r9+160], rax
      mov qword ptr [rbp+${C.recoverRip}], 0
      ret
    .plain:
      mov r13d, edi
      mov r14d, eax
      push r14
      call begin
      mov byte ptr [rdi], 's'
      inc rdi
      mov eax, r13d
      call put_number
      pop rax
      call put_number
      call flush
      ret
    .unexpected:
      mov r13d, edi
      call begin
      mov byte ptr [rdi], 'x'
      inc rdi
      mov eax, r13d
      call put_number
      call flush
      lea edi, [r13+128]
      mov eax, ${SYS.exit_group}
      syscall
    .with_block:
      push qword ptr [rbp+${C.pkru}]
      push qword ptr [rbp+${C.step}]
      push qword ptr [rbp+${C.signo}]
      push qword ptr [rbp+${C.recoverRip}]
      push qword ptr [rbp+${C.recoverRsp}]
      push qword ptr [rbp+${C.frame}]
      mov [rbp+${C.pkru}], eax
      mov [rbp+${C.frame}], r9
      mov rbx, rdx
      call run
      pop qword ptr [rbp+${C.frame}]
      pop qword ptr [rbp+${C.recoverRsp}]
      pop qword ptr [rbp+${C.recoverRip}]
      pop qword ptr [rbp+${C.signo}]
      pop qword ptr [rbp+${C.step}]
      pop qword ptr [rbp+${C.pkru}]
      ret
  `);
}
