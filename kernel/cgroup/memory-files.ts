/* memory.*: the memory controller's files (cgroup-v2.rst, "Memory Interface Files"). */

import { PAGE_SIZE } from "../../mmu/layout.js";
import { EAGAIN, EINVAL } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { ControlGroup } from "./control-group.js";
import { flatKeys, memoryLimit, parseBytes, parseSwitch, type FileRules } from "./file-rules.js";
import type { GroupFile } from "./group-file.js";
import { killBeyondLimit } from "./kill.js";
import { memoryNumaStat, memoryStat } from "./memory-stat.js";

const bytes = (pages: number): string => `${pages * PAGE_SIZE}\n`;

function shrink(kernel: Kernel, group: ControlGroup, to: number): void {
  if (group.usage > to) kernel.cgroups.charges?.reclaim(group, group.usage - to);
}

/** The root has these too. */
export const MEMORY_FILES: Readonly<Record<string, FileRules>> = {
  "memory.numa_stat": { read: ({ kernel, group }) => memoryNumaStat(kernel, group) },
  "memory.reclaim": { mode: 0o200, write: reclaim },
  "memory.stat": { read: ({ kernel, group }) => memoryStat(kernel, group) },
};

export const MEMORY_FILES_BELOW: Readonly<Record<string, FileRules>> = {
  "memory.current": { read: ({ group }) => bytes(group.usage) },
  "memory.events": { read: ({ group }) => flatKeys({ ...group.events }) },
  "memory.events.local": { read: ({ group }) => flatKeys({ ...group.localEvents }) },
  "memory.high": memoryLimit(
    (group) => group.high,
    ({ kernel, group }, pages) => shrink(kernel, group, (group.high = pages)),
  ),
  "memory.low": memoryLimit(
    (group) => group.low,
    ({ group }, pages) => (group.low = pages),
  ),
  "memory.max": memoryLimit(
    (group) => group.max,
    ({ kernel, group }, pages) => {
      shrink(kernel, group, (group.max = pages));
      if (group.usage > pages) killBeyondLimit(kernel, group);
    },
  ),
  "memory.min": memoryLimit(
    (group) => group.min,
    ({ group }, pages) => (group.min = pages),
  ),
  "memory.oom.group": {
    read: ({ group }) => (group.oomGroup ? "1\n" : "0\n"),
    write: ({ group }, text) => {
      const value = parseSwitch(text, -EINVAL);
      if (value < 0) return value;
      group.oomGroup = value === 1;
      return 0;
    },
  },
  "memory.peak": peak(
    (group) => group.peak,
    ({ peaks, usage }) => ({ peaks, usage }),
  ),
  "memory.swap.current": { read: ({ group }) => bytes(group.swapUsage) },
  "memory.swap.events": { read: ({ group }) => flatKeys({ ...group.swapEvents }) },
  "memory.swap.high": memoryLimit(
    (group) => group.swapHigh,
    ({ group }, pages) => (group.swapHigh = pages),
  ),
  "memory.swap.max": memoryLimit(
    (group) => group.swapMax,
    ({ group }, pages) => (group.swapMax = pages),
  ),
  "memory.swap.peak": peak(
    (group) => group.swapPeak,
    ({ swapPeaks, swapUsage }) => ({ peaks: swapPeaks, usage: swapUsage }),
  ),
};

/** After a write of whatever the open file tells of the peak since then (6.12; peak_write). */
function peak(
  most: (group: ControlGroup) => number,
  now: (group: ControlGroup) => { peaks: Set<{ pages: number }>; usage: number },
): FileRules {
  return {
    read: ({ group, ownPeak }) => bytes(ownPeak?.pages ?? most(group)),
    write: (file) => {
      const { peaks, usage } = now(file.group);
      if (file.ownPeak === null) peaks.add((file.ownPeak = { pages: usage }));
      else file.ownPeak.pages = usage;
      return 0;
    },
  };
}

/** "1G swappiness=60": as much as that is taken back; -EAGAIN where not all of it was (memory_reclaim). */
function reclaim({ kernel, group }: GroupFile, text: string): number {
  const [amount = "", ...options] = text.trim().split(/\s+/);
  const pages = parseBytes(amount);
  if (pages === null || pages >= 2 ** 51) return -EINVAL;
  for (const option of options) {
    const match = /^swappiness=(\d{1,3})$/.exec(option);
    if (match === null || Number(match[1]) > 200) return -EINVAL;
  }
  const { charges } = kernel.cgroups;
  return (charges?.reclaim(group, pages) ?? 0) >= pages ? 0 : -EAGAIN;
}
