/**
 * Where kernel releases differ in what a program can see of the mm, as named rules. The operations ask the rule,
 * never the release.
 */
export interface ReleaseRules {
  /** The release as uname would have it. */
  readonly name: string;
  /** mremap(MREMAP_FIXED) of one size may move several areas, one after the other (6.17). */
  readonly mremapMovesSeveralAreas: boolean;
  /**
   * What MADV_* discards treat as anonymous when sealed: an area without vm_ops (6.17), or one without a file
   * that is not shared.
   */
  readonly anonymousMeans: "no-vm-ops" | "no-file";
  /** Where MADV_GUARD_INSTALL is known: nowhere, on anonymous memory (6.13), everywhere (6.15). */
  readonly guardRegions: "none" | "anonymous" | "all";
  /** pkey_alloc on a CPU without keys: ENOSPC, or EINVAL the first time in an address space. */
  readonly pkeyAllocWithoutKeys: "enospc" | "einval-once";
}

/** Linux 6.18, as 6.18.44 answers. */
export const RELEASE_6_18: ReleaseRules = {
  name: "6.18",
  mremapMovesSeveralAreas: true,
  anonymousMeans: "no-vm-ops",
  guardRegions: "all",
  pkeyAllocWithoutKeys: "einval-once",
};
