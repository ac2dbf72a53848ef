/** uretprobe(2): what the trampoline of [uprobes] calls (arch/x86/kernel/uprobes.c). Nobody else may. */

import { ENOSYS } from "../kernel/errno.js";
import { RAX, RCX, RSP } from "../kernel/processor.js";
import { SIGILL } from "../kernel/signals/numbers.js";
import { forceSignal, kernelSignal } from "../kernel/signals/send.js";
import { NO_RESULT } from "../kernel/syscall-dispatch.js";
import { returnsThroughTrampoline } from "../kernel/uprobes/hit.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const R11 = 11;
/** R11, RCX and RAX, which the trampoline has pushed. */
const PUSHED_BYTES = 24;

/** SIGILL from anywhere else, and where no probed function has been entered. */
function uretprobe(call: SyscallCall): HandlerResult {
  const { kernel, task, user } = call;
  if (!kernel.release.rules.returnsByCall) return -ENOSYS;
  const { registers } = kernel.cpu;
  const { rip } = registers;
  const { uprobesArea } = task.mm;
  const no = (): HandlerResult => {
    forceSignal(task, kernelSignal(SIGILL));
    return -1;
  };
  if (uprobesArea === -1 || rip !== kernel.uprobes?.trampoline.callerOf(uprobesArea)) return no();
  const stack = registers.number(RSP);
  user.awaitReadable(stack, PUSHED_BYTES);
  const pushed = user.read(stack, PUSHED_BYTES);
  if (typeof pushed === "number") return no();
  const view = new DataView(pushed.buffer);
  const value = view.getBigUint64(16, true);
  // What was pushed is no part of the frame.
  registers.setNumber(RSP, stack + PUSHED_BYTES);
  const found = returnsThroughTrampoline(kernel, task);
  registers.setNumber(RSP, stack);
  const goesTo = BigInt.asUintN(64, registers.ripBig);
  registers.rip = rip;
  if (!found || !user.writeU64(stack + 16, goesTo)) return no();
  registers.set(RAX, value);
  registers.setNumber(RCX, rip);
  registers.setNumber(R11, registers.rflags);
  return NO_RESULT;
}

export const uretprobeSyscalls: readonly Definition[] = [
  define({ number: 335, name: "uretprobe", args: [], handler: uretprobe }),
];
