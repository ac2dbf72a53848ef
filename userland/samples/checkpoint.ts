import { MREMAP, SYS } from "../linux.js";
import { AREA, PAGE, sample, type SampleProgram } from "./sample.js";

/** The switch that was sketched for checkpoint tools; the numbers are sealab's own, no Linux has any (EINVAL). */
const PR_GET_MSEAL_SYSTEM_MAPPINGS = 0x5345_4147;
const PR_SET_MSEAL_SYSTEM_MAPPINGS = 0x5345_4153;

/** Where the restored process had its mappings, and another place. */
const RESTORED = AREA;
const ELSEWHERE = AREA + 64 * PAGE;

const MAPS_BYTES = 65536;
const MOST = 8;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/**
 * Routines that go over the system's mappings ([vvar] and its like, [vdso]; not [vsyscall], which lies above user
 * space): `find_them` reads /proc/self/maps, `move_them` moves all to RDI, `seal_them` and `unmap_them` do what they
 * say. The first refusal is in RAX, or 0.
 */
function routines(program: SampleProgram): void {
  program.within(".rodata", () => program.label("maps_file").string("/proc/self/maps\0"));
  program.within(".bss", () => {
    program.align(8);
    program.label("how_many").reserve(8).label("home").reserve(8);
    program.label("offsets").reserve(8 * MOST);
    program.label("lengths").reserve(8 * MOST);
    program.label("maps").reserve(MAPS_BYTES);
  });
  program.code("find_them:\n push rbx\n push r12\n push r13\n push r14");
  program.code("mov qword ptr [how_many], 0");
  program.syscall(SYS.open, "maps_file", 0, 0).code("mov r12, rax\n lea r13, [maps]");
  program.code(".more:").syscall(SYS.read, "r12", "r13", 4096);
  // R13 is behind what was read; the text ends with a newline.
  program.code(`
      test rax, rax
      jle .read
      add r13, rax
      jmp .more
    .read:
      lea rbx, [maps]
    .line:
      cmp rbx, r13
      jae .found
      call hex
      mov r14, rax
      inc rbx
      call hex
      sub rax, r14
    .name:
      mov cl, [rbx]
      inc rbx
      cmp cl, 10
      je .line
      cmp cl, '['
      jne .name
      cmp byte ptr [rbx], 'v'
      jne .name
      test r14, r14
      js .name
      mov rcx, [how_many]
      test rcx, rcx
      jnz .not_first
      mov [home], r14
    .not_first:
      lea rdx, [lengths]
      mov [rdx+rcx*8], rax
      sub r14, [home]
      lea rdx, [offsets]
      mov [rdx+rcx*8], r14
      inc rcx
      mov [how_many], rcx
      jmp .name
    .found:
      pop r14
      pop r13
      pop r12
      pop rbx
      ret

    hex:
      xor eax, eax
    .digit:
      movzx ecx, byte ptr [rbx]
      sub ecx, '0'
      js .no_digit
      cmp ecx, 9
      jbe .digit_known
      sub ecx, 39
      cmp ecx, 10
      jb .no_digit
      cmp ecx, 15
      ja .no_digit
    .digit_known:
      shl rax, 4
      add rax, rcx
      inc rbx
      jmp .digit
    .no_digit:
      ret
  `);
  program.code("move_them:\n push rbx\n push r12\n push r13\n mov r12, rdi\n xor r13d, r13d\n xor ebx, ebx");
  program.code(".move: cmp rbx, [how_many]\n je .moved");
  place(program);
  program.code("lea r8, [r12+rcx]\n mov rdx, rsi");
  program.syscall(SYS.mremap, "rdi", "rsi", "rdx", MREMAP.MAYMOVE | MREMAP.FIXED, "r8");
  keepRefusal(program, ".move_next");
  program.code("inc rbx\n jmp .move");
  program.code(".moved: mov rax, r13\n test rax, rax\n jnz .stay\n mov [home], r12");
  program.code(".stay: pop r13\n pop r12\n pop rbx\n ret");
  overAll(program, "seal_them", SYS.mseal);
  overAll(program, "unmap_them", SYS.munmap);
}

/** RDI and RSI: the place and the length of mapping RBX; RCX: its offset from the first. */
function place(program: SampleProgram): void {
  program.code(`
    lea rdx, [offsets]
    mov rcx, [rdx+rbx*8]
    lea rdx, [lengths]
    mov rsi, [rdx+rbx*8]
    mov rdi, [home]
    add rdi, rcx
  `);
}

/** A negative RAX, the first of them, into R13. */
function keepRefusal(program: SampleProgram, after: string): void {
  program.code(`test rax, rax\n jns ${after}\n test r13, r13\n jnz ${after}\n mov r13, rax\n ${after}:`);
}

function overAll(program: SampleProgram, name: string, call: number): void {
  program.code(`${name}:\n push rbx\n push r13\n xor r13d, r13d\n xor ebx, ebx`);
  program.code(`.${name}: cmp rbx, [how_many]\n je .${name}_end`);
  place(program);
  program.syscall(call, "rdi", "rsi", 0);
  keepRefusal(program, `.${name}_next`);
  program.code(`inc rbx\n jmp .${name}\n .${name}_end: mov rax, r13\n pop r13\n pop rbx\n ret`);
}

function moveTo(program: SampleProgram, place: number, text: string): void {
  program.load("rdi", place).code("call move_them").report(text);
}

/**
 * What a checkpoint tool does on a system that seals its mappings: it turns that off, executes itself, forks, moves
 * the mappings to where the restored process had them, and seals them. Where nothing is sealed by the system, it
 * needs no switch, and the steps are the same.
 */
export const checkpoint = sample(
  "checkpoint",
  "a checkpoint tool moves the system's mappings to where they were, and seals them again",
  (program) => {
    program.requireMseal();
    program.within(".rodata", () => {
      program.label("self").string("/proc/self/exe\0");
      program.label("unsealed").string("restore\0").label("sealed").string("seal\0");
    });
    program.within(".data", () => {
      program.align(8).label("arguments").reserve(24);
      program.label("capabilities").u32(CAPABILITY_VERSION_3).u32(0).reserve(24);
    });
    program.code("cmp qword ptr [rsp], 2\n je .restore");

    program
      .syscall(SYS.prctl, PR_GET_MSEAL_SYSTEM_MAPPINGS, 0, 0, 0, 0)
      .code("mov r12, rax\n lea r13, [unsealed]");
    program.code("call find_them");
    moveTo(program, ELSEWHERE, "the tool moves its own: ");
    program.code("cmp r12, 1\n jne .execute\n lea r13, [sealed]");
    program.line("the system seals its mappings");
    program.syscall(SYS.prctl, PR_SET_MSEAL_SYSTEM_MAPPINGS, 0, 0, 0, 0).report("turned off: ");
    program.code(".execute: lea rax, [self]\n mov [arguments], rax\n mov [arguments+8], r13");
    program.syscall(SYS.execve, "self", "arguments", 0).report("execve: ");
    program.exit(1);

    program.code(".restore: mov rax, [rsp+16]\n movzx r12d, byte ptr [rax]");
    program.code("call find_them");
    program.syscall(SYS.fork).code("test rax, rax\n jz .child\n mov rdi, rax");
    program.within(".bss", () => program.align(8).label("child_status").reserve(8));
    program.syscall(SYS.wait4, "rdi", "child_status", 0, 0);
    program
      .code("mov eax, [child_status]")
      .print("parent: the child's status word is ")
      .printHex("rax")
      .line("");
    moveTo(program, ELSEWHERE, "parent: moves its own: ");
    program.exit(0);

    program.code(".child:");
    moveTo(program, RESTORED, "child: moved to their old place: ");
    program.code(`
      mov rcx, [how_many]
      dec rcx
      lea rdx, [offsets]
      mov rdx, [rdx+rcx*8]
      add rdx, [home]
      mov eax, [rdx]
    `);
    program.print("child: the vDSO begins with ").printHex("rax").line("");
    program.code("cmp r12, 's'\n jne .seal");
    program.syscall(SYS.prctl, PR_SET_MSEAL_SYSTEM_MAPPINGS, 1, 0, 0, 0).report("child: turned on: ");
    program.code(".seal: call seal_them").report("child: sealed: ");
    program.code("lea rsi, [capabilities+8]").syscall(SYS.capset, "capabilities", "rsi");
    program.report("child: capabilities dropped: ");
    program.code("cmp r12, 's'\n jne .sealed");
    program.syscall(SYS.prctl, PR_SET_MSEAL_SYSTEM_MAPPINGS, 0, 0, 0, 0).report("child: turned off: ");
    program.code(".sealed:");
    moveTo(program, ELSEWHERE, "child: moved once more: ");
    program.code("call unmap_them").report("child: unmapped: ");
    program.exit(0);
    routines(program);
  },
);
