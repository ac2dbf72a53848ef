import type { Kernel } from "../../kernel.js";
import { directory, file, link, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { nodeHugePagePools } from "./huge-page-files.js";
import { memInfo } from "./machine-files.js";

/** The lines of /proc/meminfo that a node's meminfo has too; MemUsed comes behind MemFree. */
const FIGURES: readonly string[] = [
  "MemTotal",
  "MemFree",
  "MemUsed",
  "SwapCached",
  "Active",
  "Inactive",
  "Active(anon)",
  "Inactive(anon)",
  "Active(file)",
  "Inactive(file)",
  "Unevictable",
  "Mlocked",
  "Dirty",
  "Writeback",
  "FilePages",
  "Mapped",
  "AnonPages",
  "Shmem",
  "KernelStack",
  "PageTables",
  "NFS_Unstable",
  "Bounce",
  "WritebackTmp",
  "KReclaimable",
  "Slab",
  "SReclaimable",
  "SUnreclaim",
];

/** /sys/devices/system/node: one node, number 0, which has all the memory and the processor. */
export function memoryNodes(kernel: Kernel): Record<string, Node> {
  const one = (): Node => text("0\n");
  return {
    has_cpu: one(),
    has_memory: one(),
    has_normal_memory: one(),
    node0: directory(() => ({
      cpu0: link("../../cpu/cpu0"),
      cpulist: one(),
      cpumap: text("1\n"),
      distance: text("10\n"),
      hugepages: directory(() => nodeHugePagePools(kernel)),
      meminfo: file(() => nodeMeminfo(memInfo(kernel))),
      numastat: file(numaStatistics),
    })),
    online: one(),
    possible: one(),
  };
}

/** node0/meminfo (node_read_meminfo), from what /proc/meminfo says: all memory is this node's. */
function nodeMeminfo(machine: string): string {
  const amounts = new Map<string, number>();
  for (const [, name, amount] of machine.matchAll(/^(\S+):\s+(\d+)/gm)) amounts.set(name!, Number(amount));
  const figure = (name: string): number => amounts.get(name) ?? 0;
  amounts.set("MemUsed", figure("MemTotal") - figure("MemFree"));
  amounts.set("FilePages", figure("Cached") + figure("Buffers"));
  const line = (name: string, unit: string): string =>
    `Node 0 ${`${name}:`.padEnd(16)}${`${figure(name)}`.padStart(8)}${unit}\n`;
  const hugePages = ["HugePages_Total", "HugePages_Free", "HugePages_Surp"];
  return (
    FIGURES.map((name) => line(name, " kB")).join("") +
    hugePages.map((name) => `Node 0 ${name}: ${`${figure(name)}`.padStart(5)}\n`).join("")
  );
}

/** No page was ever wanted from another node; how many were had is not counted. */
function numaStatistics(): string {
  const names = ["numa_hit", "numa_miss", "numa_foreign", "interleave_hit", "local_node", "other_node"];
  return names.map((name) => `${name} 0\n`).join("");
}
