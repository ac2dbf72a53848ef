/** Where a call's arguments are. */

import type { ProcessorRegisters } from "./processor.js";
import type { Task } from "./task.js";

/** RDI, RSI, RDX, R10, R8, R9. */
const ARGUMENTS = [7, 6, 2, 10, 8, 9];
/** EBX, ECX, EDX, ESI, EDI, EBP. */
export const IA32_ARGUMENTS: readonly number[] = [3, 1, 2, 6, 7, 5];

/** What the task's present call was given, unsigned. */
export function argumentsOf(registers: ProcessorRegisters, { ia32Call }: Task): bigint[] {
  return ia32Call
    ? IA32_ARGUMENTS.map((register) => BigInt(registers.low(register) >>> 0))
    : ARGUMENTS.map((register) => BigInt.asUintN(64, registers.get(register)));
}
