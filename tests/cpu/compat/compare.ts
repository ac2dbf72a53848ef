import type { Answer } from "./layout.js";
import type { Generated } from "./generator.js";

const SIGALRM = 14;
const TF = 0x100;
const AC = 0x40000;
const RF = 0x10000;
const DIVIDE = 0;
const SHOWN_FLAGS = 0x204cd5;

/** How two answers differ, or null. Cases that do not end are no difference. */
export function difference(c: Generated, real: Answer, own: Answer | null): string | null {
  if (real.signal === SIGALRM || own === null) return null;
  // A trap flag or alignment checks that the case sets change what its end is.
  if (((real.flags | own.flags) & (TF | AC)) !== 0) return null;
  const mask = SHOWN_FLAGS & ~c.undefinedFlags & ~RF;
  if (c.hasUndefinedResult) return null;
  const parts: string[] = [];
  const tell = (name: string, a: bigint | number, b: bigint | number): void => {
    if (a !== b) parts.push(`${name} ${a.toString(16)} not ${b.toString(16)}`);
  };
  tell("signal", real.signal, own.signal);
  // FXRSTOR looks at its first byte's limit, its alignment, then its last byte's limit: #SS or #GP.
  if (c.text.startsWith("fxrstor") && own.trap === 12 && real.trap === 13) return null;
  tell("trap", real.trap, own.trap);
  if (parts.length === 0) {
    tell("error", real.error, own.error);
    // FXRSTOR looks at its last byte first, a masked store at its first even where the mask leaves it out.
    if (real.trap === 14 && !/^(fx|maskmov)/.test(c.text)) tell("cr2", real.cr2, own.cr2);
  }
  tell("rip", real.rip, own.rip);
  // Of a #DE the flags are undefined.
  if (real.trap !== DIVIDE) tell("flags", real.flags & mask, own.flags & mask);
  real.regs.forEach((value, i) => tell(NAMES[i]!, value, own.regs[i]!));
  // The way through the kernel makes a null selector 0.
  real.selectors.forEach((value, i) =>
    tell(SEGMENTS[i]!, value, own.selectors[i]! < 4 ? 0 : own.selectors[i]!),
  );
  tell("memory", real.memory, own.memory);
  real.floats.forEach((value, i) => tell(FLOATS[i]!, value, own.floats[i]!));
  return parts.length === 0 ? null : parts.join(", ");
}

const NAMES = ["eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"];
const SEGMENTS = ["cs", "ss", "ds", "es", "fs", "gs"];
const FLOATS = ["fcw", "fsw", "ftw", "mxcsr", "fp registers"];

/** The case in words. */
export function describeCase(c: Generated): string {
  const hex = (n: number): string => n.toString(16);
  const segments = `cs ${hex(c.cs)} ss ${hex(c.ss)} ds ${hex(c.ds)} es ${hex(c.es)} fs ${hex(c.fs)} gs ${hex(c.gs)}`;
  const registers = c.regs.map((value, i) => `${NAMES[i]} ${hex(value)}`).join(" ");
  return `${c.text} (${Buffer.from(c.code).toString("hex")} at ${hex(c.offset)})\n  ${segments} flags ${hex(c.flags)} ${registers}`;
}
