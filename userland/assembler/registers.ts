import { Register, RegisterExt } from "iced-x86";

/** What a register is, for matching it against an instruction form's operand. */
export interface RegisterInfo {
  readonly register: Register;
  /** Bytes; 10 for an x87 register. */
  readonly size: number;
  readonly kind: "general" | "mmx" | "xmm" | "x87" | "segment" | "control" | "debug" | "other";
}

let byName: Map<string, RegisterInfo> | undefined;

function kindOf(register: Register): RegisterInfo["kind"] {
  if (RegisterExt.isGPR(register)) return "general";
  if (RegisterExt.isMM(register)) return "mmx";
  if (RegisterExt.isXMM(register)) return "xmm";
  if (RegisterExt.isST(register)) return "x87";
  if (RegisterExt.isSegmentRegister(register)) return "segment";
  if (RegisterExt.isCR(register)) return "control";
  if (RegisterExt.isDR(register)) return "debug";
  return "other";
}

function build(): Map<string, RegisterInfo> {
  const names = new Map<string, RegisterInfo>();
  for (const [name, register] of Object.entries(Register)) {
    if (typeof register !== "number" || register === Register.None || name.startsWith("DontUse")) continue;
    const info = { register, size: RegisterExt.size(register), kind: kindOf(register) };
    const lower = name.toLowerCase();
    names.set(lower, info);
    // iced calls the low bytes R8L; the manuals' other name is r8b.
    if (/^r\d+l$/.test(lower)) names.set(lower.slice(0, -1) + "b", info);
    if (info.kind === "x87") names.set(`st(${lower.slice(2)})`, info);
  }
  names.set("st", names.get("st0")!);
  return names;
}

/** The register of that name (`rax`, `r8b`, `xmm3`, `st(1)`), or undefined. */
export function findRegister(name: string): RegisterInfo | undefined {
  byName ??= build();
  return byName.get(name);
}
