import { FS, type GS } from "../../cpu/segments.js";
import type { Processor } from "../processor.js";

/**
 * The base of FS or GS with a null selector, as ARCH_SET_FS, ARCH_SET_GS and CLONE_SETTLS leave them
 * (arch/x86/kernel/process_64.c do_arch_prctl_64).
 */
export function setBase(cpu: Processor, segment: typeof FS | typeof GS, base: number): void {
  cpu.loadSegment(segment, 0);
  cpu.registers[segment === FS ? "fsBase" : "gsBase"] = base;
}
