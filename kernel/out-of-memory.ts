import { killBeyondLimit } from "./cgroup/kill.js";
import type { Kernel } from "./kernel.js";
import type { AddressSpace } from "./mm/address-space.js";
import { outOfMemory } from "./mm/oom.js";
import { oomMachine } from "./oom-machine.js";

/**
 * No frame is left for an access to this address space, or a control group is beyond its limit: kills whom
 * `outOfMemory` chooses.
 * @returns true when the access can be repeated
 */
export function killForMemory(kernel: Kernel, mm: AddressSpace): boolean {
  const { frames } = kernel;
  const group = kernel.cgroups.takeOverLimit();
  if (group !== null) return killBeyondLimit(kernel, group, mm);
  return outOfMemory(oomMachine(kernel, null), mm, {
    totalPages: frames.total,
    enough: () => frames.free > 0,
  });
}
