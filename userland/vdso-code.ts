import { Assembler, type Image } from "./assembler.js";
import { VDSO_DATA } from "./vdso-data.js";

/** The code is the image's second page; what the loader reads is the first. */
export const VDSO_TEXT = 0x1000;
/** Bytes from the start of [vvar] to the image: four pages, and the two of [vvar_vclock]. */
const DATA_DISTANCE = 0x6000;

/** CLOCK_REALTIME, MONOTONIC, MONOTONIC_RAW, BOOTTIME and TAI. */
const FINE_CLOCKS = (1 << 0) | (1 << 1) | (1 << 4) | (1 << 7) | (1 << 11);
/** CLOCK_REALTIME_COARSE and CLOCK_MONOTONIC_COARSE. */
const COARSE_CLOCKS = (1 << 5) | (1 << 6);
const CLOCK_GETTIME = 228;
const CLOCK_GETRES = 229;
const GETTIMEOFDAY = 96;
const TIME = 201;

/** Functions in the order they lie in: the exported name, and the name without its prefix is a weak alias. */
export const VDSO_FUNCTIONS = [
  "__vdso_clock_gettime",
  "__vdso_gettimeofday",
  "__vdso_time",
  "__vdso_clock_getres",
  "__vdso_getcpu",
] as const;

/**
 * Reads a clock: `clock` is a constant or in ECX; leaves seconds in RAX and nanoseconds in RDX. R8 must hold the
 * address of the data; R9, R10, R11 and RCX are lost. Goes to `fallback` where the counter is no clock.
 */
function readClock(name: string, clock: "ecx" | "realtime", fallback: string): string {
  return `
    .${name}_again:
      mov r9d, dword ptr [r8 + sequence]
      test r9d, 1
      jne .${name}_wait
      cmp dword ptr [r8 + mode], 1
      jne ${fallback}
      rdtsc
      shl rdx, 32
      or rax, rdx
      add rax, qword ptr [r8 + skipped]
      ${clock === "ecx" ? coarse(name) : ""}
      ${clock === "ecx" ? "mov r10d, ecx\n shl r10, 4" : "xor r10d, r10d"}
      add rax, qword ptr [r8 + r10 + origins + 8]
      mov r11, qword ptr [r8 + r10 + origins]
      cmp r9d, dword ptr [r8 + sequence]
      jne .${name}_again
      xor edx, edx
      mov r10d, 1000000000
      div r10
      add rax, r11`;
}

/** Takes a coarse clock's time back to its last tick. */
function coarse(name: string): string {
  return `
      mov r10d, ${COARSE_CLOCKS}
      bt r10d, ecx
      jae .${name}_fine
      mov r11, rax
      xor edx, edx
      mov r10d, dword ptr [r8 + tick]
      div r10
      sub r11, rdx
      mov rax, r11
    .${name}_fine:`;
}

/** Somebody else is writing: lets him go on. */
const wait = (name: string): string => `
    .${name}_wait:
      pause
      jmp .${name}_again`;

const fallback = (name: string, number: number): string => `
    .${name}_syscall:
      mov eax, ${number}
      syscall
      ret`;

/**
 * The vDSO's code. No function touches the stack, so that one rule unwinds them all; a pointer that cannot be
 * written is a fault of the caller's, as on Linux.
 */
export function vdsoCode(): Image {
  const asm = new Assembler();
  for (const [name, offset] of Object.entries(VDSO_DATA)) asm.define(name, offset);
  asm.code(`
    __vdso_clock_gettime:
      cmp edi, 11
      ja .gettime_syscall
      mov ecx, edi
      mov eax, ${FINE_CLOCKS | COARSE_CLOCKS}
      bt eax, ecx
      jae .gettime_syscall
      lea r8, [__vdso_clock_gettime - ${VDSO_TEXT + DATA_DISTANCE}]
      ${readClock("gettime", "ecx", ".gettime_syscall")}
      mov qword ptr [rsi], rax
      mov qword ptr [rsi + 8], rdx
      xor eax, eax
      ret
      ${wait("gettime")}
      ${fallback("gettime", CLOCK_GETTIME)}`);
  asm.align(16).code(`
    __vdso_gettimeofday:
      lea r8, [__vdso_clock_gettime - ${VDSO_TEXT + DATA_DISTANCE}]
      ${readClock("timeofday", "realtime", ".timeofday_syscall")}
      test rdi, rdi
      je .timeofday_zone
      mov qword ptr [rdi], rax
      mov eax, edx
      xor edx, edx
      mov ecx, 1000
      div ecx
      mov qword ptr [rdi + 8], rax
    .timeofday_zone:
      test rsi, rsi
      je .timeofday_done
      mov eax, dword ptr [r8 + minutesWest]
      mov dword ptr [rsi], eax
      mov eax, dword ptr [r8 + summerTime]
      mov dword ptr [rsi + 4], eax
    .timeofday_done:
      xor eax, eax
      ret
      ${wait("timeofday")}
      ${fallback("timeofday", GETTIMEOFDAY)}`);
  asm.align(16).code(`
    __vdso_time:
      lea r8, [__vdso_clock_gettime - ${VDSO_TEXT + DATA_DISTANCE}]
      ${readClock("time", "realtime", ".time_syscall")}
      test rdi, rdi
      je .time_done
      mov qword ptr [rdi], rax
    .time_done:
      ret
      ${wait("time")}
      ${fallback("time", TIME)}`);
  asm.align(16).code(`
    __vdso_clock_getres:
      cmp edi, 11
      ja .getres_syscall
      mov edx, 1
      mov eax, ${FINE_CLOCKS}
      bt eax, edi
      jb .getres_known
      lea r8, [__vdso_clock_gettime - ${VDSO_TEXT + DATA_DISTANCE}]
      mov edx, dword ptr [r8 + tick]
      mov eax, ${COARSE_CLOCKS}
      bt eax, edi
      jae .getres_syscall
    .getres_known:
      test rsi, rsi
      je .getres_done
      mov qword ptr [rsi], 0
      mov qword ptr [rsi + 8], rdx
    .getres_done:
      xor eax, eax
      ret
      ${fallback("getres", CLOCK_GETRES)}`);
  asm.align(16).code(`
    __vdso_getcpu:
      lea r8, [__vdso_clock_gettime - ${VDSO_TEXT + DATA_DISTANCE}]
      test rdi, rdi
      je .getcpu_node
      mov eax, dword ptr [r8 + processor]
      mov dword ptr [rdi], eax
    .getcpu_node:
      test rsi, rsi
      je .getcpu_done
      mov eax, dword ptr [r8 + node]
      mov dword ptr [rsi], eax
    .getcpu_done:
      xor eax, eax
      ret`);
  return asm.link({ base: VDSO_TEXT, entry: "__vdso_clock_gettime" });
}
