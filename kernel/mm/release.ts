/**
 * Where kernel releases differ in what a program can see of the mm, as named rules. The operations ask the rule,
 * never the release. docs/kernels.md tells users the same.
 */
export interface ReleaseRules {
  /** The release as `--kernel` names it. */
  readonly name: string;
  /**
   * When seals are looked at: over the whole range before anything changes (can_modify_mm), or area by area on
   * the way (can_modify_vma, 6.12).
   */
  readonly sealCheck: "whole-range" | "by-area";
  /**
   * What mmap checks before it removes what MAP_FIXED replaces. "limits": RLIMIT_AS and RLIMIT_DATA alone, so that
   * PR_SET_MDWE and overcommit refuse when the old mapping is gone. "mdwe": PR_SET_MDWE alone; limits and overcommit
   * after the seals, but before anything is removed (6.12).
   */
  readonly mmapChecksBeforeSeals: "limits" | "mdwe";
  /** MAP_DROPPABLE is known (6.11). */
  readonly droppable: boolean;
  /** A new mapping between two with private pages of their own becomes part of the one before (6.12) or after it. */
  readonly bridgeMergesWith: "previous" | "next";
  /**
   * A piece with private pages may become part of a neighbour that has none (6.16); before, only a piece without
   * may become part of a neighbour that has some (is_mergeable_anon_vma).
   */
  readonly mergesIntoUntouched: boolean;
  /**
   * MREMAP_DONTUNMAP of locked memory unlocks the area, whatever moved; or cuts out what moves first, and unlocks that:
   * the repair of 2026 (6.12.117, 7.2; not in 6.18.44, nor in releases that ended before).
   */
  readonly dontUnmapUnlocks: "range" | "area";
  /**
   * What MREMAP_DONTUNMAP leaves of a whole anonymous area takes the offset of its place again, as new memory has it, so
   * that it merges there (the same repair).
   */
  readonly dontUnmapLeavesFresh: boolean;
  /** What MREMAP_DONTUNMAP makes may become part of the area that it was moved from (until the same repair). */
  readonly dontUnmapMergesWithSource: boolean;
  /**
   * mremap's checks. "lookup-first": flags and the old address, then the area and its seal, then the new address;
   * "alignment-first": a new address that is not aligned is refused before that too (6.16); "parameters-first":
   * everything that needs no look at the map (6.17).
   */
  readonly mremapChecks: "lookup-first" | "alignment-first" | "parameters-first";
  /** mremap(MREMAP_FIXED) of one size may move several areas, one after the other (6.17). */
  readonly mremapMovesSeveralAreas: boolean;
  /** Every mremap asks for room below vm.max_map_count before it looks at the map; else only those that move (7.2). */
  readonly mremapCountsAreasFirst: boolean;
  /**
   * What MADV_* discards treat as anonymous when sealed: an area without vm_ops (6.17), or one without a file
   * that is not shared.
   */
  readonly anonymousMeans: "no-vm-ops" | "no-file";
  /** Where MADV_GUARD_INSTALL is known: nowhere, on anonymous memory (6.13), everywhere (6.15). */
  readonly guardRegions: "none" | "anonymous" | "all";
  /** smaps marks areas that have had guard pages with "gu" (6.18). */
  readonly smapsShowsGuards: boolean;
  /** pagemap and PAGEMAP_SCAN tell guard pages from others (6.15). */
  readonly pageMapShowsGuards: boolean;
  /** /proc/PID/pagemap says of all pages of a leaf of 2 MiB what is true of its first (6.15): mapped by nobody else. */
  readonly pageMapCountsLeafOnce: boolean;
  /** /proc/PID/maps answers PROCMAP_QUERY (6.11). */
  readonly mapsQuery: boolean;
  /** An area that two were merged into is soft-dirty if one of them was (6.19), or if the one that stays was. */
  readonly mergeKeepsSoftDirty: boolean;
  /** process_madvise on one's own memory takes every advice (6.13), or the four that it takes for others' memory. */
  readonly processMadviseOwn: "any" | "as-others";
  /** An unknown advice of process_madvise is refused where all buffers are empty, too (7.2), or not looked at (6.18). */
  readonly processMadviseOfNothing: "checked" | "unchecked";
  /** pkey_alloc on a CPU without keys: ENOSPC, or EINVAL the first time in an address space. */
  readonly pkeyAllocWithoutKeys: "enospc" | "einval-once";
  /** Who reads and writes through /proc/PID/mem what the area forbids: all, or the task's tracer (7.2). */
  readonly memoryFileForces: "always" | "tracer";
  /** The merging of pages passes over those that changed before it looks for merged ones with their content (6.11). */
  readonly mergingLooksAtChangesFirst: boolean;
  /** Where PR_SET_MEMORY_MERGE holds, a new area is mergeable before it may become part of a neighbour (6.17). */
  readonly newAreasMergeableFirst: boolean;
  /** /proc/PID/ksm_stat says too whether memory is mergeable (6.16). */
  readonly mergingStatSaysWhether: boolean;
  /** UFFDIO_UNREGISTER takes what another userfaultfd registered, too (before 6.17). */
  readonly userfaultUnregistersOthers: boolean;
  /**
   * A hint for huge pages inside of one counts as its start, and nobody looks at MAP_32BIT and MAP_ABOVE4G (x86 before
   * 6.13); or as that of the next, and they count as for other memory.
   */
  readonly hugetlbPlacesItself: boolean;
  /** Pages of 1 GiB can be surplus by overcommit (6.19). */
  readonly giganticPagesOvercommit: boolean;
  /**
   * The owner of a private mapping of huge pages has a page promised again as it unmaps it: where nobody else has it
   * mapped (a repair of 2026: 6.12.117, 7.2), or also while a child has.
   */
  readonly hugetlbPromisesAgain: "unless-mapped" | "always";
  /** Who may write what an area forbids may do so in huge pages too (6.14). */
  readonly hugetlbForces: boolean;
  /** [vvar] is PFNMAP memory, which cannot be discarded; since 7.2 it is not. */
  readonly vvarIsPfnmap: boolean;
  /** Swap areas without a priority of their own get -2, -3 and so on, or all of them -1 (6.19). */
  readonly swapPrioritiesDescend: boolean;
  /** Memory of memfd_secret is locked and counts against RLIMIT_MEMLOCK, until that was dropped in 2026. */
  readonly secretMemoryLocked: boolean;
  /** The first write to 2 MiB of zeroes makes 2 MiB of its own (6.13), or splits them. */
  readonly hugeZeroBecomesHuge: boolean;
  /** Where frames of 2 MiB part, those of zeroes become the page of zeroes that everybody shares (6.12). */
  readonly splitSharesZeroes: boolean;
  /**
   * write(2) to memory files begins each page before it looks at what is to be copied (6.15): where nothing can be read,
   * the page is there all the same, and the file reaches to it. Before, nothing happens.
   */
  readonly writesBeginBeforeCopies: boolean;
  /** Sizes of huge pages of shared memory below 2 MiB can be turned on: hugepages-NkB/shmem_enabled (6.11). */
  readonly sharedHugeSizes: boolean;
  /** khugepaged runs for shared memory too, where enabled is `never` for the rest (6.14). */
  readonly khugepagedKnowsShared: boolean;
  /** A block of the page cache in which a hole is made falls into smaller ones around it, or into single pages (before 6.15). */
  readonly blocksSplitUnevenly: boolean;
  /** MADV_COLLAPSE maps shared memory by a leaf also where a table for leaves is to be made first (6.18). */
  readonly collapseMakesTables: boolean;
  /** MADV_COLLAPSE goes on behind 2 MiB without a page table (7.2), or ends there if only that table is missing. */
  readonly collapsePassesMissingTables: boolean;
  /** A read fault enters a block of the page cache whole, not only the neighbours (6.18, do_fault_around). */
  readonly faultAroundEntersBlocks: boolean;
  /** Pages become 2 MiB only where one of them may be written now (before 6.18). */
  readonly collapseNeedsWritable: boolean;
  /** [uprobes] can be moved (until 6.13), which probed programs do not survive. */
  readonly uprobesAreaMoves: boolean;
  /** Probed functions return by a call of their own, uretprobe(2) (6.11), or by a breakpoint. */
  readonly returnsByCall: boolean;
  /** prctl(PR_SET_THP_DISABLE) can leave out what is advised: PR_THP_DISABLE_EXCEPT_ADVISED (6.18). */
  readonly hugePagesDisableKnowsAdvice: boolean;
  /** MADV_DONTNEED of 2 MiB or more gives back page tables that it empties (6.14, CONFIG_PT_RECLAIM). */
  readonly discardFreesTables: boolean;
}

export const RULES_6_10: ReleaseRules = {
  name: "6.10",
  sealCheck: "whole-range",
  mmapChecksBeforeSeals: "limits",
  droppable: false,
  bridgeMergesWith: "next",
  mergesIntoUntouched: false,
  dontUnmapUnlocks: "area",
  dontUnmapLeavesFresh: false,
  dontUnmapMergesWithSource: true,
  mremapChecks: "lookup-first",
  mremapMovesSeveralAreas: false,
  mremapCountsAreasFirst: false,
  anonymousMeans: "no-file",
  guardRegions: "none",
  smapsShowsGuards: false,
  pageMapShowsGuards: false,
  pageMapCountsLeafOnce: false,
  mapsQuery: false,
  mergeKeepsSoftDirty: false,
  processMadviseOwn: "as-others",
  processMadviseOfNothing: "unchecked",
  pkeyAllocWithoutKeys: "einval-once",
  memoryFileForces: "always",
  mergingLooksAtChangesFirst: false,
  newAreasMergeableFirst: false,
  mergingStatSaysWhether: false,
  userfaultUnregistersOthers: true,
  hugetlbPlacesItself: true,
  hugetlbPromisesAgain: "always",
  giganticPagesOvercommit: false,
  hugetlbForces: false,
  vvarIsPfnmap: true,
  secretMemoryLocked: true,
  hugeZeroBecomesHuge: false,
  splitSharesZeroes: false,
  collapseNeedsWritable: true,
  sharedHugeSizes: false,
  khugepagedKnowsShared: false,
  blocksSplitUnevenly: false,
  collapseMakesTables: false,
  writesBeginBeforeCopies: false,
  collapsePassesMissingTables: false,
  faultAroundEntersBlocks: false,
  hugePagesDisableKnowsAdvice: false,
  discardFreesTables: false,
  uprobesAreaMoves: true,
  returnsByCall: false,
  swapPrioritiesDescend: true,
};

/** What was repaired in 2026, in the branches that were kept up then. */
const REPAIRS_OF_2026 = {
  hugetlbPromisesAgain: "unless-mapped",
  dontUnmapUnlocks: "range",
  dontUnmapLeavesFresh: true,
  dontUnmapMergesWithSource: false,
} as const;

export const RULES_6_12: ReleaseRules = {
  ...RULES_6_10,
  name: "6.12",
  sealCheck: "by-area",
  mmapChecksBeforeSeals: "mdwe",
  droppable: true,
  sharedHugeSizes: true,
  splitSharesZeroes: true,
  mergingLooksAtChangesFirst: true,
  mapsQuery: true,
  returnsByCall: true,
  bridgeMergesWith: "previous",
  pkeyAllocWithoutKeys: "enospc",
  secretMemoryLocked: false,
  ...REPAIRS_OF_2026,
};

export const RULES_6_14: ReleaseRules = {
  ...RULES_6_12,
  name: "6.14",
  hugetlbPlacesItself: false,
  hugetlbForces: true,
  hugeZeroBecomesHuge: true,
  discardFreesTables: true,
  uprobesAreaMoves: false,
  khugepagedKnowsShared: true,
  guardRegions: "anonymous",
  processMadviseOwn: "any",
  pkeyAllocWithoutKeys: "einval-once",
  secretMemoryLocked: true,
  hugetlbPromisesAgain: RULES_6_10.hugetlbPromisesAgain,
  dontUnmapUnlocks: RULES_6_10.dontUnmapUnlocks,
  dontUnmapLeavesFresh: RULES_6_10.dontUnmapLeavesFresh,
  dontUnmapMergesWithSource: RULES_6_10.dontUnmapMergesWithSource,
};

export const RULES_6_16: ReleaseRules = {
  ...RULES_6_14,
  name: "6.16",
  writesBeginBeforeCopies: true,
  blocksSplitUnevenly: true,
  mergesIntoUntouched: true,
  mremapChecks: "alignment-first",
  guardRegions: "all",
  pageMapShowsGuards: true,
  pageMapCountsLeafOnce: true,
  mergingStatSaysWhether: true,
};

/** Linux 6.18, as 6.18.44 answers. */
export const RULES_6_18: ReleaseRules = {
  ...RULES_6_16,
  name: "6.18",
  mremapChecks: "parameters-first",
  mremapMovesSeveralAreas: true,
  anonymousMeans: "no-vm-ops",
  userfaultUnregistersOthers: false,
  smapsShowsGuards: true,
  newAreasMergeableFirst: true,
  collapseNeedsWritable: false,
  collapseMakesTables: true,
  faultAroundEntersBlocks: true,
  hugePagesDisableKnowsAdvice: true,
};

export const RULES_7_2: ReleaseRules = {
  ...RULES_6_18,
  name: "7.2",
  mremapCountsAreasFirst: true,
  processMadviseOfNothing: "checked",
  mergeKeepsSoftDirty: true,
  collapsePassesMissingTables: true,
  pkeyAllocWithoutKeys: "enospc",
  memoryFileForces: "tracer",
  giganticPagesOvercommit: true,
  swapPrioritiesDescend: false,
  vvarIsPfnmap: false,
  // Not tried: its own selftest no longer asks for the limit, as that of 6.12.117, which answers so.
  secretMemoryLocked: false,
  ...REPAIRS_OF_2026,
};
