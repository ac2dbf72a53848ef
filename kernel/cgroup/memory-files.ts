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
      killBeyondLimit(kernel, group);
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
  "memory.peak": { read: readPeak, write: resetPeak },
  "memory.swap.current": { read: () => "0\n" },
  "memory.swap.events": { read: () => flatKeys({ high: 0, max: 0, fail: 0 }) },
  "memory.swap.high": memoryLimit(
    (group) => group.swapHigh,
    ({ group }, pages) => (group.swapHigh = pages),
  ),
  "memory.swap.max": memoryLimit(
    (group) => group.swapMax,
    ({ group }, pages) => (group.swapMax = pages),
  ),
  "memory.swap.peak": { read: () => "0\n" },
};

function readPeak({ group, ownPeak }: GroupFile): string {
  return bytes(ownPeak?.pages ?? group.peak);
}

/** Whatever is written: from now on this open file tells of the peak since (6.12; memory_peak_write). */
function resetPeak(file: GroupFile): number {
  const { group } = file;
  if (file.ownPeak === null) group.peaks.add((file.ownPeak = { pages: group.usage }));
  else file.ownPeak.pages = group.usage;
  return 0;
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
