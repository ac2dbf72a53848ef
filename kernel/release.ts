/** Which Linux this kernel is. */

import {
  RULES_6_10,
  RULES_6_12,
  RULES_6_14,
  RULES_6_16,
  RULES_6_18,
  RULES_7_2,
  type ReleaseRules,
} from "./mm/release.js";

/** The mm's rules, and those of the rest of the kernel. */
export interface KernelRules extends ReleaseRules {
  /** With which PKRU a signal's frame is written: the task's own, or one that opens every key (6.12). */
  readonly signalFrameKeys: "own" | "open";
  /** With which PKRU the kernel keeps a thread's rseq record: the task's own, or one that opens every key (7.2). */
  readonly rseqKeys: "own" | "open";
  /** pidfd_open of a thread that leads no process, without PIDFD_THREAD: EINVAL, or ENOENT (6.16; pidfd_prepare). */
  readonly pidfdOfThread: "EINVAL" | "ENOENT";
  /** PR_SET_SYSCALL_USER_DISPATCH for all but a region, or also for a region (6.17). */
  readonly userDispatchModes: "exclusive" | "both";
}

export interface Release {
  /** As `--kernel` takes it: `6.18`. */
  readonly name: string;
  /** The fields of uname(2). */
  readonly sysname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
  readonly rules: KernelRules;
}

function makeRelease(mm: ReleaseRules, rules: Omit<KernelRules, keyof ReleaseRules>): Release {
  return {
    name: mm.name,
    sysname: "Linux",
    release: `${mm.name}.0-sealab`,
    version: "#1 SMP PREEMPT_DYNAMIC",
    machine: "x86_64",
    rules: { ...mm, ...rules },
  };
}

const OLDEST = {
  signalFrameKeys: "own",
  rseqKeys: "own",
  pidfdOfThread: "EINVAL",
  userDispatchModes: "exclusive",
} as const;
const SINCE_6_12 = { ...OLDEST, signalFrameKeys: "open" } as const;
const SINCE_6_16 = { ...SINCE_6_12, pidfdOfThread: "ENOENT" } as const;

const SINCE_6_18 = { ...SINCE_6_16, userDispatchModes: "both" } as const;

export const DEFAULT_RELEASE: Release = makeRelease(RULES_6_18, SINCE_6_18);

/** Every modelled release, oldest first. */
export const RELEASES: readonly Release[] = [
  makeRelease(RULES_6_10, OLDEST),
  makeRelease(RULES_6_12, SINCE_6_12),
  makeRelease(RULES_6_14, SINCE_6_12),
  makeRelease(RULES_6_16, SINCE_6_16),
  DEFAULT_RELEASE,
  makeRelease(RULES_7_2, { ...SINCE_6_18, rseqKeys: "open" }),
];
export const RELEASE_NAMES: readonly string[] = RELEASES.map(({ name }) => name);

/** The release of a name such as `6.12`; undefined for one that is not modelled. */
export function findRelease(name: string): Release | undefined {
  return RELEASES.find((release) => release.name === name);
}
