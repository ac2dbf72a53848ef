/** The auxiliary vector in Linux's order (arch/x86/include/asm/elf.h, fs/binfmt_elf.c create_elf_tables). */

import type { Kernel } from "../kernel.js";
import { RSEQ_ALIGNMENT, RSEQ_FEATURE_BYTES } from "../rseq.js";
import type { Task } from "../task.js";
import type { ElfImage } from "./elf.js";
import type { LoadedImage } from "./load.js";
import {
  AT_BASE,
  AT_CLKTCK,
  AT_EGID,
  AT_ENTRY,
  AT_EUID,
  AT_EXECFN,
  AT_FLAGS,
  AT_GID,
  AT_HWCAP,
  AT_HWCAP2,
  AT_MINSIGSTKSZ,
  AT_PAGESZ,
  AT_PHDR,
  AT_PHENT,
  AT_PHNUM,
  AT_PLATFORM,
  AT_RANDOM,
  AT_RSEQ_ALIGN,
  AT_RSEQ_FEATURE_SIZE,
  AT_SECURE,
  AT_SYSINFO_EHDR,
  AT_UID,
} from "./stack.js";

const CLOCK_TICKS = 100;
const PROGRAM_HEADER_BYTES = 56;
/** HWCAP2_FSGSBASE: user space may use RDFSBASE and its family. */
const HWCAP2_FSGSBASE = 2;

export interface VectorSources {
  readonly loaded: LoadedImage;
  readonly image: ElfImage;
  /** Where the interpreter was loaded; 0 without one. */
  readonly base: bigint;
  /** The program has rights that its caller has not (bprm->secureexec). */
  readonly secure: boolean;
  /** The vDSO's address; null without one. */
  readonly vdso: number | null;
}

export function auxiliaryVector(
  kernel: Kernel,
  task: Task,
  { loaded, image, base, secure, vdso }: VectorSources,
): (readonly [number, number | bigint])[] {
  const { credentials } = task;
  return [
    ...(vdso === null ? [] : [[AT_SYSINFO_EHDR, vdso] as const]),
    [AT_MINSIGSTKSZ, minimumSignalStack(kernel.xsaveBytes)],
    [AT_HWCAP, kernel.hwcap],
    [AT_PAGESZ, 4096],
    [AT_CLKTCK, CLOCK_TICKS],
    [AT_PHDR, loaded.headers],
    [AT_PHENT, PROGRAM_HEADER_BYTES],
    [AT_PHNUM, image.phnum],
    [AT_BASE, base],
    [AT_FLAGS, 0],
    [AT_ENTRY, loaded.entry],
    [AT_UID, credentials.uid],
    [AT_EUID, credentials.euid],
    [AT_GID, credentials.gid],
    [AT_EGID, credentials.egid],
    [AT_SECURE, secure ? 1 : 0],
    [AT_RANDOM, 0],
    [AT_HWCAP2, HWCAP2_FSGSBASE],
    [AT_EXECFN, 0],
    [AT_PLATFORM, 0],
    [AT_RSEQ_FEATURE_SIZE, RSEQ_FEATURE_BYTES],
    [AT_RSEQ_ALIGN, RSEQ_ALIGNMENT],
  ];
}

/** What one signal frame may take: the largest frame (an i386 one), the FPU state with its 32-bit header, padding. */
export function minimumSignalStack(xsaveBytes: number): number {
  const LARGEST_FRAME = 736;
  const FRAME_PADDING = 15;
  const XSAVE_PADDING = 63;
  const IA32_HEADER = 112;
  const bytes = LARGEST_FRAME + FRAME_PADDING + xsaveBytes + 4 + IA32_HEADER + XSAVE_PADDING;
  return Math.ceil(bytes / 16) * 16;
}
