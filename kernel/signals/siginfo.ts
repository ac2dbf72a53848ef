/** siginfo_t: what a signal says about itself, and its 128-byte layout (include/uapi/asm-generic/siginfo.h). */

import { SI_KERNEL, SI_QUEUE, SI_TIMER, SI_TKILL, SI_USER } from "./numbers.js";

/** Bytes of a siginfo_t. */
export const SIGINFO_BYTES = 128;

export type SignalDetail =
  | { readonly kind: "kill"; readonly pid: number; readonly uid: number }
  | { readonly kind: "queue"; readonly pid: number; readonly uid: number; readonly value: bigint }
  | { readonly kind: "timer"; readonly timer: number; overrun: number; readonly value: bigint }
  /** `address` is unsigned, 64 bits. */
  /** `shift`: how much a memory error spoilt, as a power of two (si_addr_lsb). */
  | { readonly kind: "fault"; readonly address: bigint; readonly pkey?: number; readonly shift?: number }
  | {
      readonly kind: "child";
      readonly pid: number;
      readonly uid: number;
      readonly status: number;
      /** In clock ticks. */
      readonly utime: number;
      readonly stime: number;
    }
  /** A call that was not made (SIGSYS). */
  | {
      readonly kind: "call";
      /** Behind the instruction that asked for it. */
      readonly address: bigint;
      readonly number: number;
      /** AUDIT_ARCH_*. */
      readonly architecture: number;
    }
  /** Whatever rt_sigqueueinfo brought: the bytes after si_code, from offset 12. */
  | { readonly kind: "raw"; readonly bytes: Uint8Array }
  | { readonly kind: "none" };

export interface SignalInfo {
  readonly signo: number;
  readonly errno: number;
  readonly code: number;
  readonly detail: SignalDetail;
}

export function encodeSiginfo(info: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(SIGINFO_BYTES);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, info.signo, true);
  view.setInt32(4, info.errno, true);
  view.setInt32(8, info.code, true);
  const detail = info.detail;
  switch (detail.kind) {
    case "kill":
      view.setInt32(16, detail.pid, true);
      view.setUint32(20, detail.uid, true);
      break;
    case "queue":
      view.setInt32(16, detail.pid, true);
      view.setUint32(20, detail.uid, true);
      view.setBigUint64(24, BigInt.asUintN(64, detail.value), true);
      break;
    case "timer":
      view.setInt32(16, detail.timer, true);
      view.setInt32(20, detail.overrun, true);
      view.setBigUint64(24, BigInt.asUintN(64, detail.value), true);
      break;
    case "fault":
      view.setBigUint64(16, BigInt.asUintN(64, detail.address), true);
      if (detail.pkey !== undefined) view.setUint32(32, detail.pkey, true);
      if (detail.shift !== undefined) view.setInt16(24, detail.shift, true);
      break;
    case "child":
      view.setInt32(16, detail.pid, true);
      view.setUint32(20, detail.uid, true);
      view.setInt32(24, detail.status, true);
      view.setBigInt64(32, BigInt(detail.utime), true);
      view.setBigInt64(40, BigInt(detail.stime), true);
      break;
    case "call":
      view.setBigUint64(16, detail.address, true);
      view.setInt32(24, detail.number, true);
      view.setUint32(28, detail.architecture, true);
      break;
    case "raw":
      bytes.set(detail.bytes.subarray(0, SIGINFO_BYTES - 12), 12);
      break;
    case "none":
      break;
  }
  return bytes;
}

/** What a program handed to rt_sigqueueinfo; the number is the call's argument, not the record's. */
export function decodeSiginfo(signo: number, bytes: Uint8Array): SignalInfo {
  const view = new DataView(bytes.buffer, bytes.byteOffset, SIGINFO_BYTES);
  const errno = view.getInt32(4, true);
  const code = view.getInt32(8, true);
  const tail = bytes.subarray(12, SIGINFO_BYTES);
  const plainQueue = code === SI_QUEUE && tail.subarray(20).every((byte) => byte === 0);
  const detail: SignalDetail = plainQueue
    ? {
        kind: "queue",
        pid: view.getInt32(16, true),
        uid: view.getUint32(20, true),
        value: view.getBigUint64(24, true),
      }
    : { kind: "raw", bytes: tail.slice() };
  return { signo, errno, code, detail };
}

const GENERIC_CODES: Readonly<Record<number, string>> = {
  [SI_USER]: "SI_USER",
  [SI_KERNEL]: "SI_KERNEL",
  [SI_QUEUE]: "SI_QUEUE",
  [SI_TIMER]: "SI_TIMER",
  [-3]: "SI_MESGQ",
  [-4]: "SI_ASYNCIO",
  [-5]: "SI_SIGIO",
  [SI_TKILL]: "SI_TKILL",
};
const CODES: Readonly<Record<number, readonly string[]>> = {
  4: [
    "ILL_ILLOPC",
    "ILL_ILLOPN",
    "ILL_ILLADR",
    "ILL_ILLTRP",
    "ILL_PRVOPC",
    "ILL_PRVREG",
    "ILL_COPROC",
    "ILL_BADSTK",
  ],
  5: ["TRAP_BRKPT", "TRAP_TRACE", "TRAP_BRANCH", "TRAP_HWBKPT", "TRAP_UNK"],
  7: ["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR", "BUS_MCEERR_AR", "BUS_MCEERR_AO"],
  8: [
    "FPE_INTDIV",
    "FPE_INTOVF",
    "FPE_FLTDIV",
    "FPE_FLTOVF",
    "FPE_FLTUND",
    "FPE_FLTRES",
    "FPE_FLTINV",
    "FPE_FLTSUB",
  ],
  11: ["SEGV_MAPERR", "SEGV_ACCERR", "SEGV_BNDERR", "SEGV_PKUERR"],
  31: ["SYS_SECCOMP", "SYS_USER_DISPATCH"],
  17: ["CLD_EXITED", "CLD_KILLED", "CLD_DUMPED", "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"],
};

/** "SEGV_PKUERR", "SI_USER"; the number where there is no name. */
export function signalCodeName(signal: number, code: number): string {
  return GENERIC_CODES[code] ?? CODES[signal]?.[code - 1] ?? String(code);
}
