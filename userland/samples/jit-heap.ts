import { MAP, PKEY, PROT, MREMAP, SYS } from "../linux.js";
import { ANONYMOUS, at, PAGE, RWX, sample, type SampleProgram, type StoryLine } from "./sample.js";

const PAGES = 4;

/** mov eax, 42; ret */
const ANSWER = [0xb8, 0x2a, 0x00, 0x00, 0x00, 0xc3];
/** lea eax, [rdi+rdi*2]; ret */
const TRIPLE = [0x8d, 0x04, 0x7f, 0xc3];
/** mov eax, edi; imul eax, edi; ret */
const SQUARE = [0x89, 0xf8, 0x0f, 0xaf, 0xc7, 0xc3];

/** The key is in R12, its write-disable bit of PKRU in R13; both are set once and kept. */
function allowWrites(program: SampleProgram): void {
  program.changeRights("mov r14, r13\n not r14\n and rax, r14");
}

function forbidWrites(program: SampleProgram): void {
  program.changeRights("or rax, r13");
}

/** The owner's way to put code into the heap: writes are allowed for as long as the copy takes. */
function generate(program: SampleProgram, page: number, code: readonly number[], what: string): void {
  const template = program.unique("template");
  program.within(".rodata", () => program.label(template).bytes(code));
  allowWrites(program);
  program.load("rdi", at(page)).load("rsi", template).code(`mov ecx, ${code.length}\n rep movsb`);
  forbidWrites(program);
  program.line(`owner: ${what} is in page ${page}`);
}

function call(program: SampleProgram, page: number, argument: number, what: string): void {
  program.load("rdi", argument).callAt(at(page));
  program.print(`owner: ${what} gives `).printUnsigned("rax").print(" (").printFault().line(")");
}

function attack(program: SampleProgram): void {
  program.line("attacker: control is here now, and PKRU forbids writes through the key");
  program.discard(0, 1).report("attacker: madvise(DONTNEED): ");
  program.protect(0, 1, PROT.READ | PROT.WRITE).report("attacker: mprotect(READ|WRITE): ");
  program.syscall(SYS.pkey_mprotect, at(0), PAGE, RWX, 0).report("attacker: pkey_mprotect(key 0): ");
  program.unmap(0, 1).report("attacker: munmap: ");
  program
    .syscall(SYS.mremap, at(0), PAGE, PAGE, MREMAP.MAYMOVE | MREMAP.FIXED, at(16))
    .report("attacker: mremap(elsewhere): ");
  program
    .syscall(SYS.mmap, at(0), PAGE, RWX, ANONYMOUS | MAP.FIXED, -1, 0)
    .report("attacker: mmap(MAP_FIXED over it): ");
  program.peek(at(0)).print("attacker: a read: ").printFault().print(", ").printHex("rax").line("");
  program.touch(at(0)).print("attacker: a write: ").printFault().line("");
}

const STORY: readonly StoryLine[] = [
  {
    on: "start",
    text: "A just-in-time compiler keeps its code in memory that is readable, writable and executable. Here a protection key decides who may write, and a seal keeps the mapping itself as it is.",
  },
  {
    on: "syscall",
    name: "pkey_alloc",
    nth: 1,
    text: "The owner takes a protection key. PKRU now forbids writes through it: every page with this key is read-only for this thread, whatever its page-table entry says.",
  },
  { on: "syscall", name: "mmap", nth: 1, text: "Four pages for code: read, write and execute." },
  {
    on: "syscall",
    name: "pkey_mprotect",
    nth: 1,
    text: "The pages get the key (bits 59-62 of each page-table entry).",
  },
  {
    on: "syscall",
    name: "mseal",
    nth: 2, // the first asks, with no memory at all, whether the kernel has the call
    text: "The seal: from here on nobody, the owner included, may unmap, move, replace or re-protect these pages. There is no unseal.",
  },
  {
    on: "syscall",
    name: "write",
    nth: 4,
    text: "Code was copied in between two WRPKRU instructions: no system call, no page-table change. A fetch never asks PKRU, so the code runs while writes are forbidden.",
  },
  {
    on: "syscall",
    name: "madvise",
    nth: 1,
    text: "Free: discarding is allowed, for PKRU permits the owner to write at this moment: who may overwrite a page with zeroes may discard it as well.",
  },
  {
    on: "syscall",
    name: "madvise",
    nth: 2,
    text: "A hijacked flow tries to discard the compiled function. The memory is sealed and this PKRU forbids writing it: a discard would be a write by another name. EPERM.",
  },
  {
    on: "syscall",
    name: "mprotect",
    nth: 1,
    text: "Changing the protection of sealed memory: EPERM, whatever PKRU says.",
  },
  {
    on: "syscall",
    name: "pkey_mprotect",
    nth: 2,
    text: "Taking the key off the pages would open them to everybody: EPERM by the seal.",
  },
  { on: "syscall", name: "munmap", nth: 1, text: "Making a hole, to be filled with other memory: EPERM." },
  { on: "syscall", name: "mremap", nth: 1, text: "Moving the code away: EPERM." },
  { on: "syscall", name: "mmap", nth: 2, text: "Mapping new memory over the sealed pages: EPERM." },
  {
    on: "fault",
    nth: 1,
    text: "What is left is to write. The page-table entry would permit it, but the page's key does not: a page fault with the PK bit, SIGSEGV with SEGV_PKUERR and the key's number.",
  },
  { on: "end", text: "The owner went on: its function was untouched, and it could compile another." },
];

function write(program: SampleProgram): void {
  program.requireMseal().catchFaults();
  program.allocateKey(PKEY.DISABLE_WRITE).code(`
      mov r12, rax
      lea ecx, [rax+rax+1]
      mov r13d, 1
      shl r13d, cl
  `);
  program.print("owner: key ").printUnsigned("r12").line(", writes forbidden");
  program.map(0, PAGES, RWX);
  program.syscall(SYS.pkey_mprotect, at(0), PAGES * PAGE, RWX, "r12").report("owner: pkey_mprotect: ");
  program.seal(0, PAGES).report("owner: mseal: ");
  generate(program, 0, ANSWER, "answer()");
  generate(program, 1, TRIPLE, "triple()");
  call(program, 0, 0, "answer()");
  call(program, 1, 14, "triple(14)");
  allowWrites(program);
  program.discard(1, 1).code("mov rbx, rax");
  forbidWrites(program);
  program.print("owner: free page 1: ").printErrno("rbx").line("");
  program.peek(at(1)).print("owner: page 1 reads ").printHex("rax").line("");
  attack(program);
  program.line("owner: goes on");
  call(program, 0, 0, "answer()");
  generate(program, 1, SQUARE, "square()");
  call(program, 1, 7, "square(7)");
}

/** A sealed read-write-execute heap whose owner alone may write, and an attack on it. */
export const jitHeap = sample("jit-heap", "a key-guarded, sealed JIT heap, and an attack on it", write, {
  needsKeys: true,
  story: STORY,
});
