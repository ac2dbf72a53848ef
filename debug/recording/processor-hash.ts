import { GPR, XMM } from "../../cpu/state.js";
import type { Kernel } from "../../kernel/kernel.js";
import { hashBytes } from "./value.js";

const GENERAL_BYTES = 128;
const VECTOR_BYTES = 256;

/** Of who runs and what a program sees in its registers: general ones, RIP, flags, segment bases, PKRU, XMM. */
export function processorHash(kernel: Kernel): number {
  const { registers } = kernel.cpu;
  const { u8 } = kernel.memory;
  const others = Float64Array.of(
    kernel.current.tid,
    registers.rip,
    registers.rflags,
    registers.fsBase,
    registers.gsBase,
    registers.pkru,
  );
  const hash = hashBytes(u8.subarray(GPR, GPR + GENERAL_BYTES));
  return hashBytes(new Uint8Array(others.buffer), hashBytes(u8.subarray(XMM, XMM + VECTOR_BYTES), hash));
}
