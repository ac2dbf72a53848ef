import { Code, CodeExt, CpuidFeature, EncodingKind, FlowControl, Instruction, Mnemonic } from "iced-x86";

/** What a CPU of the x86-64-v2 level (with PKU) announces, as iced names it. */
const ANNOUNCED: ReadonlySet<string> = new Set([
  ...["INTEL8086", "INTEL186", "INTEL286", "INTEL386", "INTEL486", "X64", "CPUID", "SYSCALL", "PAUSE", "TSC"],
  ...["CMOV", "CX8", "CMPXCHG16B", "MULTIBYTENOP", "CET_IBT", "RDTSCP", "FSGSBASE", "PKU", "POPCNT"],
  ...["FPU", "FPU287", "FPU387", "FPU+CMOV", "FPU+SSE3", "MMX", "FXSR", "XSAVE", "CLFSH"],
  ...["SSE", "SSE2", "SSE3", "SSSE3", "SSE4_1", "SSE4_2"],
]);

/** A form that user mode has, and whether its cases are generated or written by hand. */
export interface AnnouncedCode {
  readonly code: Code;
  /** `Add_rm8_r8` */
  readonly name: string;
  /** `add`, in lower case. */
  readonly mnemonic: string;
  readonly feature: string;
  /** Undefined where cases are generated; else why they are not. */
  readonly byHand: string | undefined;
}

/** What no test compares, each with its reason. */
const LEFT_OUT: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(Cpuid|Rdtsc|Rdtscp|Xgetbv)$/, "gives what the machine is, not what the instruction does"],
  [
    /^(Sldt|Str|Sgdt|Sidt|Smsw|Lar|Lsl|Verr|Verw)_/,
    "looks at the kernel's descriptor tables (UMIP, segments)",
  ],
  [/^(Lss|Lfs|Lgs)_/, "loads segment selectors, which are the kernel's"],
  [
    /^(Mov_Sreg_|Mov_rm16_Sreg|Mov_r32m16_Sreg|Mov_r64m16_Sreg|Pop[wq]_[FG]S|Push[wq]_[FG]S)/,
    "moves segment selectors",
  ],
  [/^(Retf|Iret|Call_m16|Jmp_m16)/, "changes the code segment"],
  [/^(Sysenter|Syscall|Int_imm8|Int1)$/, "enters the kernel: the samples and the signal tests do it"],
  [/^(Retnw|Call_rm16|Jmp_rm16|Call_rel16)/, "a 16-bit branch ends outside any program"],
  [
    /^F(n?eni|n?disi|n?setpm)$|^(Feni|Fneni|Fdisi|Fndisi|Fsetpm|Fnsetpm|Fstdw_AX|Fstsg_AX|Frstpm)$/,
    "an x87 of the past",
  ],
  [/^(Xsaveopt|Xsavec|Xsaves|Xrstors)/, "not announced"],
  [/^Fstpnce_sti$|_(DCD0|DCD8|DDC8|DED0|DFC8|DFD0|DFD8)$/, "an undocumented alias"],
  [/^F(stenv_|stcw|clex|init|save_|stsw)/, "is WAIT and the form without it"],
  [/^Bswap_r16$/, "its result is undefined"],
  [/^(Movsxd_r16_rm16|Ud0)$/, "AMD's reading of the bytes"],
  [/^Ud0_/, "its length differs between makers"],
];

/** Forms whose operands are pointers, stacks, whole state areas or places in the code. */
const BY_HAND: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/^(Movs[bwdq]_m|Cmps[bwdq]_m|Stos|Lods|Scas)/, "string"],
  [/^(Push|Pop)(?!cnt)|^(Enter|Leave)/, "stack"],
  [/^Lea_|^Xlat|^Mov_.*moffs/, "address"],
  [/^(Fxsave|Fxrstor|Xsave|Xrstor|Ldmxcsr|Stmxcsr)/, "state"],
  [
    /^F(nsave|rstor|nstenv|ldenv)_|^(Fninit|Fnclex|Fldcw|Fnstcw|Fnstsw|Fincstp|Fdecstp|Ffree|Wait)/,
    "x87 state",
  ],
  [/^(Emms)$/, "x87 state"],
  [/^(Rdfsbase|Rdgsbase|Wrfsbase|Wrgsbase|Rdpkru|Wrpkru)/, "system"],
  [/^Maskmov/, "string"],
  [/^(Clflush)/, "address"],
];

function announcedCode(code: Code): AnnouncedCode | undefined {
  const info = CodeExt.opCode(code);
  const instruction = new Instruction();
  try {
    instruction.code = code;
    const feature = Array.from(instruction.cpuidFeatures(), (one) => CpuidFeature[one as number]).join("+");
    const exists = info.isInstruction && info.mode64 && info.intelDecoder64 && info.decoderOption === 0;
    if (info.encoding !== EncodingKind.Legacy || !exists || !ANNOUNCED.has(feature) || info.isPrivileged)
      return undefined;
    const name = Code[code]!;
    if (LEFT_OUT.some(([pattern]) => pattern.test(name))) return undefined;
    const branches = instruction.flowControl !== FlowControl.Next ? "control flow" : undefined;
    const byHand = branches ?? BY_HAND.find(([pattern]) => pattern.test(name))?.[1];
    return { code, name, mnemonic: Mnemonic[info.mnemonic]!.toLowerCase(), feature, byHand };
  } finally {
    instruction.free();
    info.free();
  }
}

/** Every form of x86-64-v2 that user mode has and a test can compare, in iced's order. */
export function announcedCodes(): AnnouncedCode[] {
  return Object.values(Code).flatMap((code) =>
    typeof code === "number" && code !== 0 ? (announcedCode(code) ?? []) : [],
  );
}
