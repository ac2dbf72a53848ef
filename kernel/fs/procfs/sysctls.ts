import { CORE_PATTERN, CORE_USES_PID } from "../../core/dump.js";
import { EINVAL } from "../../errno.js";
import { PID_MAX, RESERVED_PIDS } from "../../pid-allocator.js";
import type { Kernel } from "../../kernel.js";
import { MSGMAX, MSGMNB, MSGMNI } from "../../ipc/message-queues.js";
import { SEMMNI, SEMMNS, SEMMSL } from "../../ipc/semaphores.js";
import { ipcSettings } from "./ipc-settings.js";
import { seccompSettings } from "../../seccomp/settings.js";
import { UNPRIVILEGED_USERFAULTFD } from "../../userfault-copies.js";
import {
  MAX_SAMPLE_RATE,
  MAX_SAMPLE_RATE_DEFAULT,
  MAX_STACK,
  MAX_STACK_DEFAULT,
  PARANOID,
  PARANOID_DEFAULT,
} from "../../perf/uapi.js";
import { directory, file, text } from "./file-system.js";
import type { Node } from "./file-system.js";
import { hugePageSettings } from "./huge-page-files.js";
import { integerFile, rememberedInteger, trigger } from "./settings.js";

/** The most operations of a semop (sem.h). */
const SEMOPM = 500;

/** A random UUID, another at each reading (random(4)). */
function uuid(kernel: Kernel): string {
  const bytes = kernel.host.random(16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-") + "\n";
}

/** A name that who may administer the machine can write, as sethostname(2) does. */
function nameFile(kernel: Kernel, field: "hostname" | "domainname"): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${kernel[field]}\n`,
    write: (value) => {
      kernel[field] = value.replace(/[\0\n].*$/s, "").slice(0, 64);
      return 0;
    },
  };
}

/** A name for core files. A program to be fed with them is none that could be run here: EINVAL. */
function corePattern({ tunables }: Kernel): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${tunables.get(CORE_PATTERN) ?? "core"}\n`,
    write: (value) => {
      const pattern = value.replace(/[\0\n].*$/s, "").slice(0, 127);
      if (/^[|@]/.test(pattern)) return -EINVAL;
      tunables.set(CORE_PATTERN, pattern);
      return 0;
    },
  };
}

/** /proc/sys. */
export function sysctls(kernel: Kernel): Record<string, Node> {
  const { release } = kernel;
  return {
    fs: directory(() => ({
      "file-max": text("9223372036854775807\n"),
      nr_open: text("1048576\n"),
      "pipe-max-size": text("1048576\n"),
      protected_hardlinks: text("1\n"),
      protected_symlinks: text("1\n"),
      suid_dumpable: text("0\n"),
    })),
    kernel: directory(() => ({
      cap_last_cap: text("40\n"),
      core_pattern: corePattern(kernel),
      core_uses_pid: rememberedInteger(kernel.tunables, CORE_USES_PID, 0),
      io_uring_disabled: rememberedInteger(kernel.tunables, "kernel/io_uring_disabled", 0, 2),
      io_uring_group: rememberedInteger(kernel.tunables, "kernel/io_uring_group", -1),
      hostname: nameFile(kernel, "hostname"),
      domainname: nameFile(kernel, "domainname"),
      msgmax: text(`${MSGMAX}\n`),
      msgmnb: text(`${MSGMNB}\n`),
      msgmni: text(`${MSGMNI}\n`),
      ngroups_max: text("65536\n"),
      overflowgid: text("65534\n"),
      overflowuid: text("65534\n"),
      osrelease: text(`${release.release}\n`),
      ostype: text(`${release.sysname}\n`),
      perf_cpu_time_max_percent: rememberedInteger(
        kernel.tunables,
        "kernel/perf_cpu_time_max_percent",
        25,
        100,
      ),
      perf_event_max_contexts_per_stack: rememberedInteger(
        kernel.tunables,
        "kernel/perf_event_max_contexts_per_stack",
        8,
        1000,
      ),
      perf_event_max_sample_rate: rememberedInteger(
        kernel.tunables,
        MAX_SAMPLE_RATE,
        MAX_SAMPLE_RATE_DEFAULT,
      ),
      perf_event_max_stack: rememberedInteger(kernel.tunables, MAX_STACK, MAX_STACK_DEFAULT, 640),
      perf_event_mlock_kb: rememberedInteger(kernel.tunables, "kernel/perf_event_mlock_kb", 516),
      perf_event_paranoid: integerFile(
        () => Number(kernel.tunables.get(PARANOID) ?? PARANOID_DEFAULT),
        (value) => kernel.tunables.set(PARANOID, `${value}`),
        -1,
        0x7fff_ffff,
      ),
      // Not below what is needed for as many tasks as there may be.
      pid_max: integerFile(
        () => kernel.pids.max,
        (value) => (kernel.pids.max = value),
        RESERVED_PIDS + kernel.maxTasks + 1,
        PID_MAX,
      ),
      random: directory(() => ({
        boot_id: text("5ea1ab00-0000-4000-8000-000000000001\n"),
        entropy_avail: text("256\n"),
        poolsize: text("256\n"),
        uuid: file(() => uuid(kernel)),
      })),
      randomize_va_space: text("0\n"),
      seccomp: seccompSettings(kernel.tunables),
      sem: text(`${SEMMSL}\t${SEMMNS}\t${SEMOPM}\t${SEMMNI}\n`),
      shm_rmid_forced: text("0\n"),
      ...ipcSettings(kernel.ipc),
      tainted: text("0\n"),
      "threads-max": text(`${kernel.maxTasks}\n`),
      version: text(`${release.version}\n`),
    })),
    vm: directory(() => memorySettings(kernel)),
  };
}

/** /proc/sys/vm: what the mm asks, and what programs look for or set that makes no difference here. */
function memorySettings(kernel: Kernel): Record<string, Node> {
  const { mmSettings: settings, tunables, swap } = kernel;
  const remembered = (name: string, initial: number, most?: number): Node =>
    rememberedInteger(tunables, `vm/${name}`, initial, most);
  return {
    admin_reserve_kbytes: integerFile(
      () => settings.adminReserveKbytes,
      (value) => (settings.adminReserveKbytes = value),
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    compact_memory: trigger(0x7fff_ffff),
    dirty_background_ratio: remembered("dirty_background_ratio", 10, 100),
    dirty_expire_centisecs: remembered("dirty_expire_centisecs", 3000),
    dirty_ratio: remembered("dirty_ratio", 20, 100),
    dirty_writeback_centisecs: remembered("dirty_writeback_centisecs", 500),
    drop_caches: trigger(4),
    legacy_va_layout: text("0\n"),
    max_map_count: integerFile(
      () => settings.maxMapCount,
      (value) => (settings.maxMapCount = value),
      0,
      0x7fff_ffff,
    ),
    min_free_kbytes: remembered("min_free_kbytes", 2048),
    mmap_min_addr: integerFile(
      () => settings.mmapMinAddr,
      (value) => (settings.mmapMinAddr = value),
      0,
      0x7fff_ffff,
    ),
    ...hugePageSettings(kernel),
    oom_dump_tasks: remembered("oom_dump_tasks", 1, 1),
    oom_kill_allocating_task: remembered("oom_kill_allocating_task", 0, 1),
    // The one that was written last counts.
    overcommit_kbytes: integerFile(
      () => settings.overcommitKbytes,
      (value) => {
        settings.overcommitKbytes = value;
        settings.overcommitRatio = 0;
      },
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    overcommit_memory: integerFile(
      () => settings.overcommit,
      (value) => (settings.overcommit = value as 0 | 1 | 2),
      0,
      2,
    ),
    overcommit_ratio: integerFile(
      () => settings.overcommitRatio,
      (value) => {
        settings.overcommitRatio = value;
        settings.overcommitKbytes = 0;
      },
      0,
      0x7fff_ffff,
    ),
    "page-cluster": remembered("page-cluster", 3, 31),
    panic_on_oom: text("0\n"),
    stat_interval: remembered("stat_interval", 1),
    swappiness: integerFile(
      () => swap.swappiness,
      (value) => (swap.swappiness = value),
      0,
      200,
    ),
    unprivileged_userfaultfd: rememberedInteger(tunables, UNPRIVILEGED_USERFAULTFD, 0, 1),
    user_reserve_kbytes: integerFile(
      () => settings.userReserveKbytes,
      (value) => (settings.userReserveKbytes = value),
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    vfs_cache_pressure: remembered("vfs_cache_pressure", 100),
  };
}
