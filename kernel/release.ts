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

function makeRelease(mm: ReleaseRules, signalFrameKeys: "own" | "open", rseqKeys: "own" | "open"): Release {
  return {
    name: mm.name,
    sysname: "Linux",
    release: `${mm.name}.0-sealab`,
    version: "#1 SMP PREEMPT_DYNAMIC",
    machine: "x86_64",
    rules: { ...mm, signalFrameKeys, rseqKeys },
  };
}

export const DEFAULT_RELEASE: Release = makeRelease(RULES_6_18, "open", "own");

/** Every modelled release, oldest first. */
export const RELEASES: readonly Release[] = [
  makeRelease(RULES_6_10, "own", "own"),
  makeRelease(RULES_6_12, "open", "own"),
  makeRelease(RULES_6_14, "open", "own"),
  makeRelease(RULES_6_16, "open", "own"),
  DEFAULT_RELEASE,
  makeRelease(RULES_7_2, "open", "open"),
];
export const RELEASE_NAMES: readonly string[] = RELEASES.map(({ name }) => name);

/** The release of a name such as `6.12`; undefined for one that is not modelled. */
export function findRelease(name: string): Release | undefined {
  return RELEASES.find((release) => release.name === name);
}
