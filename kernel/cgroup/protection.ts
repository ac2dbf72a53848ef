import type { ControlGroup } from "./control-group.js";

/** What of its memory a group keeps while a group around it, or the machine, is reclaimed, in pages. */
export interface Protection {
  readonly min: number;
  readonly low: number;
}

/**
 * How much of a group below `target` is protected: its own share of what its parent is, where siblings claim more than
 * that (mem_cgroup_calculate_protection, effective_protection; without memory_recursiveprot).
 */
export function protectionOf(group: ControlGroup, target: ControlGroup): Protection {
  const { parent } = group;
  if (group === target || parent === null) return { min: 0, low: 0 };
  if (parent === target) return { min: group.min, low: group.low };
  const above = protectionOf(parent, target);
  return { min: share(group, parent, "min", above.min), low: share(group, parent, "low", above.low) };
}

function share(group: ControlGroup, parent: ControlGroup, kind: "min" | "low", available: number): number {
  const claim = (each: ControlGroup): number => Math.min(each.usage, each[kind]);
  let claims = 0;
  for (const sibling of parent.children.values()) claims += claim(sibling);
  return claims > available ? (claim(group) * available) / claims : claim(group);
}
