/** PTRACE_GET_SYSCALL_INFO (ptrace_get_syscall_info in kernel/ptrace.c). */

import { IA32_ARGUMENTS } from "../kernel/call-arguments.js";
import { EFAULT } from "../kernel/errno.js";
import { RSP } from "../kernel/processor.js";
import { withRegisters } from "../kernel/ptrace/registers.js";
import { PTRACE_EVENT_SECCOMP } from "../kernel/ptrace/tracing.js";
import type { Task } from "../kernel/task.js";
import { ARGUMENT_REGISTERS, type SyscallCall } from "./call.js";
import { writeBytes } from "./structs.js";

const AUDIT_ARCH_X86_64 = 0xc000_003e;
const AUDIT_ARCH_I386 = 0x4000_0003;
/** si_code of a syscall-stop under PTRACE_O_TRACESYSGOOD: SIGTRAP and 0x80. */
const SYSCALL_STOP = 0x85;
const INFO_NONE = 0;
const INFO_ENTRY = 1;
const INFO_EXIT = 2;
const INFO_SECCOMP = 3;
const SECCOMP_STOP = 5 | (PTRACE_EVENT_SECCOMP << 8);
/** Bytes of struct ptrace_syscall_info up to the end of what each kind has. */
const INFO_BYTES = { [INFO_NONE]: 24, [INFO_ENTRY]: 80, [INFO_EXIT]: 33, [INFO_SECCOMP]: 84 } as const;

/** struct ptrace_syscall_info, as much of it as there is room for; the size of the whole. */
export function syscallInfo(call: SyscallCall, target: Task): number {
  const { kernel } = call;
  const { stop } = target.tracing!;
  // Only PTRACE_O_TRACESYSGOOD tells a syscall-stop from others (ptrace_get_syscall_info_op).
  const told = stop!.info.code === SYSCALL_STOP;
  const kind =
    told && stop!.kind === "entry"
      ? INFO_ENTRY
      : told && stop!.kind === "exit"
        ? INFO_EXIT
        : stop!.info.code === SECCOMP_STOP
          ? INFO_SECCOMP
          : INFO_NONE;
  const bytes = new Uint8Array(INFO_BYTES[INFO_SECCOMP]);
  const view = new DataView(bytes.buffer);
  withRegisters(kernel, target, () => {
    const { registers } = kernel.cpu;
    const word = (register: number): bigint => BigInt.asUintN(64, registers.get(register));
    view.setUint8(0, kind);
    const { ia32Call } = target;
    view.setUint32(4, ia32Call ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64, true);
    view.setBigUint64(8, BigInt.asUintN(64, registers.ripBig), true);
    view.setBigUint64(16, word(RSP), true);
    if (kind === INFO_SECCOMP) view.setUint32(80, target.tracing!.eventMessage, true);
    if (kind === INFO_ENTRY || kind === INFO_SECCOMP) {
      view.setBigUint64(24, BigInt(target.originalRaxLow >>> 0), true);
      (ia32Call ? IA32_ARGUMENTS : ARGUMENT_REGISTERS).forEach((register, i) =>
        view.setBigUint64(32 + 8 * i, ia32Call ? BigInt.asUintN(32, word(register)) : word(register), true),
      );
    } else if (kind === INFO_EXIT) {
      const result = BigInt.asIntN(64, word(0));
      view.setBigInt64(24, result, true);
      view.setUint8(32, result < 0n && result >= -4095n ? 1 : 0);
    }
  });
  const size = INFO_BYTES[kind];
  const copied = Math.min(call.n(2), size);
  return writeBytes(call.user, call.word(3), bytes.subarray(0, copied)) === 0 ? size : -EFAULT;
}
