// The benchmark programs: real ELF files, made with sealab's own assembler. argv[1] is a count; each prints a checksum
// that every machine must agree on. As process 1 of a Linux in QEMU they switch the machine off at the end.
import { Program, SYS } from "../../dist/userland.js";

const REBOOT = 169;

/** A program around `body`, which finds its count in R15 and leaves its checksum in RAX. */
export function program(body, { data = () => {} } = {}) {
  const p = new Program();
  p.label("_start").code(`
      xor eax, eax
      cmp qword ptr [rsp], 2
      jb parsed
      mov rsi, [rsp+16]
    parse:
      movzx ecx, byte ptr [rsi]
      test ecx, ecx
      jz parsed
      imul rax, rax, 10
      lea rax, [rax+rcx-48]
      inc rsi
      jmp parse
    parsed:
      mov r15, rax
  `);
  body(p);
  p.printHex("rax").line("");
  p.syscall(SYS.getpid).code(`
      cmp eax, 1
      jne leave
  `);
  p.syscall(REBOOT, 0xfee1dead, 672274793, 0x4321fedc, 0);
  p.label("leave").exit(0);
  data(p);
  return p.build();
}

/** For `data`: zeroed memory with a name. */
export const bss = (name, bytes) => (p) => p.within(".bss", () => p.align(4096).label(name).reserve(bytes));

/** Array load, six ALU operations, a data-dependent branch, a store. */
const hash = () =>
  program(
    (p) =>
      p.code(`
      lea rbx, [table]
      mov rcx, r15
      mov rax, 0x9e3779b97f4a7c15
      xor edi, edi
    again:
      mov edx, edi
      and edx, 8191
      mov rsi, [rbx+rdx*8]
      xor rsi, rax
      rol rsi, 13
      add rax, rsi
      xor rax, rdi
      test al, 4
      jz even
      add rax, 0x1234567
    even:
      mov [rbx+rdx*8], rax
      inc rdi
      dec rcx
      jnz again
    `),
    { data: bss("table", 65536) },
  );

/** Recursive Fibonacci numbers, as gcc -O1 shapes the function. */
const fib = () =>
  program((p) =>
    p.code(`
      mov r12, r15
      xor r13d, r13d
    again:
      mov edi, 16
      call fib
      add r13, rax
      dec r12
      jnz again
      mov rax, r13
      jmp done
    fib:
      mov eax, edi
      cmp edi, 1
      jle small
      push rbp
      push rbx
      sub rsp, 8
      mov ebx, edi
      lea edi, [rdi-1]
      call fib
      mov ebp, eax
      lea edi, [rbx-2]
      call fib
      add eax, ebp
      add rsp, 8
      pop rbx
      pop rbp
    small:
      ret
    done:
    `),
  );

/** CRC-32 by table: one byte load and one table load a step, bound by their latency. */
const crc = () =>
  program(
    (p) =>
      p.code(`
      lea rbx, [crcs]
      xor ecx, ecx
    entry:
      mov eax, ecx
      mov edx, 8
    bit:
      mov esi, eax
      shr eax, 1
      test esi, 1
      jz clear
      xor eax, 0xedb88320
    clear:
      dec edx
      jnz bit
      mov [rbx+rcx*4], eax
      inc ecx
      cmp ecx, 256
      jne entry
      lea rdi, [text]
      xor ecx, ecx
    fill:
      mov [rdi+rcx], cl
      inc ecx
      cmp ecx, 4096
      jne fill
      mov r12, r15
      mov eax, 0xffffffff
    pass:
      xor ecx, ecx
    step:
      movzx edx, byte ptr [rdi+rcx]
      movzx esi, al
      xor edx, esi
      shr eax, 8
      xor eax, [rbx+rdx*4]
      inc rcx
      cmp rcx, 4096
      jne step
      dec r12
      jnz pass
    `),
    {
      data: (p) => {
        bss("crcs", 4096)(p);
        bss("text", 4096)(p);
      },
    },
  );

/** A bytecode interpreter whose every operation ends in its own indirect jump. */
const vm = () => {
  const next = "movzx edx, byte ptr [rsi]\n inc rsi\n jmp qword ptr [rbx+rdx*8]";
  return program(
    (p) =>
      p.code(`
      lea rbx, [operations]
      mov r12, r15
      xor eax, eax
      mov ecx, 1
    start:
      lea rsi, [bytecode]
      ${next}
    opAdd:
      add rax, rcx
      ${next}
    opXor:
      xor rax, r12
      ${next}
    opRotate:
      rol rax, 5
      ${next}
    opNext:
      add ecx, 3
      ${next}
    opLoop:
      dec r12
      jnz start
    `),
    {
      data: (p) => {
        p.within(".data", () =>
          p.align(8).label("operations").u64("opAdd", "opXor", "opRotate", "opNext", "opLoop"),
        );
        p.within(".rodata", () => p.label("bytecode").bytes([0, 1, 2, 0, 3, 2, 1, 0, 2, 4]));
      },
    },
  );
};

/** Loads at random places of 16 MiB: three of four miss a TLB of 1024 pages. */
const tlbmiss = () =>
  program(
    (p) =>
      p.code(`
      lea rbx, [memory]
      xor ecx, ecx
    touch:
      mov [rbx+rcx], rcx
      add rcx, 4096
      cmp rcx, 16777216
      jne touch
      mov rcx, r15
      mov rdx, 88172645463325252
      xor eax, eax
    again:
      mov rsi, rdx
      shl rsi, 13
      xor rdx, rsi
      mov rsi, rdx
      shr rsi, 7
      xor rdx, rsi
      mov rsi, rdx
      shl rsi, 17
      xor rdx, rsi
      mov rsi, rdx
      and esi, 0xfff000
      add rax, [rbx+rsi]
      dec rcx
      jnz again
    `),
    { data: bss("memory", 16 << 20) },
  );

/** Two WRPKRU and eight loads after each, from pages with a key. Status 77 where there are no keys. */
const wrpkru = () =>
  program((p) => {
    p.allocateKey(0).code("mov r12, rax");
    p.syscall(SYS.mmap, 0, 32768, 3, 0x22, -1, 0).code("mov rbx, rax");
    p.code("mov rdi, rbx\n mov esi, 32768\n mov edx, 3\n mov r10, r12").code(
      `mov eax, ${SYS.pkey_mprotect}\n syscall`,
    );
    for (let page = 0; page < 8; page++) p.code(`mov qword ptr [rbx+${page * 4096}], ${page}`);
    const loads = Array.from({ length: 8 }, (_, page) => `add r13, [rbx+${page * 4096}]`).join("\n");
    p.code(`
      xor r13d, r13d
      lea ecx, [r12+r12+1]
      mov r14d, 1
      shl r14d, cl
      xor ecx, ecx
      xor edx, edx
    again:
      mov eax, r14d
      wrpkru
      ${loads}
      xor eax, eax
      wrpkru
      ${loads}
      dec r15
      jnz again
      mov rax, r13
    `);
  });

const getpid = () =>
  program((p) =>
    p.code(`
      mov rbx, r15
    again:
      mov eax, ${SYS.getpid}
      syscall
      dec rbx
      jnz again
      xor eax, eax
    `),
  );

/** First writes to pages of private memory: `count` times 1024 demand faults. */
const demand = () =>
  program((p) => {
    p.code("mov r12, r15\n round:");
    p.syscall(SYS.mmap, 0, 4 << 20, 3, 0x22, -1, 0).code(`
      mov rbx, rax
      xor ecx, ecx
    touch:
      mov [rbx+rcx], cl
      add ecx, 4096
      cmp ecx, 4194304
      jne touch
    `);
    p.syscall(SYS.munmap, "rbx", 4 << 20).code("dec r12\n jnz round\n xor eax, eax");
  });

/** mmap and munmap of one page among that many areas, which nothing can merge. */
const areas = (count) => () =>
  program((p) => {
    p.code(`
      mov r12d, ${count / 2}
      mov r13, 0x100000000
    make:
    `);
    p.syscall(SYS.mmap, "r13", 4096, 1, 0x100022, -1, 0).code("add r13, 4096");
    p.syscall(SYS.mmap, "r13", 4096, 3, 0x100022, -1, 0).code("add r13, 4096\n dec r12\n jnz make\n again:");
    p.syscall(SYS.mmap, 0, 4096, 3, 0x22, -1, 0).code("mov rbx, rax");
    p.syscall(SYS.munmap, "rbx", 4096).code("dec r15\n jnz again\n xor eax, eax");
  });

export const KERNELS = { hash, fib, crc, vm, tlbmiss };
export const EXTRAS = { wrpkru, getpid, demand, "areas-60": areas(60), "areas-60000": areas(60000) };
