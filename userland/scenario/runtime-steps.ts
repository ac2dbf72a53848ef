import type { Program } from "../program.js";
import { RECORD, SLOTS } from "./layout.js";
import { C, enter, leave, operand, recoverAt } from "./runtime-context.js";

export function interpreter(p: Program): void {
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

export function accesses(p: Program): void {
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

export function keys(p: Program): void {
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
