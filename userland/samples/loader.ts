import { MAP, MREMAP, PROT, SYS } from "../linux.js";
import { ANONYMOUS, at, PAGE, RW, RWX, RX, sample, type SampleProgram, type StoryLine } from "./sample.js";

/** The library's pages, in its file and in memory. */
const ANSWER = 0;
const SCALE = 1;
const SQUARE = 2;
const LIMIT = 3;
/** Tables of pointers that are read-only after relocation (relro). */
const TABLES = [4, 5, 6] as const;
const DATA = 7;
const PAGES = 8;

/** Where the attacker's own mappings go. */
const ELSEWHERE = 32;

const O_RDWR = 2;

/** mov eax, 42; ret */
const ANSWER_CODE = [0xb8, 42, 0, 0, 0, 0xc3];
/** lea eax, [rdi+rdi*2]; ret */
const SCALE_CODE = [0x8d, 0x04, 0x7f, 0xc3];
/** mov eax, edi; imul eax, edi; ret */
const SQUARE_CODE = [0x89, 0xf8, 0x0f, 0xaf, 0xc7, 0xc3];
/** mov eax, 666; ret */
const EVIL_CODE = [0xb8, 0x9a, 0x02, 0, 0, 0xc3];

function copy(program: SampleProgram, page: number, code: readonly number[]): void {
  const template = program.unique("template");
  program.within(".rodata", () => program.label(template).bytes(code));
  program.load("rdi", at(page)).load("rsi", template).code(`mov ecx, ${code.length}\n rep movsb`);
}

/** Makes the library's file; its descriptor is in R12. Pointers in it are offsets from its start. */
function makeLibrary(program: SampleProgram): void {
  program.within(".rodata", () => program.label("library_name").string("library").bytes([0]));
  program.syscall(SYS.memfd_create, "library_name", 0).code("mov r12, rax");
  program.syscall(SYS.ftruncate, "r12", PAGES * PAGE);
  program.syscall(SYS.mmap, at(0), PAGES * PAGE, RW, MAP.SHARED | MAP.FIXED, "r12", 0);
  copy(program, ANSWER, ANSWER_CODE);
  copy(program, SCALE, SCALE_CODE);
  copy(program, SQUARE, SQUARE_CODE);
  program.store(at(LIMIT), 100);
  for (const [i, table] of TABLES.entries()) program.store(at(table), i * PAGE);
  program.unmap(0, PAGES);
}

/** What a dynamic loader does with it: map, relocate, protect, seal. */
function load(program: SampleProgram): void {
  const segment = (page: number, pages: number, prot: number): void => {
    program.syscall(SYS.mmap, ...[at(page), pages * PAGE, prot, MAP.PRIVATE | MAP.FIXED, "r12", page * PAGE]);
  };
  segment(ANSWER, LIMIT, RX);
  segment(LIMIT, 1, PROT.READ);
  segment(TABLES[0], PAGES - TABLES[0], RW);
  for (const table of TABLES)
    program.load("rbx", at(table)).load("rax", at(0)).code("add qword ptr [rbx], rax");
  program.protect(TABLES[0], TABLES.length, PROT.READ).report("loader: mprotect(READ) of relro: ");
  program.seal(0, DATA).report("loader: mseal of text, rodata and relro: ");
}

/** Calls a function through a table. */
function call(program: SampleProgram, table: number, argument: number, name: string): void {
  program.load("rdi", argument).load("rbx", at(table));
  program.attempt(() => program.code("mov rbx, [rbx]\n call rbx"));
  program.print(`program: ${name} gives `).printUnsigned("rax").print(" (").printFault().line(")");
}

function attack(program: SampleProgram): void {
  program.line("attacker: control is here now");
  program.protect(ANSWER, 1, RWX).report("attacker: mprotect(READ|WRITE|EXEC) of text: ");
  program.attempt(() => copy(program, ANSWER, EVIL_CODE));
  program.print("attacker: a write to the code: ").printFault().line("");
  call(program, TABLES[0], 0, "answer()");

  program.unmap(SCALE, 1).report("attacker: munmap of text: ");
  program.syscall(SYS.mmap, ...[at(SCALE), PAGE, RWX, ANONYMOUS | MAP.FIXED_NOREPLACE, -1, 0]);
  program.report("attacker: mmap(MAP_FIXED_NOREPLACE) in its place: ");
  program.attempt(() => copy(program, SCALE, EVIL_CODE));
  call(program, TABLES[1], 7, "scale(7)");

  program.within(".rodata", () => program.label("own_memory").string("/proc/self/mem").bytes([0]));
  program.within(".rodata", () => program.label("evil").bytes(EVIL_CODE));
  program.syscall(SYS.open, "own_memory", O_RDWR, 0).code("mov r13, rax");
  program.syscall(SYS.pwrite64, "r13", "evil", EVIL_CODE.length, at(SQUARE));
  program.report("attacker: a write of text through /proc/self/mem: ");
  call(program, TABLES[2], 7, "square(7)");

  program.syscall(SYS.mmap, at(LIMIT), PAGE, RW, ANONYMOUS | MAP.FIXED, -1, 0);
  program.report("attacker: mmap(MAP_FIXED) over rodata: ");
  program.peek(at(LIMIT)).print("program: the limit is ").printUnsigned("rax").line("");

  program.protect(TABLES[0], 1, RW).report("attacker: mprotect(READ|WRITE) of relro: ");
  program.touch(at(TABLES[0])).print("attacker: a write to relro: ").printFault().line("");

  program.discard(TABLES[1], 1).report("attacker: madvise(DONTNEED) of relro: ");
  program.load("rbx", at(TABLES[1])).code("mov rax, [rbx]");
  program.print("program: the table has ").printHex("rax").line("");

  program.syscall(SYS.mremap, ...[at(TABLES[2]), PAGE, PAGE, MREMAP.MAYMOVE | MREMAP.FIXED, at(ELSEWHERE)]);
  program.report("attacker: mremap(elsewhere) of relro: ");
  program.peek(at(TABLES[2])).print("program: a read of the table: ").printFault().line("");
}

const STORY: readonly StoryLine[] = [
  {
    on: "start",
    text: "A dynamic loader maps a library, writes addresses into its tables, makes them read-only (relro) and seals all that is not writable. Then somebody else has control.",
  },
  {
    on: "syscall",
    name: "mprotect",
    nth: 1,
    text: "The tables have their addresses; from here on nobody needs to write them. But what has been made read-only can be made writable again.",
  },
  {
    on: "syscall",
    name: "mseal",
    nth: 2, // the first asks, with no memory at all, whether the kernel has the call
    text: "Text, rodata and relro are sealed: three areas of a private file mapping.",
  },
  { on: "syscall", name: "mprotect", nth: 2, text: "To patch code: EPERM." },
  { on: "syscall", name: "munmap", nth: 2, text: "To make room for code of one's own: EPERM." },
  {
    on: "syscall",
    name: "pwrite64",
    nth: 1,
    text: "The way of debuggers: /proc/self/mem writes to private memory whatever its protection is, and Linux's seals do not count there.",
  },
  { on: "syscall", name: "mmap", nth: 6, text: "To put zeroes in the place of constants: EPERM." },
  { on: "syscall", name: "mprotect", nth: 3, text: "To point a table elsewhere: EPERM." },
  {
    on: "syscall",
    name: "madvise",
    nth: 1,
    text: "A discard brings back what the file has: the pointer without its relocation. Linux's seals refuse discards of anonymous memory only, and this is a file's.",
  },
  { on: "syscall", name: "mremap", nth: 1, text: "To move the table away: EPERM." },
];

function write(program: SampleProgram): void {
  program.requireMseal().catchFaults();
  makeLibrary(program);
  load(program);
  call(program, TABLES[0], 0, "answer()");
  call(program, TABLES[1], 7, "scale(7)");
  call(program, TABLES[2], 7, "square(7)");
  attack(program);
}

/** A library as a dynamic loader leaves it, sealed, and the ways to change it after that. */
export const loader = sample("loader", "a library is mapped, relocated and sealed, and attacked", write, {
  story: STORY,
});
