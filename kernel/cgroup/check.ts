import type { PageFrame } from "../../mmu/types.js";
import type { Kernel } from "../kernel.js";
import { ControlGroup } from "./control-group.js";

/**
 * Groups against tasks, and charges against frames: each group's usage is what is charged to it and below, and nothing is charged for a frame
 * that nobody holds.
 * @returns a line for each contradiction; empty when all is well
 */
export function checkGroups(kernel: Kernel): string[] {
  return [...checkMembers(kernel), ...checkCharges(kernel)];
}

function checkMembers({ cgroups, tasks }: Kernel): string[] {
  const wrong: string[] = [];
  const alive = [...tasks.values()].filter(({ state }) => state !== "dead");
  for (const group of cgroups.root.withDescendants()) {
    if (group.parent === null) continue;
    const within = alive.filter((task) => task.group?.isWithin(group) === true);
    const own = within.filter((task) => task.group === group).length;
    const frozen = within.filter((task) => task.frozen).length;
    const counted = [group.live, group.ownLive, group.frozenTasks];
    if (counted.join() !== [within.length, own, frozen].join())
      wrong.push(
        `group ${group.path}: ${within.length}, ${own}, ${frozen} tasks, but ${counted.join()} counted`,
      );
  }
  return wrong;
}

function checkCharges({ cgroups, frames }: Kernel): string[] {
  const { charges, root } = cgroups;
  const wrong: string[] = [];
  if (frames.charging.by !== charges) wrong.push("frames are not charged to the machine's control groups");
  if (charges === null) return wrong;
  const found = new Map<ControlGroup, number>();
  const number = charges.groups.length;
  for (let frame: PageFrame = 2; frame < number; frame++) {
    const charged = charges.groups[frame];
    if (charged === 0) continue;
    const group = charges.charged.get(charged);
    if (group === undefined) wrong.push(`frame ${frame} is charged to group ${charged}, which is not known`);
    if (frames.references(frame) === 0) wrong.push(`frame ${frame} is charged, but free`);
    for (let at = group ?? null; at !== null; at = at.parent) found.set(at, (found.get(at) ?? 0) + 1);
  }
  const swapped = new Map<ControlGroup, number>();
  for (const group of charges.swapped.values())
    for (let at: ControlGroup | null = group; at !== null; at = at.parent)
      swapped.set(at, (swapped.get(at) ?? 0) + 1);
  const check = (group: ControlGroup): void => {
    const places = swapped.get(group) ?? 0;
    if (group.swapUsage !== places)
      wrong.push(`group ${group.path}: ${group.swapUsage} pages in swap, but ${places} places charged`);
    const pages = found.get(group) ?? 0;
    if (group.usage !== pages)
      wrong.push(`group ${group.path}: usage ${group.usage}, but ${pages} pages charged`);
    for (const child of group.children.values()) check(child);
  };
  check(root);
  for (const group of charges.charged.values()) if (group.removed) check(group);
  return wrong;
}
