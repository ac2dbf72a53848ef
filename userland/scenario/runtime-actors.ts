import type { Program } from "../program.js";
import { KIND, MAILBOX, MAILBOXES, RECORD, RESUME, SCRATCH } from "./layout.js";
import { C, CONTEXT, STACK, SYS, enter, leave, operand } from "./runtime-context.js";

const THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x20_0000;

export function actors(p: Program): void {
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
