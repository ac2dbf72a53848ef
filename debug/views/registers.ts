import { meaningOf } from "./meaning.js";
import type { RegisterRow } from "./rows.js";
import { hex, type RegisterValues, type View } from "./view.js";

const FLAGS = [
  ["CF", 0x1],
  ["PF", 0x4],
  ["AF", 0x10],
  ["ZF", 0x40],
  ["SF", 0x80],
  ["TF", 0x100],
  ["IF", 0x200],
  ["DF", 0x400],
  ["OF", 0x800],
  ["NT", 0x4000],
  ["RF", 0x1_0000],
  ["AC", 0x4_0000],
  ["ID", 0x20_0000],
] as const;

/** The order in which gdb shows them. */
const ORDER =
  "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip rflags fs_base gs_base".split(
    " ",
  ) as (keyof RegisterValues)[];

/** The names of the flags that are set, as gdb writes them: `[ ZF PF IF ]`. */
export function flagsText(flags: number): string {
  const names = FLAGS.flatMap(([name, bit]) => ((flags & bit) !== 0 ? [name] : []));
  return `[ ${names.join(" ")}${names.length > 0 ? " " : ""}]`;
}

/** General registers, RIP, flags and the bases of FS and GS; PKRU where the processor has it. */
export function registerRows(view: View, before?: RegisterValues): RegisterRow[] {
  const { registers } = view;
  const names = view.machine.kernel.pku ? [...ORDER, "pkru" as const] : ORDER;
  return names.map((name) => {
    const value = registers[name];
    const changed = before !== undefined && before[name] !== value;
    const meaning = meaningIn(view, name, value);
    const text = `${changed ? "*" : " "}${name.padEnd(8)} ${hex(value).padEnd(18)}${meaning === "" ? "" : ` ${meaning}`}`;
    return { name, value, changed, meaning, text: text.trimEnd() };
  });
}

function meaningIn(view: View, name: keyof RegisterValues, value: bigint): string {
  if (name === "rflags") return flagsText(Number(value));
  if (name === "pkru") return pkruText(Number(value));
  if (name === "rip") {
    const symbol = view.nameAt(Number(value));
    return symbol === undefined ? "" : `<${symbol}>`;
  }
  return meaningOf(view, value);
}

/** The keys that PKRU leaves something of: `key 0 rw, key 1 r`. */
export function pkruText(pkru: number): string {
  const open: string[] = [];
  for (let key = 0; key < 16; key++) {
    const rights = (pkru >>> (2 * key)) & 3;
    if (rights === 0) open.push(`key ${key} rw`);
    else if (rights === 2) open.push(`key ${key} r`);
  }
  return open.length === 16 ? "all keys rw" : open.length === 0 ? "no key" : open.join(", ");
}
