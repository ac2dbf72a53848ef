import { endThread, joinThread, startThread } from "../runtime/threads.js";
import { PROT, SYS } from "../linux.js";
import { at, PAGE, RW, sample, type SampleProgram } from "./sample.js";

const CONTENT = 0x1234;

function printPkru(program: SampleProgram, who: string): void {
  program.code("xor ecx, ecx\n rdpkru").print(`${who}: PKRU is `).printHex("rax").line("");
}

/** PKRU |= rights << 2 * key, with the key in R12. */
function deny(program: SampleProgram, rights: number): void {
  program.changeRights(`lea ecx, [r12+r12]\n mov edx, ${rights}\n shl edx, cl\n or eax, edx\n xor ecx, ecx`);
}

function tryBoth(program: SampleProgram, who: string): void {
  program.peek(at(0)).print(`${who}: a read: `).printFault().line("");
  program.touch(at(0)).print(`${who}: a write: `).printFault().line("");
}

/** Waits for the child whose number is in RAX, and prints how it ended. */
function waitForChild(program: SampleProgram): void {
  program.within(".bss", () => program.align(8).label("child_status").reserve(8));
  program.code("mov rdi, rax").syscall(SYS.wait4, "rdi", "child_status", 0, 0).report("wait4: ");
  program.code("mov eax, [child_status]").print("its status word is ").printHex("rax").line("");
}

/** A key's rights belong to a thread: two of them on one page, and what a new thread starts with. */
export const threadKeys = sample(
  "thread-keys",
  "each thread has its own PKRU; a new one starts with its maker's",
  (program) => {
    program.catchFaults().allocateKey(0).code("mov r12, rax");
    program.map(0, 1, RW).store(at(0), CONTENT);
    program.syscall(SYS.pkey_mprotect, at(0), PAGE, RW, "r12").report("pkey_mprotect: ");
    deny(program, 2);
    printPkru(program, "first thread");
    const word = startThread(program, "second_thread");
    joinThread(program, word);
    printPkru(program, "first thread");
    tryBoth(program, "first thread");
    program.exit(0);

    program.label("second_thread");
    printPkru(program, "second thread");
    tryBoth(program, "second thread");
    deny(program, 1);
    printPkru(program, "second thread");
    tryBoth(program, "second thread");
    endThread(program);
  },
  { needsKeys: true },
);

/** What a forked child has of its parent's keys, and what it may do without the parent noticing. */
export const forkKeys = sample(
  "fork-keys",
  "fork copies PKRU and the keys that are allocated; each side then has its own",
  (program) => {
    program.catchFaults().allocateKey(0).code("mov r12, rax");
    program.map(0, 1, RW).store(at(0), CONTENT);
    program.syscall(SYS.pkey_mprotect, at(0), PAGE, RW, "r12").report("pkey_mprotect: ");
    deny(program, 2);
    program.syscall(SYS.fork).code("test rax, rax\n jz .child");
    waitForChild(program);
    printPkru(program, "parent");
    tryBoth(program, "parent");
    program.allocateKey(0).print("parent: the next key is ").printUnsigned("rax").line("");
    program.exit(0);

    program.code(".child:");
    printPkru(program, "child");
    tryBoth(program, "child");
    program.allocateKey(0).print("child: the next key is ").printUnsigned("rax").line("");
    program.syscall(SYS.pkey_free, "r12").report("child: pkey_free: ");
    program.changeRights("xor eax, eax");
    tryBoth(program, "child");
    program.exit(3);
  },
  { needsKeys: true },
);

/** A child inherits the seals; its copy of the pages is its own. */
export const forkSeals = sample(
  "fork-seals",
  "fork copies seals, and pages once somebody writes",
  (program) => {
    program.requireMseal().catchFaults();
    program.map(0, 2, RW).store(at(0), CONTENT).store(at(1), CONTENT);
    program.protect(1, 1, PROT.READ).seal(0, 2).report("mseal of pages 0 and 1: ");
    program.syscall(SYS.fork).code("test rax, rax\n jz .child");
    waitForChild(program);
    program.load("rbx", at(0)).code("mov rax, [rbx]").print("parent: page 0 holds ").printHex("rax").line("");
    program.unmap(0, 1).report("parent: munmap: ");
    program.exit(0);

    program.code(".child:");
    program.unmap(0, 1).report("child: munmap: ");
    program.protect(0, 1, PROT.READ).report("child: mprotect(READ): ");
    program.discard(1, 1).report("child: madvise(DONTNEED) of page 1: ");
    program.discard(0, 1).report("child: madvise(DONTNEED) of page 0: ");
    program.load("rbx", at(0)).code("mov rax, [rbx]").print("child: page 0 holds ").printHex("rax").line("");
    program.store(at(0), CONTENT + 1);
    program.load("rbx", at(0)).code("mov rax, [rbx]").print("child: page 0 holds ").printHex("rax").line("");
    program.exit(5);
  },
);

/** execve is the one thing that takes a seal away: the address space goes, sealed or not. */
export const execSeals = sample(
  "exec-seals",
  "execve drops seals with the address space they were in",
  (program) => {
    program.requireMseal().catchFaults();
    program.within(".rodata", () =>
      program.label("self").string("/proc/self/exe\0").label("again").string("again\0"),
    );
    program.within(".data", () => program.align(8).label("arguments").reserve(24));
    // The second time there are two arguments.
    program.code("cmp qword ptr [rsp], 2\n je .second");
    program.map(0, 1, RW).seal(0, 1).report("mseal: ");
    program.map(0, 1, RW).report("mmap(FIXED) over it: ");
    program.code(`
    lea rax, [self]
    mov [arguments], rax
    lea rax, [again]
    mov [arguments+8], rax
  `);
    program.syscall(SYS.execve, "self", "arguments", 0).report("execve: ");
    program.exit(1);
    program.code(".second:");
    program.peek(at(0)).print("after execve: a read: ").printFault().line("");
    program.map(0, 1, RW).report("after execve: mmap(FIXED) there: ");
  },
);
