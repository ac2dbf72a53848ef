import { CLONE_THREAD_FLAGS, SYS } from "../../../userland/linux.js";
import { Program } from "../../../userland/program.js";
import { chaosOperations, FIRST_PID, ZONE, ZONE_PAGES } from "./chaos-operations.js";

/** Steps of a process, and of a thread, before it ends by itself; the first process never does. */
const PROCESS_STEPS = 40;
const THREAD_STEPS = 20;
const THREAD_STACK = 8192;
const SIGUSR1 = 10;
const SIGPIPE = 13;
const SIGALRM = 14;
const RIP = 168;
/** Bytes of the store and of the load that a fault is stepped over by. */
const ACCESS_BYTES = 3;

/**
 * Does what processes do, at random and for ever: forks, executes itself, maps, opens, sends, waits, dies. The seed is
 * the first argument, a decimal number; the second, a digit, is how often a process and its kind may yet execute.
 *
 * R15 is the random number, R14 the steps left (negative in the first process), R12 a thread's stack. An operation may
 * use all other registers.
 */
export function chaos(): Uint8Array {
  const program = new Program();
  program.label("_start").code(`
    mov rax, [rsp]
    lea rbx, [rsp+8]
    mov [arguments], rbx
    xor r12d, r12d
    mov r14, ${PROCESS_STEPS}
    xor r15d, r15d
    mov rsi, [rbx+8]
    .digit:
    movzx eax, byte ptr [rsi]
    inc rsi
    sub eax, 48
    js .seeded
    imul r15, r15, 10
    add r15, rax
    jmp .digit
    .seeded:
    mov rsi, [rbx+16]
    movzx eax, byte ptr [rsi]
    mov [executions], eax
    cmp eax, ${"9".charCodeAt(0)}
    jne .not_first
    mov r14, -1
    .not_first:
    call stir
  `);
  for (const signal of [7, 11]) program.onSignal(signal, "on_fault");
  for (const signal of [SIGUSR1, SIGALRM, SIGPIPE, 35]) program.onSignal(signal, "on_signal");
  program.syscall(SYS.mmap, ZONE, (ZONE_PAGES / 2) * 4096, 3, 0x32, -1, 0);
  program.code("call start_timer");
  program.code(`
    steps:
      call step
      dec r14
      jnz steps
      test r12, r12
      jnz thread_end
      call random
      test eax, 3
      jz .by_signal
      and eax, 255
      mov edi, eax
      mov eax, ${SYS.exit_group}
      syscall
    .by_signal:
      mov eax, ${SYS.getpid}
      syscall
      mov edi, eax
      mov esi, 11
      mov eax, 62
      syscall
      mov edi, 1
      mov eax, ${SYS.exit}
      syscall

    ; A thread gives its stack back, and so ends without one.
    thread_end:
      mov rdi, r12
      mov esi, ${THREAD_STACK}
      mov eax, ${SYS.munmap}
      syscall
      xor edi, edi
      mov eax, ${SYS.exit}
      syscall

    ; ITIMER_REAL, so that nothing is waited for too long.
    start_timer:
      xor edi, edi
      lea rsi, [interval]
      xor edx, edx
      mov eax, 38
      syscall
      ret

    random:
      mov rax, r15
      shl rax, 13
      xor r15, rax
      mov rax, r15
      shr rax, 7
      xor r15, rax
      mov rax, r15
      shl rax, 17
      xor r15, rax
      mov rax, r15
      shr rax, 11
      ret

    ; Sets the random numbers of a new task apart from its maker's.
    stir:
      mov eax, ${SYS.gettid}
      syscall
      imul rax, rax, 0x5851f42d
      xor r15, rax
      rdtsc
      xor r15, rax
      or r15, 1
      ret

    on_signal:
      lock inc qword ptr [signals]
      ret

    on_fault:
      lea rax, [touch_store]
      cmp [rdx+${RIP}], rax
      je .skip
      lea rax, [touch_load]
      cmp [rdx+${RIP}], rax
      je .skip
      mov edi, 3
      mov eax, ${SYS.exit_group}
      syscall
    .skip:
      add qword ptr [rdx+${RIP}], ${ACCESS_BYTES}
      ret
  `);
  program.code(`
    ; The first process has no other thread: what kills one would kill it.
    new_thread:
      mov eax, ${SYS.getpid}
      syscall
      cmp eax, ${FIRST_PID}
      je .no_thread
      xor edi, edi
      mov esi, ${THREAD_STACK}
      mov edx, 3
      mov r10d, 0x22
      mov r8, -1
      xor r9d, r9d
      mov eax, ${SYS.mmap}
      syscall
      cmp rax, -4096
      ja .no_thread
      mov rbx, rax
      lea rsi, [rax+${THREAD_STACK}]
      mov edi, ${CLONE_THREAD_FLAGS}
      lea rdx, [thread_word]
      mov r10, rdx
      xor r8d, r8d
      mov eax, ${SYS.clone}
      syscall
      test rax, rax
      js .no_stack
      jnz .no_thread
      mov r12, rbx
      mov r14, ${THREAD_STEPS}
      call stir
      jmp steps
    .no_stack:
      mov rdi, rbx
      mov esi, ${THREAD_STACK}
      mov eax, ${SYS.munmap}
      syscall
    .no_thread:
      ret

    new_process:
      mov eax, ${SYS.fork}
      syscall
      test rax, rax
      jz .child
      jns .parent
      ; No room: the first process makes some.
      test r14, r14
      jns .parent
      call random
      test eax, 7
      jnz .parent
      mov rdi, -1
      mov esi, 9
      mov eax, 62
      syscall
      ret
    .child:
      mov r14, ${PROCESS_STEPS}
      xor r12d, r12d
      call stir
      call start_timer
    .parent:
      ret

    ; Its memory is the parent's: it leaves nothing on the stack that is in use.
    ; Nor does it wait for a child that somebody may stop.
    new_vfork:
      mov eax, ${SYS.getpid}
      syscall
      cmp eax, ${FIRST_PID}
      je .vfork_parent
      mov eax, 58
      syscall
      test rax, rax
      jnz .vfork_parent
      mov r14, 1
      call stir
      call random
      test eax, 1
      jz .vfork_end
      call op_execve
    .vfork_end:
      call step
      mov edi, 5
      mov eax, ${SYS.exit_group}
      syscall
    .vfork_parent:
      ret
  `);
  chaosOperations(program);
  program.within(".bss", () => {
    program.align(8).label("arguments").reserve(8).label("executions").reserve(8);
    program.label("signals").reserve(8).label("thread_word").reserve(8);
  });
  return program.build();
}
