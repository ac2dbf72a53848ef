import type { Program } from "../program.js";
import { C, operand, SYS } from "./runtime-context.js";

export function output(p: Program): void {
  pages(p);
  p.code(`
    op_meminfo:
      lea rdi, [proc_meminfo]
      jmp .whole_file
    op_smaps:
      lea rdi, [proc_smaps]
    .whole_file:
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
    write_line:
      lea rsi, [rbp+${C.line}]
      mov rdx, rdi
      sub rdx, rsi
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      ret
  `);
}

/**
 * The upper eight bits of each page's entry in /proc/self/pagemap, two digits each; operands: an address, bytes. What
 * the entries say is made shorter where they lie.
 */
function pages(p: Program): void {
  p.label("op_pagemap");
  operand(p, "r13", 0);
  operand(p, "r14", 1);
  p.code(`
      lea rdi, [proc_pagemap]
      xor esi, esi
      xor edx, edx
      mov eax, ${SYS.open}
      syscall
      mov r12, rax
      mov rdi, rax
      lea rsi, [buffer]
      mov rdx, r14
      shr rdx, 9
      mov r10, r13
      shr r10, 12
      shl r10, 3
      mov eax, ${SYS.pread64}
      syscall
      mov r14, rax
      mov rdi, r12
      mov eax, ${SYS.close}
      syscall
      mov rax, r14
      test rax, rax
      js .no_smaps
      shr r14, 3
      call begin
      mov word ptr [rdi], 0x2062
      add rdi, 2
      call write_line
      lea rdi, [buffer]
      lea rsi, [buffer]
      mov r13, r14
    .pages_next:
      test r13, r13
      jz .pages_end
      movzx ecx, byte ptr [rsi+7]
      add rsi, 8
      mov eax, ecx
      shr eax, 4
      call put_digit
      mov eax, ecx
      and eax, 15
      call put_digit
      dec r13
      jmp .pages_next
    .pages_end:
      mov byte ptr [rdi], 10
      inc rdi
      lea rsi, [buffer]
    .pages_write:
      mov rdx, rdi
      sub rdx, rsi
      jz advance
      mov r13, rdi
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      mov rdi, r13
      test rax, rax
      jle advance
      add rsi, rax
      jmp .pages_write
  `);
}

/** RDI the signal, RSI siginfo, RDX ucontext. */
export function handler(p: Program): void {
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
