import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import type { Mmu } from "../../mmu/mmu.js";
import type { Provenance, RefusalSink } from "../refusal.js";
import type { AddressSpace } from "./address-space.js";
import { initialOrders, type HugeOrders } from "./huge/orders.js";
import { sharedMount, type SharedMount } from "./huge/shared-mount.js";
import type { Khugepaged } from "./huge/khugepaged.js";
import { HugePagePools } from "./hugetlb/pools.js";
import type { SamePages } from "./ksm/same-pages.js";
import { PinnedFrames } from "./pins.js";
import { SwapSpace } from "./swap/swap-space.js";
import type { MappableFile } from "./mappable-file.js";
import { RULES_6_18, type ReleaseRules } from "./release.js";
import type { UprobeDoor } from "./uprobe-door.js";
import type { UserfaultDoor } from "./userfault/door.js";
import { defaultSealing } from "./sealing/models.js";
import type { SealingModel } from "./sealing/sealing-model.js";

/** Resource limits in bytes; Infinity is RLIM_INFINITY. The kernel shares the process's own record. */
export interface MemoryLimits {
  as: number;
  data: number;
  /** The hard limit of RLIMIT_DATA, which counts when the soft one is 0. */
  dataMax: number;
  stack: number;
  memlock: number;
}

export interface MmCapabilities {
  /** CAP_IPC_LOCK: no limit on locked memory. */
  ipcLock: boolean;
  /** CAP_SYS_RAWIO: may map below mmap_min_addr. */
  rawIo: boolean;
  /** CAP_SYS_ADMIN. */
  sysAdmin: boolean;
}

export type HugePagesEnabled = "always" | "madvise" | "never";

/** The sysctls under /proc/sys/vm that matter here. */
export interface MmSettings {
  maxMapCount: number;
  /** Bytes. */
  mmapMinAddr: number;
  /** vm.overcommit_memory: 0 guess, 1 always, 2 never beyond the limit. */
  overcommit: 0 | 1 | 2;
  /** vm.overcommit_ratio: percent of RAM that may be committed in mode 2. */
  overcommitRatio: number;
  /** vm.overcommit_kbytes: what may be committed in mode 2, in place of the ratio; 0: the ratio counts. */
  overcommitKbytes: number;
  /** vm.admin_reserve_kbytes: in mode 2 not for those without CAP_SYS_ADMIN. */
  adminReserveKbytes: number;
  /** vm.user_reserve_kbytes: in mode 2 no more than this is kept back from a large process. */
  userReserveKbytes: number;
  /** Free pages to keep below a stack. */
  stackGuardPages: number;
  /** transparent_hugepage/enabled: which anonymous memory may have pages of 2 MiB. */
  hugePages: HugePagesEnabled;
  /** transparent_hugepage/hugepages-NkB/enabled. */
  hugeOrders: HugeOrders;
  /** Shared memory without a name, and with it what transparent_hugepage says of shared memory (shmem_enabled). */
  sharedMemory: SharedMount;
  /** transparent_hugepage/use_zero_page: what is only read shares 2 MiB of zeroes. */
  hugeZeroPage: boolean;
}

/** Counts page faults (kernel/perf). @param inUser of the program, not of the kernel on its behalf */
export interface FaultCounter {
  pageFault(inUser: boolean): void;
  pageFaultDone(major: boolean, inUser: boolean): void;
}

/** What the mm needs of the machine around it: the running thread and its place in the program. */
export interface MmMachine {
  /** The calling thread's PKRU. */
  pkru(): number;
  setPkru(value: number): void;
  provenance(): Provenance;
  /** Who last wrote the calling thread's PKRU, when known. */
  pkruWrittenBy(): Provenance | undefined;
  /** The system call being served. */
  syscall(): string | undefined;
  /** The call being served is one of 32-bit programs: places are looked for where those reach; without it: never. */
  readonly in32BitCall?: boolean;
  /** Where the kernel's own accesses wait for a userfaultfd's answer; null: nowhere. */
  readonly userfaults?: UserfaultDoor | null;
  /** Who counts page faults of the calling thread; null: nobody. */
  readonly perf?: FaultCounter | null;
  /** The calling thread owns the file or could write it; without the method: any. */
  ownsOrMayWrite?(file: MappableFile): boolean;
}

/** Told after areas changed in [start, end) bytes. */
export interface AreaChange {
  readonly kind: "map" | "unmap" | "protect" | "seal" | "name" | "move" | "grow";
  readonly start: number;
  readonly end: number;
}

/** What /proc/vmstat counts, by its names there: `pg...` in pages, `thp_...` in huge pages or times. */
export interface VmEvents {
  /** Given to MADV_FREE. */
  pglazyfree: number;
  /** Of lazy-free and droppable pages: taken back. */
  pglazyfreed: number;
  /** A fault brought in 2 MiB, */
  thp_fault_alloc: number;
  /** or one page, since there was no run of frames. */
  thp_fault_fallback: number;
  /** Pages became 2 MiB afterwards (khugepaged, MADV_COLLAPSE), */
  thp_collapse_alloc: number;
  /** or there was no run of frames for it. */
  thp_collapse_alloc_failed: number;
  /** khugepaged left 2 MiB alone: too many pages were not there, */
  thp_scan_exceed_none_pte: number;
  /** in swap areas, */
  thp_scan_exceed_swap_pte: number;
  /** or shared. */
  thp_scan_exceed_share_pte: number;
  /** A block of 2 MiB came into the page cache of shared memory, */
  thp_file_alloc: number;
  /** or pages, since there was no run of frames, or */
  thp_file_fallback: number;
  /** a control group did not permit it. */
  thp_file_fallback_charge: number;
  /** A block of 2 MiB of a file was mapped by one leaf. */
  thp_file_mapped: number;
  /** A block of 2 MiB was split, not only its leaves. */
  thp_split_page: number;
  /** 2 MiB of zeroes for all to share were made, */
  thp_zero_page_alloc: number;
  /** or there was no run of frames for them. */
  thp_zero_page_alloc_failed: number;
}

export function noEvents(): VmEvents {
  return {
    pglazyfree: 0,
    pglazyfreed: 0,
    thp_fault_alloc: 0,
    thp_fault_fallback: 0,
    thp_collapse_alloc: 0,
    thp_collapse_alloc_failed: 0,
    thp_scan_exceed_none_pte: 0,
    thp_scan_exceed_swap_pte: 0,
    thp_scan_exceed_share_pte: 0,
    thp_file_alloc: 0,
    thp_file_fallback: 0,
    thp_file_fallback_charge: 0,
    thp_file_mapped: 0,
    thp_split_page: 0,
    thp_zero_page_alloc: 0,
    thp_zero_page_alloc_failed: 0,
  };
}

/** Everything an address space leans on; the kernel makes it and may change it (kernel/mm-environment.ts). */
export interface MmEnvironment {
  readonly frames: FrameAllocator;
  readonly mmu: Mmu;
  /** Frames that the kernel writes at any time; one record for the machine. */
  readonly pins: PinnedFrames;
  /** The pools of huge pages (hugetlb) of the machine. */
  readonly hugePages: HugePagePools;
  /** Swap areas; one record for the machine. */
  readonly swap: SwapSpace;
  release: ReleaseRules;
  sealing: SealingModel;
  /** Protection keys are on (CPUID OSPKE). */
  pku: boolean;
  limits: MemoryLimits;
  capabilities: MmCapabilities;
  settings: MmSettings;
  /** Pages committed by all address spaces (vm_committed_as); one record for the machine. */
  commit: { pages: number };
  /** Events counted for /proc/vmstat; one record for the machine. */
  vmEvents: VmEvents;
  /** personality(READ_IMPLIES_EXEC). */
  readImpliesExec: boolean;
  machine: MmMachine;
  /** Where pages of the same content are merged; null: nowhere. */
  readonly samePages: SamePages | null;
  /** What makes pages 2 MiB afterwards; null: nothing does. */
  readonly khugepaged: Khugepaged | null;
  /** Where probes are put into areas; null: nowhere. */
  readonly uprobes: UprobeDoor | null;
  /**
   * No frame is left for an access to this address space. Ends a process to make room (oom.ts).
   * @returns true when there is room now; false when nobody could be ended but whoever asks
   */
  outOfMemory: ((mm: AddressSpace) => boolean) | null;
  onRefusal: RefusalSink | null;
  onAreaChange: ((change: AreaChange) => void) | null;
}

export const DEFAULT_SETTINGS: Readonly<MmSettings> = {
  maxMapCount: 65530,
  mmapMinAddr: 65536,
  overcommit: 0,
  overcommitRatio: 50,
  overcommitKbytes: 0,
  adminReserveKbytes: 8192,
  userReserveKbytes: 131072,
  stackGuardPages: 256,
  hugePages: "madvise",
  hugeOrders: initialOrders(),
  sharedMemory: sharedMount(true),
  hugeZeroPage: true,
};

/** The settings that Linux chooses by the machine's size (init_admin_reserve, init_user_reserve). @param pages of RAM */
export function settingsFor(pages: number): MmSettings {
  const part = Math.floor((pages * 4) / 32);
  return {
    ...DEFAULT_SETTINGS,
    hugeOrders: initialOrders(),
    sharedMemory: sharedMount(true),
    adminReserveKbytes: Math.min(part, DEFAULT_SETTINGS.adminReserveKbytes),
    userReserveKbytes: Math.min(part, DEFAULT_SETTINGS.userReserveKbytes),
  };
}

/** An ordinary user's limits on a distribution kernel. */
const DEFAULT_LIMITS: Readonly<MemoryLimits> = {
  as: Infinity,
  data: Infinity,
  dataMax: Infinity,
  stack: 8 * 2 ** 20,
  memlock: 8 * 2 ** 20,
};

/** An environment with an ordinary user's defaults. */
export function createEnvironment(
  base: Pick<MmEnvironment, "frames" | "mmu" | "machine"> & Partial<MmEnvironment>,
): MmEnvironment {
  return {
    pins: new PinnedFrames(base.frames),
    hugePages: new HugePagePools(base.frames, true, 2 ** 21),
    swap: new SwapSpace(base.frames),
    release: RULES_6_18,
    sealing: defaultSealing,
    pku: true,
    limits: { ...DEFAULT_LIMITS },
    capabilities: { ipcLock: false, rawIo: false, sysAdmin: false },
    settings: { ...DEFAULT_SETTINGS, hugeOrders: initialOrders(), sharedMemory: sharedMount(true) },
    commit: { pages: 0 },
    vmEvents: noEvents(),
    readImpliesExec: false,
    samePages: null,
    khugepaged: null,
    uprobes: null,
    outOfMemory: null,
    onRefusal: null,
    onAreaChange: null,
    ...base,
  };
}
