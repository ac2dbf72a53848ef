import { CLONE_THREAD_FLAGS, FUTEX, SYS } from "../linux.js";
import type { Program } from "../program.js";

const STACK = 16384;

/**
 * Starts a thread at a label, with a stack of its own; RAX is its number, or the errno. It ends by {@link endThread}.
 * @returns the label of a word that holds the thread's number until it has ended
 */
export function startThread(program: Program, entry: string): string {
  const [stack, word, started] = [
    program.unique("stack"),
    program.unique("thread"),
    program.unique("started"),
  ];
  program.within(".bss", () => program.align(16).label(stack).reserve(STACK).label(word).reserve(8));
  program.code(`lea rsi, [${stack}+${STACK}]`);
  program.code(`
    mov edi, ${CLONE_THREAD_FLAGS}
    lea rdx, [${word}]
    mov r10, rdx
    xor r8d, r8d
    mov eax, ${SYS.clone}
    syscall
    test rax, rax
    jnz ${started}
    jmp ${entry}
    ${started}:
  `);
  return word;
}

export function endThread(program: Program): void {
  program.syscall(SYS.exit, 0);
}

/** Waits until the thread of that word has ended. */
export function joinThread(program: Program, word: string): void {
  const [again, done] = [program.unique("again"), program.unique("ended")];
  program.code(`
    ${again}:
    mov edx, [${word}]
    test edx, edx
    jz ${done}
    lea rdi, [${word}]
    mov esi, ${FUTEX.WAIT}
    xor r10d, r10d
    mov eax, ${SYS.futex}
    syscall
    jmp ${again}
    ${done}:
  `);
}
