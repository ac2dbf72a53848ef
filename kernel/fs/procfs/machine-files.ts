import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import type { CpuModel } from "../../../cpu/models.js";
import { CONTROLLERS } from "../../cgroup/control-group.js";
import { descendantsOf } from "../../cgroup/control-groups.js";
import type { Kernel } from "../../kernel.js";
import { commitLimit } from "../../mm/accounting.js";
import type { AddressSpace } from "../../mm/address-space.js";
import { anonymousHugePages, mappedBlocks, sharedBlocks } from "../../mm/huge/count.js";
import { formatMessageQueues, formatSemaphores, formatSharedMemory } from "../../ipc/proc-ipc.js";
import { socketCountsText, unixSocketsText } from "../../net/proc-text.js";
import { fileSystemsTable } from "../types/registry.js";
import { framesFile } from "./frames-file.js";
import { partitionsTable } from "./block-files.js";
import { hugePageCounts } from "./huge-page-files.js";
import { directory, file, link, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { kernelConfigFile } from "./kernel-config.js";
import { formatSwaps } from "./swaps.js";
import { sysctls } from "./sysctls.js";

/** /proc's files about the machine as a whole. */
export function machineFiles(kernel: Kernel): Record<string, Node> {
  const up = (): number => kernel.clock.monotonic() / 1e9;
  return {
    cgroups: file(() => controllersTable(kernel)),
    cmdline: text("sealab\n"),
    "config.gz": file(() => kernelConfigFile(kernel)),
    cpuinfo: file(() => cpuInfo(kernel)),
    devices: text(
      "Character devices:\n  1 mem\n  5 /dev/tty\n 10 misc\n136 pts\n\nBlock devices:\n  7 loop\n",
    ),
    filesystems: file(fileSystemsTable),
    kpagecount: framesFile("count", kernel),
    kpageflags: framesFile("flags", kernel),
    loadavg: file(() => loadText(kernel)),
    meminfo: file(() => memInfo(kernel)),
    mounts: link("self/mounts"),
    net: directory(() => ({
      sockstat: file(() => socketCountsText(kernel.network)),
      unix: file(() => unixSocketsText(kernel.network)),
    })),
    partitions: file(() => partitionsTable(kernel)),
    stat: file(() => statFile(kernel)),
    swaps: file(() => formatSwaps(kernel.swap)),
    sysvipc: directory(() => ({
      msg: file(() => formatMessageQueues(kernel.ipc)),
      sem: file(() => formatSemaphores(kernel.ipc)),
      shm: file(() => formatSharedMemory(kernel.ipc)),
    })),
    sys: directory(() => sysctls(kernel)),
    uptime: file(() => `${hundredths(up())} ${hundredths(idle(kernel))}\n`),
    vmstat: file(() => vmStat(kernel)),
    version: file(() => {
      const { sysname, release, version } = kernel.release;
      return `${sysname} version ${release} (sealab) ${version}\n`;
    }),
  };
}

/** The controllers; all are in the one hierarchy of version 2, whose number is 0. */
function controllersTable({ cgroups }: Kernel): string {
  const groups = descendantsOf(cgroups.root) + 1;
  const lines = CONTROLLERS.map((name) => `${name}\t0\t${groups}\t1\n`);
  return `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${lines.join("")}`;
}

function cpuInfo(kernel: Kernel): string {
  const { model } = kernel.cpu as unknown as { model?: CpuModel };
  const leaf = model?.cpuid(1, 0).eax ?? 0;
  const family = (leaf >>> 8) & 0xf;
  const lines: (readonly [string, string])[] = [
    ["processor\t", "0"],
    ["vendor_id\t", "GenuineIntel"],
    ["cpu family\t", `${family}`],
    ["model\t\t", `${((leaf >>> 4) & 0xf) | ((leaf >>> 12) & 0xf0)}`],
    ["model name\t", "sealab virtual CPU"],
    ["stepping\t", `${leaf & 0xf}`],
    ["cpu MHz\t\t", "1000.000"],
    ["physical id\t", "0"],
    ["siblings\t", "1"],
    ["core id\t\t", "0"],
    ["cpu cores\t", "1"],
    ["fpu\t\t", "yes"],
    ["fpu_exception\t", "yes"],
    ["cpuid level\t", `${model?.cpuid(0, 0).eax ?? 0}`],
    ["wp\t\t", "yes"],
    ["flags\t\t", (model?.flags ?? []).join(" ")],
    ["bugs\t\t", ""],
    ["bogomips\t", "2000.00"],
    ["clflush size\t", "64"],
    ["cache_alignment\t", "64"],
    ["address sizes\t", "32 bits physical, 48 bits virtual"],
    ["power management", ""],
  ];
  return `${lines.map(([name, value]) => `${name}: ${value}`).join("\n")}\n\n`;
}

/** No averages are kept: a machine that runs for seconds has none to speak of. */
function loadText(kernel: Kernel): string {
  const tasks = [...kernel.tasks.values()];
  const ready = tasks.filter(({ state }) => state === "ready").length;
  return `0.00 0.00 0.00 ${ready}/${tasks.length} ${kernel.pids.last}\n`;
}

/** Seconds with two digits, the rest cut off. */
function hundredths(seconds: number): string {
  return (Math.floor(seconds * 100) / 100).toFixed(2);
}

/** Seconds that the processor had nothing to do: time in which no instruction was retired. */
function idle(kernel: Kernel): number {
  return Math.max(0, kernel.clock.monotonic() - kernel.cpu.instructions) / 1e9;
}

/** /proc/meminfo (meminfo_proc_show). */
export function memInfo(kernel: Kernel): string {
  const { frames } = kernel;
  const spaces = new Set<AddressSpace>();
  for (const task of kernel.tasks.values()) if (task.state !== "dead") spaces.add(task.mm);
  const sum = (count: (mm: AddressSpace) => number): number =>
    [...spaces].reduce((total, mm) => total + count(mm), 0);
  const kib = (pages: number): number => pages * 4;
  const anonymous = sum((mm) => mm.anonPages);
  const tables = sum((mm) => mm.tables.tableFrames);
  const cached = Math.max(0, frames.inUse - anonymous - tables);
  const shown: (readonly [string, number | string])[] = [
    ["MemTotal", kib(frames.total)],
    ["MemFree", kib(frames.free)],
    ["MemAvailable", kib(frames.free)],
    ["Buffers", 0],
    ["Cached", kib(cached)],
    ["SwapCached", kib(kernel.swap.cachedPages)],
    ["Active", kib(anonymous + cached)],
    ["Inactive", 0],
    ["Active(anon)", kib(anonymous)],
    ["Inactive(anon)", 0],
    ["Active(file)", kib(cached)],
    ["Inactive(file)", 0],
    ["Unevictable", 0],
    ["Mlocked", kib(sum((mm) => mm.stats.lockedVm))],
    ["SwapTotal", kib(kernel.swap.total)],
    ["SwapFree", kib(kernel.swap.free)],
    ["Dirty", 0],
    ["Writeback", 0],
    ["AnonPages", kib(anonymous)],
    ["Mapped", kib(sum((mm) => mm.filePages))],
    ["Shmem", 0],
    ["KReclaimable", 0],
    ["Slab", 0],
    ["SReclaimable", 0],
    ["SUnreclaim", 0],
    ["KernelStack", 0],
    ["PageTables", kib(tables)],
    ["NFS_Unstable", 0],
    ["Bounce", 0],
    ["WritebackTmp", 0],
    ["CommitLimit", kib(commitLimit(kernel.mmSettings, frames.total, kernel.swap.total))],
    ["Committed_AS", kib(sum((mm) => mm.stats.committed))],
    ["VmallocTotal", 34359738367],
    ["VmallocUsed", 0],
    ["VmallocChunk", 0],
    ["AnonHugePages", kib(anonymousHugePages(spaces) * RUN_FRAMES)],
    ["ShmemHugePages", kib(sharedBlocks(frames.holders) * RUN_FRAMES)],
    ["ShmemPmdMapped", kib(mappedBlocks(spaces) * RUN_FRAMES)],
    ["FileHugePages", 0],
    ["FilePmdMapped", 0],
    ...hugePageCounts(kernel),
  ];
  const line = ([name, value]: readonly [string, number | string]): string =>
    `${`${name}:`.padEnd(16)}${`${value}`.padStart(8)}${name.startsWith("HugePages") ? "" : " kB"}\n`;
  return shown.map(line).join("");
}

function vmStat(kernel: Kernel): string {
  const faults = { minor: 0, major: 0 };
  for (const { usage, childrenUsage, leader } of kernel.processes.values()) {
    const { stats } = leader.mm;
    faults.minor += Math.max(stats.minorFaults, usage.minorFaults) + childrenUsage.minorFaults;
    faults.major += Math.max(stats.majorFaults, usage.majorFaults) + childrenUsage.majorFaults;
  }
  const lines: (readonly [string, number])[] = [
    ["nr_free_pages", kernel.frames.free],
    ["pgpgin", 0],
    ["pgpgout", 0],
    ["pswpin", kernel.swap.events.pswpin],
    ["pswpout", kernel.swap.events.pswpout],
    ["pgfault", faults.minor + faults.major],
    ["pgmajfault", faults.major],
    ...Object.entries(kernel.vmEvents),
  ];
  return lines.map(([name, value]) => `${name} ${value}\n`).join("");
}

function statFile(kernel: Kernel): string {
  const user = Math.floor(kernel.cpu.instructions / 1e7);
  const boot = kernel.clock.realtimeOrigin / 1_000_000_000n;
  const processor = `${user} 0 0 ${Math.floor(idle(kernel) * 100)} 0 0 0 0 0 0`;
  const ready = [...kernel.tasks.values()].filter(({ state }) => state === "ready").length;
  return [
    `cpu  ${processor}`,
    `cpu0 ${processor}`,
    "intr 0",
    `ctxt ${kernel.scheduler.switches}`,
    `btime ${boot}`,
    `processes ${kernel.pids.last}`,
    `procs_running ${ready}`,
    "procs_blocked 0",
    "softirq 0 0 0 0 0 0 0 0 0 0 0",
    "",
  ].join("\n");
}
