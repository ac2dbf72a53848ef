import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import { outOfMemory } from "../mm/oom.js";
import { oomMachine } from "../oom-machine.js";
import type { ControlGroup } from "./control-group.js";

/**
 * A group's OOM killer (mem_cgroup_out_of_memory): ends processes of the group until it is below its limit.
 * @param mm the address space whose access met the limit, if one did
 * @returns false when a process of `mm` is among those that go
 */
export function killBeyondLimit(
  kernel: Kernel,
  group: ControlGroup,
  mm: AddressSpace | null = null,
): boolean {
  if (group.usage < group.max) return true;
  group.count("oom");
  return outOfMemory(oomMachine(kernel, group), mm, {
    totalPages: Math.min(group.max, kernel.frames.total),
    enough: () => group.usage < group.max,
  });
}
