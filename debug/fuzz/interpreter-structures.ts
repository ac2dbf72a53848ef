import { SYS } from "../../userland/linux.js";
import type { Program } from "../../userland/program.js";

const CALLS = {
  open: 2,
  close: 3,
  ioctl: 16,
  pread64: 17,
  pwrite64: 18,
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  dup2: 33,
  ftruncate: 77,
  process_vm_readv: 310,
  process_vm_writev: 311,
  memfd_create: 319,
  userfaultfd: 323,
  pidfd_open: 434,
  process_madvise: 440,
};
const O_RDWR = 2;
const UFFDIO_API = 0xc018aa3f;
const UFFD_API = 0xaa;

/** Where a record has room for what a call left in memory: six words. */
const MORE = 40;

export interface Places {
  /** Address of the process numbers, 8 bytes each, by depth. */
  readonly pids: number;
  /** Bytes behind the label `pipe_bytes`, for copies from and to other memory. */
  readonly bufferBytes: number;
}

/**
 * Operations whose calls take structures, which the program makes in its own memory, and those that read a file of /proc.
 * RBX is the operation, R15 its record, R13 where text goes; each ends with the result in RAX, at `.done`.
 */
export function structureOperations(program: Program, { pids, bufferBytes }: Places): void {
  readWhole(program, "do_maps", "smaps_path");
  readWhole(program, "do_meminfo", "meminfo_path");
  // An entry of 8 bytes a page: [address, bytes].
  program
    .label("do_pagemap")
    .syscall(CALLS.open, "pagemap_path", 0, 0)
    .code("mov r12, rax\n mov rdx, [rbx+16]\n shr rdx, 9\n mov r10, [rbx+8]\n shr r10, 9\n and r10, -8")
    .code(`mov rdi, r12\n mov rsi, r13\n mov eax, ${CALLS.pread64}\n syscall`)
    .code("mov rbp, rax\n test rax, rax\n js .pagemap_read\n add r13, rax\n .pagemap_read:")
    .syscall(CALLS.close, "r12")
    .code("mov rax, rbp\n jmp .done");
  // [depth, advice, address, bytes, address, bytes, ranges that count]
  program.label("do_advise").code(`mov rcx, [rbx+8]\n mov rdi, [rcx*8+${pids}]`);
  program.code(`xor esi, esi\n mov eax, ${CALLS.pidfd_open}\n syscall\n mov r12, rax`);
  for (let word = 0; word < 4; word++)
    program.code(`mov rax, [rbx+${24 + 8 * word}]\n mov [words+${8 * word}], rax`);
  program.code("mov rdi, r12\n lea rsi, [words]\n mov rdx, [rbx+56]\n mov r10, [rbx+16]\n xor r8d, r8d");
  program.code(`mov eax, ${CALLS.process_madvise}\n syscall\n mov rbp, rax`);
  program.syscall(CALLS.close, "r12").code("mov rax, rbp\n jmp .done");
  // [depth, 0 reads | 1 writes, address, bytes]: a copy between this process and one of them.
  program.label("do_vm").code("mov rax, [rbx+32]\n mov [words+8], rax\n mov [words+24], rax");
  program.code("lea rax, [pipe_bytes]\n mov [words], rax\n mov rax, [rbx+24]\n mov [words+16], rax");
  program.code(
    `lea rdi, [pipe_bytes]\n mov eax, 0xc3\n mov ecx, ${String(bufferBytes)}\n cld\n rep stosb\n mov rcx, [rbx+8]`,
  );
  program.code(
    `mov rdi, [rcx*8+${pids}]\n lea rsi, [words]\n mov edx, 1\n lea r10, [words+16]\n mov r8d, 1\n xor r9d, r9d`,
  );
  program.code(
    `mov rax, [rbx+16]\n add eax, ${CALLS.process_vm_readv}\n syscall\n mov rcx, [pipe_bytes]\n mov [r15+${MORE}], rcx\n jmp .done`,
  );
  // [0 reads | 1 writes, address, value]: eight bytes through /proc/self/mem.
  program.label("do_mem").syscall(CALLS.open, "mem_path", O_RDWR, 0).code("mov r12, rax");
  program.code("mov rax, [rbx+24]\n mov [words], rax\n mov rdi, r12\n lea rsi, [words]\n mov edx, 8");
  program.code(
    `mov r10, [rbx+16]\n mov rax, [rbx+8]\n add eax, ${CALLS.pread64}\n syscall\n mov rbp, rax\n mov rax, [words]\n mov [r15+${MORE}], rax`,
  );
  program.syscall(CALLS.close, "r12").code("mov rax, rbp\n jmp .done");
  // [descriptor, request, five words of the structure]
  for (const word of [0, 1, 2, 3, 4]) {
    if (word === 0) program.label("do_ioctl");
    program.code(`mov rax, [rbx+${24 + 8 * word}]\n mov [words+${8 * word}], rax`);
  }
  program.code(`mov rdi, [rbx+8]\n mov rsi, [rbx+16]\n lea rdx, [words]\n mov eax, ${CALLS.ioctl}\n syscall`);
  for (const word of [0, 1, 2, 3, 4])
    program.code(`mov rcx, [words+${8 * word}]\n mov [r15+${MORE + 8 * word}], rcx`);
  program.code("jmp .done");
  // [flags, bytes, descriptor]: a memfd in the place of that descriptor. The answer is ftruncate's.
  program.label("do_memfd").code("mov rsi, [rbx+8]\n lea rdi, [name]");
  program.code(`mov eax, ${CALLS.memfd_create}\n syscall\n test rax, rax\n js .done\n mov r12, rax`);
  program.code(`mov rdi, r12\n mov rsi, [rbx+16]\n mov eax, ${CALLS.ftruncate}\n syscall\n mov rbp, rax`);
  instead(program, "[rbx+24]");
  // [flags, features, descriptor]: a userfaultfd likewise. The answer is UFFDIO_API's.
  program.label("do_uffd").code(`mov rdi, [rbx+8]\n mov eax, ${CALLS.userfaultfd}\n syscall`);
  program.code(`test rax, rax\n js .done\n mov r12, rax\n mov qword ptr [words], ${UFFD_API}`);
  program.code("mov rax, [rbx+16]\n mov [words+8], rax\n mov qword ptr [words+16], 0");
  program.syscall(CALLS.ioctl, "r12", UFFDIO_API, "words").code("mov rbp, rax");
  instead(program, "[rbx+24]");
  // [bytes, flags, address, flags of shmat]: a new segment, which goes with its last mapping.
  program.label("do_shm").code("mov rsi, [rbx+8]\n mov rdx, [rbx+16]\n or edx, 0x3b6\n xor edi, edi");
  program.code(`mov eax, ${CALLS.shmget}\n syscall\n test rax, rax\n js .done\n mov [segment], rax`);
  program.code(
    `mov rdi, rax\n mov rsi, [rbx+24]\n mov rdx, [rbx+32]\n mov eax, ${CALLS.shmat}\n syscall\n mov rbp, rax`,
  );
  program.syscall(CALLS.shmctl, "[segment]", 0, 0).code("mov rax, rbp\n jmp .done");
  // [address, flags]: the last segment once more.
  program.label("do_shmat").code("mov rdi, [segment]\n mov rsi, [rbx+8]\n mov rdx, [rbx+16]");
  program.code(`mov eax, ${CALLS.shmat}\n syscall\n jmp .done`);
  program.within(".rodata", () => {
    for (const [label, path] of [
      ["smaps_path", "smaps"],
      ["pagemap_path", "pagemap"],
      ["mem_path", "mem"],
    ] as const)
      program.label(label).string(`/proc/self/${path}\0`);
    program.label("meminfo_path").string("/proc/meminfo\0");
  });
  program.within(".bss", () => program.align(8).label("words").reserve(64).label("segment").reserve(8));
}

/** The text goes behind what there is of it; the answer is its bytes. */
function readWhole(program: Program, label: string, path: string): void {
  const [more, all] = [program.unique("more"), program.unique("all")];
  program.label(label).syscall(CALLS.open, path, 0, 0).code(`mov r12, rax\n mov rbp, r13\n ${more}:`);
  program.syscall(SYS.read, "r12", "r13", 65536);
  program.code(`test rax, rax\n jle ${all}\n add r13, rax\n jmp ${more}\n ${all}:`);
  program.syscall(CALLS.close, "r12").code("mov rax, r13\n sub rax, rbp\n jmp .done");
}

/** The descriptor in R12 takes the place of another; the answer is in RBP. */
function instead(program: Program, place: string): void {
  program.code(`mov rsi, ${place}\n mov rdi, r12\n mov eax, ${CALLS.dup2}\n syscall`);
  program.syscall(CALLS.close, "r12").code("mov rax, rbp\n jmp .done");
}
