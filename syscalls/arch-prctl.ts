/** arch_prctl(2) (arch/x86/kernel/process_64.c). */

import { FS, GS } from "../cpu/segments.js";
import { EFAULT, EINVAL, ENODEV, EPERM } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { setBase } from "../kernel/segments/base.js";
import { address, choice, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

export const ARCH_SET_GS = 0x1001;
export const ARCH_SET_FS = 0x1002;
export const ARCH_GET_FS = 0x1003;
export const ARCH_GET_GS = 0x1004;
const ARCH_GET_CPUID = 0x1011;
const ARCH_SET_CPUID = 0x1012;
const ARCH_GET_XCOMP_SUPP = 0x1021;
const ARCH_GET_XCOMP_PERM = 0x1022;
const ARCH_CODES = names("ARCH_???", {
  ARCH_SET_GS,
  ARCH_SET_FS,
  ARCH_GET_FS,
  ARCH_GET_GS,
  ARCH_GET_CPUID,
  ARCH_SET_CPUID,
  ARCH_GET_XCOMP_SUPP,
  ARCH_GET_XCOMP_PERM,
  ARCH_REQ_XCOMP_PERM: 0x1023,
  ARCH_CET_STATUS: 0x3001,
});

function archPrctl(call: SyscallCall): HandlerResult {
  const { registers } = call.kernel.cpu;
  switch (call.i32(0)) {
    case ARCH_SET_FS: {
      const base = call.n(1);
      if (base >= TASK_SIZE) return -EPERM;
      setBase(call.kernel.cpu, FS, base);
      return 0;
    }
    case ARCH_SET_GS: {
      const base = call.n(1);
      if (base >= TASK_SIZE) return -EPERM;
      setBase(call.kernel.cpu, GS, base);
      return 0;
    }
    case ARCH_GET_FS:
      return call.user.writeU64(call.word(1), baseBits(registers.fsBase)) ? 0 : -EFAULT;
    case ARCH_GET_GS:
      return call.user.writeU64(call.word(1), baseBits(registers.gsBase)) ? 0 : -EFAULT;
    case ARCH_GET_CPUID:
      return 1;
    case ARCH_SET_CPUID:
      // CPUID faulting is not announced by any CPU model.
      return -ENODEV;
    case ARCH_GET_XCOMP_SUPP:
    case ARCH_GET_XCOMP_PERM:
      return call.user.writeU64(call.word(1), call.kernel.pku ? 0x203 : 3) ? 0 : -EFAULT;
    default:
      return -EINVAL;
  }
}

/** WRFSBASE may have put a kernel-half address there, which the CPU gives as a negative number. */
const baseBits = (base: number): bigint => BigInt.asUintN(64, BigInt(base));

export const archPrctlSyscalls: readonly Definition[] = [
  define({
    number: 158,
    name: "arch_prctl",
    args: [choice("code", ARCH_CODES), address("addr")],
    handler: archPrctl,
  }),
];
