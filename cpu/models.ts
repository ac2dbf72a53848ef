import { CpuidFeature } from "iced-x86";

/** What CPUID returns for one leaf. */
export interface CpuidResult {
  eax: number;
  ebx: number;
  ecx: number;
  edx: number;
}

/** A named CPU: what it announces works, what it does not announce is #UD. */
export interface CpuModel {
  readonly name: string;
  readonly pku: boolean;
  /** iced's feature numbers of every instruction that runs. */
  readonly features: ReadonlySet<number>;
  /** Names as /proc/cpuinfo prints them. */
  readonly flags: readonly string[];
  cpuid(leaf: number, subleaf: number): CpuidResult;
}

/** Standard-format XSAVE area: legacy region and header, then PKRU where Intel's processors have it. */
export const XSAVE_PKRU_OFFSET = 2688;
export const XSAVE_BYTES_WITH_PKRU = 2696;
export const XSAVE_BYTES_LEGACY = 576;
/** XCR0: x87 and SSE always, PKRU (bit 9) with keys. */
export const XCR0_LEGACY = 0x3;
export const XCR0_PKRU = 0x200;

const F = CpuidFeature;
const BASE_FEATURES: number[] = [
  F.INTEL8086,
  F.INTEL186,
  F.INTEL286,
  F.INTEL386,
  F.INTEL486,
  F.X64,
  F.CMOV,
  F.CPUID,
  F.CX8,
  F.FPU,
  F.FPU287,
  F.FPU387,
  F.FXSR,
  F.MMX,
  F.MULTIBYTENOP,
  F.PAUSE,
  F.SEP,
  F.SSE,
  F.SSE2,
  F.SYSCALL,
  F.TSC,
  F.CLFSH,
  F.CET_IBT,
  F.CET_SS,
  F.PREFETCHW,
  F.FSGSBASE,
  F.XSAVE,
  F.RDTSCP,
  F.INTEL8086_ONLY,
  F.INTEL286_ONLY,
  F.INTEL386_ONLY,
  F.MSR,
  F.BMI1,
  F.LZCNT,
];
const V2_FEATURES: number[] = [F.SSE3, F.SSSE3, F.SSE4_1, F.SSE4_2, F.POPCNT, F.CMPXCHG16B];

const FLAGS_V1 =
  "fpu tsc msr cx8 cmov clflush mmx fxsr sse sse2 syscall nx pdpe1gb lm rep_good nopl cpuid xsave fsgsbase rdtscp".split(
    " ",
  );
const FLAGS_V2 = "pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm".split(" ");

/** Names that `--cpu` takes. */
export const CPU_MODEL_NAMES = ["x86-64-v1", "x86-64-v2"] as const;

/** @returns undefined for a name that is not in CPU_MODEL_NAMES */
export function cpuModel(name: string, pku = true): CpuModel | undefined {
  if (!(CPU_MODEL_NAMES as readonly string[]).includes(name)) return undefined;
  const v2 = name === "x86-64-v2";
  // BMI1's TZCNT and LZCNT without their features run as BSF and BSR: their code is the same but for an ignored prefix.
  const features = new Set([...BASE_FEATURES, ...(v2 ? V2_FEATURES : []), ...(pku ? [F.PKU] : [])]);
  return {
    name,
    pku,
    features,
    flags: [...FLAGS_V1, ...(v2 ? FLAGS_V2 : []), ...(pku ? ["pku", "ospke"] : [])],
    cpuid: (leaf, subleaf) => cpuidOf(v2, pku, leaf >>> 0, subleaf >>> 0),
  };
}

const bits = (...numbers: number[]): number => numbers.reduce((sum, n) => (sum | (1 << n)) >>> 0, 0);
const ascii = (text: string): number =>
  text.charCodeAt(0) | (text.charCodeAt(1) << 8) | (text.charCodeAt(2) << 16) | (text.charCodeAt(3) << 24);

const BRAND = "sealab virtual CPU".padEnd(48, "\0");

function cpuidOf(v2: boolean, pku: boolean, leaf: number, subleaf: number): CpuidResult {
  const xsaveBytes = pku ? XSAVE_BYTES_WITH_PKRU : XSAVE_BYTES_LEGACY;
  switch (leaf) {
    case 0:
      return { eax: 0xd, ebx: ascii("Genu"), edx: ascii("ineI"), ecx: ascii("ntel") };
    case 1:
      return {
        eax: 0x000106a1,
        ebx: (8 << 8) | (1 << 16),
        ecx: (bits(26, 27) | (v2 ? bits(0, 9, 13, 19, 20, 23) : 0) | bits(31)) >>> 0,
        edx: bits(0, 3, 4, 5, 6, 8, 13, 15, 16, 19, 23, 24, 25, 26),
      };
    case 7:
      return subleaf === 0 ? { eax: 0, ebx: bits(0, 6, 13), ecx: pku ? bits(3, 4) : 0, edx: 0 } : NOTHING;
    case 0xd:
      if (subleaf === 0)
        return { eax: XCR0_LEGACY | (pku ? XCR0_PKRU : 0), ebx: xsaveBytes, ecx: xsaveBytes, edx: 0 };
      if (subleaf === 9 && pku) return { eax: 8, ebx: XSAVE_PKRU_OFFSET, ecx: 0, edx: 0 };
      return NOTHING;
    case 0x80000000:
      return { eax: 0x80000008, ebx: 0, ecx: 0, edx: 0 };
    case 0x80000001:
      return { eax: 0, ebx: 0, ecx: v2 ? 1 : 0, edx: bits(11, 20, 26, 27, 29) };
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = (leaf - 0x80000002) * 16;
      const word = (i: number): number => ascii(BRAND.slice(at + 4 * i, at + 4 * i + 4));
      return { eax: word(0), ebx: word(1), ecx: word(2), edx: word(3) };
    }
    case 0x80000008:
      return { eax: 32 | (48 << 8), ebx: 0, ecx: 0, edx: 0 };
    default:
      return NOTHING;
  }
}
const NOTHING: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
