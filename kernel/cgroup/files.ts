/* The files of a control group, as cgroup-v2.rst describes them. */

import { PAGE_SIZE } from "../../mmu/layout.js";
import { EINVAL, ERANGE } from "../errno.js";
import { file, type Children, type Node } from "../fs/procfs/file-system.js";
import type { Kernel } from "../kernel.js";
import { killBeyondLimit } from "./kill.js";
import { SIGKILL } from "../signals/numbers.js";
import { kernelSignal, sendSignal } from "../signals/send.js";
import { CONTROLLERS, limitText, type ControlGroup, type MemoryEvents } from "./control-group.js";
import { memoryStat } from "./memory-stat.js";

const SUFFIXES = "KMGTPE";

/** Bytes with a suffix, or "max", as pages (page_counter_memparse); -EINVAL. */
function parsePages(text: string): number {
  const value = text.trim();
  if (value === "max") return Infinity;
  const match = /^(0[xX][0-9a-fA-F]+|\d+)([KMGTPEkmgtpe]?)$/.exec(value);
  if (match === null) return -EINVAL;
  const scale = match[2] === "" ? 0 : SUFFIXES.indexOf(match[2].toUpperCase()) + 1;
  const pages = Math.floor((Number(match[1]) * 1024 ** scale) / PAGE_SIZE);
  return pages >= 2 ** 51 ? Infinity : pages;
}

function writable(content: () => string, write: (text: string) => number): Node {
  return { kind: "file", mode: 0o644, content, write };
}

function limit(read: () => number, set: (pages: number) => void): Node {
  return writable(
    () => limitText(read()),
    (text) => {
      const pages = parsePages(text);
      if (pages < 0) return pages;
      set(pages);
      return 0;
    },
  );
}

/** The names on one line; nothing at all where there is none (cgroup_print_ss_mask). */
const line = (names: readonly string[]): string => (names.length === 0 ? "" : `${names.join(" ")}\n`);

const bytes = (pages: number): string => `${pages * PAGE_SIZE}\n`;

function eventsText(events: MemoryEvents): string {
  return Object.entries(events)
    .map(([name, count]) => `${name} ${count}\n`)
    .join("");
}

/** What a directory of the hierarchy holds, and what mkdir and rmdir do in it. */
export function groupDirectory(kernel: Kernel, group: ControlGroup): Extract<Node, { kind: "directory" }> {
  const { cgroups } = kernel;
  const children = (): Children => {
    const nodes = new Map(Object.entries(groupFiles(kernel, group)));
    for (const [name, child] of group.children) nodes.set(name, groupDirectory(kernel, child));
    return nodes;
  };
  return {
    kind: "directory",
    mode: 0o755,
    links: () => 2 + group.children.size,
    children,
    make: (name) => cgroups.make(group, name),
    remove: (name) => cgroups.remove(group, name),
  };
}

function groupFiles(kernel: Kernel, group: ControlGroup): Record<string, Node> {
  const { cgroups } = kernel;
  const available = CONTROLLERS.filter((each) => group.has(each));
  const enabled = (): string => line(CONTROLLERS.filter((each) => group.subtree.has(each)));
  const nodes: Record<string, Node> = {
    "cgroup.controllers": file(() => line(available)),
    "cgroup.procs": writable(
      () =>
        cgroups
          .processesOf(group)
          .filter(({ zombie }) => !zombie)
          .map(({ pid }) => `${pid}\n`)
          .join(""),
      (text) => cgroups.move(group, text),
    ),
    "cgroup.stat": file(() => `nr_descendants ${descendants(group)}\nnr_dying_descendants 0\n`),
    "cgroup.subtree_control": writable(enabled, (text) => cgroups.control(group, text)),
    "cgroup.threads": file(() =>
      cgroups
        .processesOf(group)
        .flatMap(({ tasks }) => tasks.map(({ tid }) => `${tid}\n`))
        .join(""),
    ),
  };
  if (group.parent === null) return nodes;
  nodes["cgroup.events"] = file(() => `populated ${cgroups.isPopulated(group) ? 1 : 0}\nfrozen 0\n`);
  nodes["cgroup.kill"] = {
    kind: "file",
    mode: 0o200,
    content: () => -EINVAL,
    write: (text) =>
      text.trim() === "1" ? killAll(kernel, group) : /^-?\d+$/.test(text.trim()) ? -ERANGE : -EINVAL,
  };
  nodes["cgroup.type"] = file(() => "domain\n");
  if (group.has("memory")) Object.assign(nodes, memoryFiles(kernel, group));
  if (group.has("pids")) Object.assign(nodes, pidsFiles(kernel, group));
  return nodes;
}

function descendants(group: ControlGroup): number {
  let count = 0;
  for (const child of group.children.values()) count += 1 + descendants(child);
  return count;
}

function killAll(kernel: Kernel, group: ControlGroup): number {
  for (const process of [...kernel.processes.values()]) {
    const task = process.tasks[0];
    if (task !== undefined && kernel.cgroups.groupOf(process).isWithin(group))
      sendSignal(task, kernelSignal(SIGKILL), true);
  }
  return 0;
}

function memoryFiles(kernel: Kernel, group: ControlGroup): Record<string, Node> {
  const shrink = (to: number): void => {
    const charges = kernel.cgroups.charges;
    if (charges !== null && group.usage > to) charges.reclaim(group, group.usage - to);
  };
  return {
    "memory.current": file(() => bytes(group.usage)),
    "memory.events": file(() => eventsText(group.events)),
    "memory.events.local": file(() => eventsText(group.localEvents)),
    "memory.high": limit(
      () => group.high,
      (pages) => shrink((group.high = pages)),
    ),
    "memory.low": limit(
      () => group.low,
      (pages) => void (group.low = pages),
    ),
    "memory.max": limit(
      () => group.max,
      (pages) => {
        shrink((group.max = pages));
        killBeyondLimit(kernel, group);
      },
    ),
    "memory.min": limit(
      () => group.min,
      (pages) => void (group.min = pages),
    ),
    "memory.oom.group": writable(
      () => (group.oomGroup ? "1\n" : "0\n"),
      (text) => {
        if (!/^[01]$/.test(text.trim())) return -EINVAL;
        group.oomGroup = text.trim() === "1";
        return 0;
      },
    ),
    "memory.peak": file(() => bytes(group.peak)),
    "memory.stat": file(() => memoryStat(kernel, group)),
    "memory.swap.current": file(() => "0\n"),
    "memory.swap.events": file(() => "high 0\nmax 0\nfail 0\n"),
    "memory.swap.high": limit(
      () => group.swapHigh,
      (pages) => void (group.swapHigh = pages),
    ),
    "memory.swap.max": limit(
      () => group.swapMax,
      (pages) => void (group.swapMax = pages),
    ),
    "memory.swap.peak": file(() => "0\n"),
  };
}

function pidsFiles(kernel: Kernel, group: ControlGroup): Record<string, Node> {
  return {
    "pids.current": file(() => `${kernel.cgroups.tasksWithin(group)}\n`),
    "pids.events": file(() => `max ${group.pidsRefused}\n`),
    "pids.max": writable(
      () => (group.pidsMax === Infinity ? "max\n" : `${group.pidsMax}\n`),
      (text) => {
        const value = text.trim();
        if (value !== "max" && !/^\d{1,7}$/.test(value)) return -EINVAL;
        group.pidsMax = value === "max" ? Infinity : Number(value);
        return 0;
      },
    ),
    "pids.peak": file(() => `${group.pidsPeak}\n`),
  };
}
