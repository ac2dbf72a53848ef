import type { CpuModel } from "../../../cpu/models.js";
import type { Kernel } from "../../kernel.js";
import { directory, file, link, text } from "./file-system.js";
import type { Node } from "./file-system.js";

/** /proc's files about the machine as a whole. */
export function machineFiles(kernel: Kernel): Record<string, Node> {
  const up = (): number => kernel.clock.monotonic() / 1e9;
  return {
    cmdline: text("sealab\n"),
    cpuinfo: file(() => cpuInfo(kernel)),
    devices: text("Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n"),
    filesystems: text("nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\toverlay\n"),
    loadavg: file(() => `0.00 0.00 0.00 1/${kernel.tasks.size} ${Math.max(...kernel.tasks.keys())}\n`),
    meminfo: file(() => memInfo(kernel)),
    mounts: link("self/mounts"),
    stat: file(() => statFile(kernel)),
    swaps: text("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
    sys: directory(() => sysctls(kernel)),
    uptime: file(() => `${up().toFixed(2)} 0.00\n`),
    version: file(() => {
      const { sysname, release, version } = kernel.release;
      return `${sysname} version ${release} (sealab) ${version}\n`;
    }),
  };
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

function memInfo(kernel: Kernel): string {
  const { frames } = kernel;
  const kib = (pages: number): number => pages * 4;
  const shown: (readonly [string, number])[] = [
    ["MemTotal", kib(frames.total)],
    ["MemFree", kib(frames.free)],
    ["MemAvailable", kib(frames.free)],
    ["Buffers", 0],
    ["Cached", 0],
    ["SwapCached", 0],
    ["Active", kib(frames.inUse)],
    ["Inactive", 0],
    ["SwapTotal", 0],
    ["SwapFree", 0],
    ["Dirty", 0],
    ["Writeback", 0],
    ["Shmem", 0],
    ["Slab", 0],
    ["CommitLimit", kib(Math.floor(frames.total / 2))],
    ["Committed_AS", kib(frames.inUse)],
    ["VmallocTotal", 34359738367],
    ["VmallocUsed", 0],
    ["HugePages_Total", 0],
    ["Hugepagesize", 2048],
  ];
  return shown
    .map(
      ([name, value]) =>
        `${`${name}:`.padEnd(16)}${`${value}`.padStart(8)}${name === "HugePages_Total" ? "" : " kB"}\n`,
    )
    .join("");
}

function statFile(kernel: Kernel): string {
  const ticks = Math.floor(kernel.clock.monotonic() / 1e7);
  const boot = kernel.clock.realtimeOrigin / 1_000_000_000n;
  const processor = `${ticks} 0 0 0 0 0 0 0 0 0`;
  return `cpu  ${processor}\ncpu0 ${processor}\nintr 0\nctxt 0\nbtime ${boot}\nprocesses ${kernel.tasks.size}\nprocs_running 1\nprocs_blocked 0\n`;
}

function sysctls(kernel: Kernel): Record<string, Node> {
  const { release } = kernel;
  const settings = () => kernel.current.mm.env.settings;
  return {
    fs: directory(() => ({
      "file-max": text("9223372036854775807\n"),
      nr_open: text("1048576\n"),
      "pipe-max-size": text("1048576\n"),
      protected_hardlinks: text("1\n"),
      protected_symlinks: text("1\n"),
    })),
    kernel: directory(() => ({
      cap_last_cap: text("40\n"),
      hostname: file(() => `${kernel.hostname}\n`),
      domainname: file(() => `${kernel.domainname}\n`),
      ngroups_max: text("65536\n"),
      osrelease: text(`${release.release}\n`),
      ostype: text(`${release.sysname}\n`),
      pid_max: text("4194304\n"),
      random: directory(() => ({ boot_id: text("5ea1ab00-0000-4000-8000-000000000001\n") })),
      randomize_va_space: text("0\n"),
      "threads-max": text("1024\n"),
      version: text(`${release.version}\n`),
    })),
    vm: directory(() => ({
      max_map_count: file(() => `${settings().maxMapCount}\n`),
      mmap_min_addr: file(() => `${settings().mmapMinAddr}\n`),
      nr_hugepages: text("0\n"),
      overcommit_memory: file(() => `${settings().overcommit}\n`),
      overcommit_ratio: text("50\n"),
      swappiness: text("60\n"),
    })),
  };
}

/** /sys: the little that C libraries and allocators look for. */
export function systemFiles(): Record<string, Node> {
  const cpu = (): Record<string, Node> => ({
    cpu0: directory(() => ({ online: text("1\n") })),
    online: text("0\n"),
    possible: text("0\n"),
    present: text("0\n"),
  });
  return {
    devices: directory(() => ({ system: directory(() => ({ cpu: directory(cpu) })) })),
    fs: directory(() => ({})),
    kernel: directory(() => ({
      mm: directory(() => ({
        transparent_hugepage: directory(() => ({
          defrag: text("always defer defer+madvise [madvise] never\n"),
          enabled: text("always madvise [never]\n"),
          hpage_pmd_size: text("2097152\n"),
          shmem_enabled: text("always within_size advise [never] deny force\n"),
        })),
      })),
    })),
  };
}
