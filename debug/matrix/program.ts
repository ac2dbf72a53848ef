import { MAP, SYS } from "../../userland/linux.js";
import { Program } from "../../userland/program.js";
import { routineFor } from "../../userland/runtime/printing.js";
import { FAULT } from "../../userland/runtime/faults.js";
import { KEY_RIGHTS, MEMORIES, PROT_BITS, type Memory, type State } from "./dimensions.js";
import { ACCESS, FROM, LENGTH, PAGE, PAGES, type Call, type Operation } from "./operation.js";
import type { Topic } from "./topics/topic.js";

/** Cells have memory of their own, one after the other, from here on. */
const ARENA = 0x10000000;
/** Bytes from a cell's memory to the next one's. */
const STRIDE = 64 * PAGE;
const CALL_WORDS = 13;
const CALLS = {
  open: 2,
  getpid: 39,
  unlink: 87,
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  pread64: 17,
  pwrite64: 18,
  ftruncate: 77,
  pipe2: 293,
  memfd_create: 319,
};
const IPC_CREAT = 0o1000;
const IPC_RMID = 0;
const O_RDWR = 2;
const O_CREAT_EXCL = 0o300;
const O_NONBLOCK = 0x800;
/** `ret` and a letter: what a page begins with that was written to, and one of a file. */
const WRITTEN = 0x44c3;
const FILE = 0x46c3;
const FILE_PAGES = 16;

const MAP_FLAGS: Readonly<Record<Memory, number>> = {
  "private-anon": MAP.PRIVATE | MAP.ANONYMOUS,
  "shared-anon": MAP.SHARED | MAP.ANONYMOUS,
  memfd: MAP.SHARED,
  "private-file": MAP.PRIVATE,
  "shared-file": MAP.SHARED,
};

/** The label behind the system call of an operation. */
export const AFTER_OPERATION = "operation_done";

/**
 * A static program that tries operations on memory in many states and prints a line for each: the result (a number, or
 * `=` for the memory's own address, `>` for the place further up, `*` for another), what signal came (`signal code key error`,
 * or `-`), what is in the pages of the topic's windows (`D` written before, `F` from the file, `0` zeroes, `-` not
 * mapped, `?` mapped but not to be read), and how a read, a write and a fetch of a page end (`.` well, `M`APERR, `A`CCERR, p`K`UERR, `B`us error).
 * It runs on any Linux with keys and mseal; without, it ends with status 77.
 */
export function buildMatrixProgram(
  topic: Topic,
  states: readonly State[],
  operations: readonly Operation[] = topic.operations,
): Uint8Array {
  const program = new Program();
  program.label("_start").catchFaults({ alternateStack: true }).requireMseal();
  program.code("lea rbp, [env]");
  const keep = (place: number): Program => program.code(`mov [rbp+${place * 8}], rax`);
  for (const key of [FROM.key, FROM.otherKey]) {
    program.allocateKey(0);
    keep(key);
  }
  makeFiles(program);
  program.syscall(CALLS.pipe2, "descriptors", O_NONBLOCK);
  program.code(`mov eax, [descriptors]\n mov [rbp+${FROM.pipeRead * 8}], rax`);
  program.code(`mov eax, [descriptors+4]\n mov [rbp+${FROM.pipeWrite * 8}], rax`);
  program.code("lea rax, [buffer]");
  keep(FROM.buffer);
  program.code("mov [local_vector], rax\n lea rax, [local_vector]");
  keep(FROM.localVector);
  program.code("lea rax, [remote_vector]");
  keep(FROM.remoteVector);
  program.syscall(CALLS.getpid);
  keep(FROM.process);
  // A segment that ends with the program: attached somewhere, then removed.
  program.syscall(CALLS.shmget, 0, LENGTH, IPC_CREAT | 0o600);
  keep(FROM.segment);
  program.syscall(CALLS.shmat, "rax", 0, 0).code(`mov rdi, [rbp+${FROM.segment * 8}]`);
  program.syscall(CALLS.shmctl, "rdi", IPC_RMID, 0);
  program.code("xor ecx, ecx\n rdpkru\n mov [open_pkru], eax");
  program.code(`
    mov r12, ${ARENA}
    lea r14, [states]
    .state:
      cmp dword ptr [r14], -1
      je .end
      lea r13, [operations]
    .operation:
      mov rbx, [r13]
      test rbx, rbx
      jz .next_state
      call .cell
      add r12, ${STRIDE}
      add r13, 8
      jmp .operation
    .next_state:
      add r14, 20
      jmp .state
    .end:
  `);
  program.exit(0);
  cell(program, topic);
  program.label(".call_before");
  callRoutine(program, "before_done");
  program.label(".call_operation");
  callRoutine(program, AFTER_OPERATION);
  contents(program, topic.windows);
  if (topic.probes) probes(program);
  program.within(".rodata", () => {
    program.label("name").string("m\0").label("memory_path").string("/proc/self/mem\0");
    program.align(8).label("states");
    // Memory, protection, rights, whether it has a key, whether it is sealed: 4 bytes each.
    for (const { memory, protection, key, sealed } of states) {
      program.u32(MEMORIES.indexOf(memory), PROT_BITS[protection], KEY_RIGHTS[key], key === "none" ? 0 : 1);
      program.u32(sealed ? 1 : 0);
    }
    program.u32(-1).align(8);
    program.label("flags").u64(...MEMORIES.map((memory) => MAP_FLAGS[memory]));
    program.label("operations").u64(...operations.map((_, i) => `operation_${i}`), 0);
    operations.forEach(({ before = [], probed = 0, call }, i) => {
      program.label(`operation_${i}`).u64(probed * PAGE, before.length);
      for (const one of [...before, call]) program.u64(...callWords(one));
    });
  });
  program.within(".data", () => {
    program.align(8).label("path").string("/tmp/sealab-matrix-").label("path_end").string("aaaaaaaa-1\0");
    program.align(8).label("local_vector").u64(0, 8).label("remote_vector").u64(0, 8);
    program.label("buffer").u64(WRITTEN).label("file_page").u64(FILE);
    program.label("descriptors_of").u64(-1, -1, 0, 0, 0);
  });
  program.within(".bss", () => {
    program
      .align(8)
      .label("env")
      .reserve(16 * 8)
      .label("descriptors")
      .reserve(8);
    program.label("open_pkru").reserve(8).label("letters").reserve(64).label("page").reserve(64);
    program.label("probed").reserve(8);
  });
  return program.build();
}

function callWords({ number, args }: Call): (number | bigint)[] {
  const words: (number | bigint)[] = [number];
  for (const arg of args) {
    if (typeof arg === "object") words.push(arg.from, arg.plus ?? 0);
    else words.push(FROM.nowhere, arg);
  }
  while (words.length < CALL_WORDS) words.push(0);
  return words;
}

/** A memfd, and two files that have no name any more. */
function makeFiles(program: Program): void {
  const open = (place: number): void => {
    program.code(`mov r15, rax\n mov [descriptors_of+${place * 8}], rax`);
    program.code("test rax, rax\n jns .opened" + place);
    program.line("the files cannot be made").exit(1).label(`.opened${place}`);
    for (let page = 0; page < FILE_PAGES; page++) {
      program.syscall(CALLS.pwrite64, "r15", "file_page", 8, page * PAGE);
    }
    program.syscall(CALLS.ftruncate, "r15", FILE_PAGES * PAGE);
  };
  program.syscall(CALLS.memfd_create, "name", 0);
  open(MEMORIES.indexOf("memfd"));
  // A name that no other process's run has: its number in letters.
  program.syscall(CALLS.getpid).code("lea rdi, [path_end]\n mov ecx, 8");
  program.code(
    ".digit:\n mov edx, eax\n and edx, 15\n add [rdi], dl\n inc rdi\n shr eax, 4\n dec ecx\n jnz .digit",
  );
  for (const memory of ["private-file", "shared-file"] as const) {
    program.syscall(CALLS.open, "path", O_RDWR | O_CREAT_EXCL, 0o600);
    open(MEMORIES.indexOf(memory));
    program.syscall(CALLS.unlink, "path").code("inc byte ptr [path_end+9]");
  }
  program.syscall(CALLS.open, "memory_path", O_RDWR, 0).code(`mov [rbp+${FROM.memoryFile * 8}], rax`);
}

/** RBX: the operation, R12: the memory's address, R14: the state. Keeps R12 to R14 and RBP. */
function cell(program: Program, topic: Topic): void {
  program.code(`
    .cell:
      mov [rbp+${FROM.base * 8}], r12
      mov [remote_vector], r12
      mov eax, [r14+4]
      mov [rbp+${FROM.protection * 8}], rax
      mov eax, [r14]
      lea rdx, [flags]
      mov rdx, [rdx+rax*8]
      mov [rbp+${FROM.flags * 8}], rdx
      lea rcx, [descriptors_of]
      mov rax, [rcx+rax*8]
      mov [rbp+${FROM.descriptor * 8}], rax
      mov r10, rdx
      or r10, ${MAP.FIXED}
      mov r8, rax
      mov rdi, r12
      mov esi, ${LENGTH}
      mov edx, 3
      xor r9d, r9d
      mov eax, ${SYS.mmap}
      syscall
      cmp rax, r12
      jne .broken
  `);
  for (let page = 0; page < PAGES - 1; page++) program.code(`mov qword ptr [r12+${page * PAGE}], ${WRITTEN}`);
  program.code(`
      mov rax, [rbx]
      add rax, r12
      mov [probed], rax
      mov r15, [rbx+8]
      add rbx, 16
    .before:
      test r15, r15
      jz .protect
      call .call_before
      add rbx, ${CALL_WORDS * 8}
      dec r15
      jmp .before
    .protect:
      mov rdi, r12
      mov esi, ${LENGTH}
      mov edx, [r14+4]
      mov eax, ${SYS.mprotect}
      cmp dword ptr [r14+12], 0
      je .protecting
      mov r10, [rbp+${FROM.key * 8}]
      mov eax, ${SYS.pkey_mprotect}
    .protecting:
      syscall
      test rax, rax
      jnz .broken
      cmp dword ptr [r14+16], 0
      je .sealed
  `);
  program.syscall(SYS.mseal, "r12", LENGTH, 0).code("test rax, rax\n jnz .broken\n .sealed:");
  const rights = `
      mov eax, [r14+8]
      mov rcx, [rbp+${FROM.key * 8}]
      add ecx, ecx
      shl eax, cl
      or eax, [open_pkru]
      xor ecx, ecx
      xor edx, edx
      wrpkru
  `;
  const open = "mov eax, [open_pkru]\n xor ecx, ecx\n xor edx, edx\n wrpkru";
  program.code(rights);
  program.attempt(() => program.code("call .call_operation"));
  program.code(`mov r15, rax\n${open}`);
  program.code(`
      cmp dword ptr [${FAULT.record}], 0
      jne .faulted
      cmp r15, r12
      je .same
      lea rax, [r12+${16 * PAGE}]
      cmp r15, rax
      je .further
      lea rax, [r12-${PAGE}+${16 * PAGE}]
      cmp r15, rax
      je .further
      cmp r15, ${ARENA >> 4}
      jg .elsewhere
  `);
  program.printSigned("r15").print(" -").code("jmp .contents");
  for (const [label, letter] of [
    ["same", "="],
    ["further", ">"],
    ["elsewhere", "*"],
  ] as const) {
    program.label(`.${label}`).print(`${letter} -`).code("jmp .contents");
  }
  program.label(".faulted").print("0");
  for (const [offset, size] of [
    [0, 4],
    [4, 4],
    [8, 4],
    [32, 8],
  ] as const) {
    program
      .print(offset === 0 ? " " : ":")
      .code(`mov ${size === 4 ? "eax" : "rax"}, [${FAULT.record}+${offset}]`);
    program.printUnsigned("rax");
  }
  program.label(".contents").print(" ");
  if (topic.windows.length > 0) program.code("call .show_contents");
  else program.print("-");
  program.print(" ");
  if (topic.probes) program.code(`${rights}\n call .probe\n ${open}`);
  else program.print("-");
  program.print("\n");
  // What a call may have left in the pipe.
  program.syscall(SYS.read, `[rbp+${FROM.pipeRead * 8}]`, "page", 64).code("ret");
  program.label(".broken").line("the memory cannot be made").exit(1);
}

/** RBX: a call. The result is in RAX; all but R12 to R15, RBX and RBP is lost. */
function callRoutine(program: Program, after: string): void {
  const skip = program.unique("access");
  program.code(`
      mov rax, [rbx+8]
      mov rdi, [rbp+rax*8]
      add rdi, [rbx+16]
      mov rax, [rbx]
      cmp eax, ${ACCESS.read}
      jae ${skip}
  `);
  ["rsi", "rdx", "r10", "r8", "r9"].forEach((register, i) => {
    const offset = 24 + i * 16;
    program.code(
      `mov rax, [rbx+${offset}]\n mov ${register}, [rbp+rax*8]\n add ${register}, [rbx+${offset + 8}]`,
    );
  });
  program.code("mov rax, [rbx]\n syscall").label(after).code(`ret\n ${skip}:`);
  const [write, fetch] = [program.unique("write"), program.unique("fetch")];
  program.code(`
      cmp eax, ${ACCESS.write}
      je ${write}
      ja ${fetch}
      mov al, [rdi]
      xor eax, eax
      ret
    ${write}:
      mov dword ptr [rdi], ${WRITTEN}
      xor eax, eax
      ret
    ${fetch}:
      call rdi
      xor eax, eax
      ret
  `);
}

/** Prints a letter for what each window's page begins with, read past all protection through /proc/self/mem. */
function contents(program: Program, windows: readonly number[]): void {
  program.label(".show_contents").code("lea r15, [letters]");
  for (const window of windows) {
    program.code(`lea r10, [r12+${window * PAGE}]`);
    program.syscall(CALLS.pread64, `[rbp+${FROM.memoryFile * 8}]`, "page", 8, "r10").code("call .letter");
  }
  program.code(`lea rsi, [letters]\n mov edx, ${windows.length}\n jmp ${routineFor("text")}`);
  program.code(`
    .letter:
      mov cl, 45
      cmp rax, 8
      jne .unreadable
      mov cl, 48
      cmp word ptr [page], 0
      je .known
      mov cl, [page+1]
    .known:
      mov [r15], cl
      inc r15
      ret
    .unreadable:
  `);
  program.syscall(SYS.mincore, "r10", PAGE, "page").code(`
      mov cl, 45
      test rax, rax
      jnz .known
      mov cl, 63
      jmp .known
  `);
}

/** Prints how a read, a write and a fetch of the page that is probed end. */
function probes(program: Program): void {
  program.label(".probe").code("lea r15, [letters]");
  program.code("mov r10, [probed]");
  for (const how of ["mov al, [r10]", `mov dword ptr [r10], ${WRITTEN}`, "call r10"]) {
    program.attempt(() => program.code(how)).code("call .ending");
  }
  program.code(`lea rsi, [letters]\n mov edx, 3\n jmp ${routineFor("text")}`);
  program.code(`
    .ending:
      mov cl, 46
      cmp dword ptr [${FAULT.record}], 0
      je .ended
      mov cl, 66
      cmp dword ptr [${FAULT.record}], 11
      jne .ended
      mov eax, [${FAULT.record}+4]
      mov cl, 77
      cmp eax, 1
      je .ended
      mov cl, 65
      cmp eax, 2
      je .ended
      mov cl, 75
    .ended:
      mov [r15], cl
      inc r15
      ret
  `);
}
