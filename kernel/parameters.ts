/**
 * What a kernel is told when it boots, or how it was built, as far as it is about sealing or hiding memory: `NAME=VALUE` each. Some are
 * Linux's, some were proposed and never merged; a name says which.
 */

import { HUGETLB_PARAMETERS, NO_HUGE_PAGES, readHugetlbParameter } from "./hugetlb-parameters.js";
import type { HugetlbParameters } from "./mm/hugetlb/pools.js";
import type { HugePagesEnabled } from "./mm/environment.js";
import type { Release } from "./release.js";

/** Who seals [vdso], [vvar] and their like, and whether a process may turn that off. */
export interface SpecialMappings {
  readonly sealed: boolean;
  /** For a reader of "sealed by ...". */
  readonly by: string;
  /** PR_SET_MSEAL_SYSTEM_MAPPINGS is there. */
  readonly prctl: boolean;
  /** [vsyscall] is one of them. */
  readonly vsyscall: boolean;
}

export interface KernelParameters {
  readonly specialMappings: SpecialMappings;
  /** A vDSO is mapped. */
  readonly vdso: boolean;
  /** Whether the page of old calls above user space is served, to be called but not to be read. */
  readonly vsyscall: "none" | "xonly";
  /** memfd_secret(2) is there. */
  readonly secretMemory: boolean;
  /** Which anonymous memory may have pages of 2 MiB, until /sys says otherwise. */
  readonly hugePages: HugePagesEnabled;
  /** Huge pages in the pools from the start. */
  readonly hugetlb: HugetlbParameters;
  /** Anonymous memory can be named (PR_SET_VMA). */
  readonly anonNames: boolean;
}

export interface ParameterDesign {
  readonly name: string;
  /** The first turns it on. */
  readonly values: readonly [on: string, ...others: string[]];
  readonly origin: "Linux" | "proposed";
  readonly text: string;
  readonly source: string;
  /** The oldest modelled release that has it; every one where absent. */
  readonly since?: string;
  set(parameters: KernelParameters, on: boolean, value: string): KernelParameters;
}

const BY_CONFIG = "CONFIG_MSEAL_SYSTEM_MAPPINGS at exec";

const sealed =
  (by: string, prctl: boolean, vsyscall = true): ParameterDesign["set"] =>
  (parameters, on) => ({ ...parameters, specialMappings: { sealed: on, by, prctl, vsyscall } });

/** What `--param` knows, besides HUGETLB_PARAMETERS. */
export const PARAMETERS: readonly ParameterDesign[] = [
  {
    name: "CONFIG_MSEAL_SYSTEM_MAPPINGS",
    values: ["y", "n"],
    origin: "Linux",
    text: "a kernel built so seals [vdso], [vvar] and [vvar_vclock] of every program; nothing turns it off",
    source: "Linux 6.15, init/Kconfig; it excludes CONFIG_CHECKPOINT_RESTORE",
    since: "6.16",
    set: sealed(BY_CONFIG, false, false),
  },
  {
    name: "mseal.special_mappings",
    values: ["on", "off"],
    origin: "proposed",
    text: "the same at boot; PR_SET_MSEAL_SYSTEM_MAPPINGS turns it off and on for a process and its children",
    source: "Kees Cook, linux-mm, 17 December 2024; never implemented",
    set: sealed("mseal.special_mappings at exec", true),
  },
  {
    name: "exec.seal_system_mappings",
    values: ["yes", "no"],
    origin: "proposed",
    text: "the same at boot; no process turns it off",
    source: "Jeff Xu, [PATCH v4 1/1] exec: seal system mappings, 25 November 2024",
    set: sealed("exec.seal_system_mappings at exec", false),
  },
  {
    name: "vdso",
    values: ["1", "0"],
    origin: "Linux",
    text: "whether a program has a vDSO",
    source: "Linux, Documentation/admin-guide/kernel-parameters.txt",
    set: (parameters, on) => ({ ...parameters, vdso: on }),
  },
  {
    name: "vsyscall",
    values: ["xonly", "none"],
    origin: "Linux",
    text: "whether gettimeofday, time and getcpu can be called at their old addresses",
    source: "Linux, Documentation/admin-guide/kernel-parameters.txt",
    set: (parameters, on) => ({ ...parameters, vsyscall: on ? "xonly" : "none" }),
  },
  {
    name: "secretmem.enable",
    values: ["y", "n"],
    origin: "Linux",
    text: "whether memfd_secret can be called; without it the call is ENOSYS",
    source: "Linux 6.5, mm/secretmem.c: on unless told",
    set: (parameters, on) => ({ ...parameters, secretMemory: on }),
  },
  {
    name: "CONFIG_ANON_VMA_NAME",
    values: ["y", "n"],
    origin: "Linux",
    text: "programs can name their anonymous memory (PR_SET_VMA_ANON_NAME), which takes part in merging; Debian's kernels are built without it",
    source: "Linux 5.17, mm/Kconfig",
    set: (parameters, on) => ({ ...parameters, anonNames: on }),
  },
  {
    name: "transparent_hugepage",
    values: ["always", "madvise", "never"],
    origin: "Linux",
    text: "which anonymous memory gets pages of 2 MiB; `madvise` unless told",
    source: "Linux, Documentation/admin-guide/mm/transhuge.rst",
    set: (parameters, _on, value) => ({ ...parameters, hugePages: value as HugePagesEnabled }),
  },
];

export const DEFAULT_PARAMETERS: KernelParameters = {
  specialMappings: { sealed: false, by: BY_CONFIG, prctl: false, vsyscall: false },
  vdso: true,
  vsyscall: "none",
  secretMemory: true,
  hugePages: "madvise",
  hugetlb: NO_HUGE_PAGES,
  anonNames: false,
};

/**
 * Interprets parameters in turn: of two that are about the same the last one holds, as on a command line.
 * @param releases every modelled release, oldest first
 * @throws RangeError that lists the known ones, or the values
 */
export function readParameters(
  texts: readonly string[],
  release: Release,
  releases: readonly Release[],
): KernelParameters {
  let parameters = DEFAULT_PARAMETERS;
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = equals === -1 ? text : text.slice(0, equals);
    const value = equals === -1 ? "" : text.slice(equals + 1);
    const hugetlb = readHugetlbParameter(parameters.hugetlb, name, value);
    if (hugetlb !== null) {
      parameters = { ...parameters, hugetlb };
      continue;
    }
    const design = PARAMETERS.find((one) => one.name === name);
    if (design === undefined)
      throw new RangeError(
        `${text}: no such parameter; there are ${[...PARAMETERS, ...HUGETLB_PARAMETERS].map((one) => one.name).join(", ")}`,
      );
    const index = design.values.indexOf(value);
    if (index === -1) throw new RangeError(`${text}: ${name} is one of ${design.values.join(", ")}`);
    const on = index === 0;
    const has = releases.findIndex((one) => one.name === design.since);
    if (on && releases.indexOf(release) < has)
      throw new RangeError(
        `${text}: Linux ${release.name} has no such option, ${design.since} is the first here`,
      );
    parameters = design.set(parameters, on, value);
  }
  return parameters;
}
