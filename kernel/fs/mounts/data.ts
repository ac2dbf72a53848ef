import { MS_DIRSYNC, MS_LAZYTIME, MS_MANDLOCK, MS_RDONLY, MS_SYNCHRONOUS } from "./flags.js";

/** The options in mount(2)'s last argument. */
export interface MountData {
  /** MS_* bits that words like "ro" and "sync" set, and those that "rw" and "async" clear. */
  readonly set: number;
  readonly cleared: number;
  /** All others, in order; an option without "=" has no value. */
  readonly rest: readonly { readonly name: string; readonly value: string | null }[];
}

/** fs/fs_context.c: common_set_sb_flag, common_clear_sb_flag. */
const SET: Readonly<Record<string, number>> = {
  dirsync: MS_DIRSYNC,
  lazytime: MS_LAZYTIME,
  mand: MS_MANDLOCK,
  ro: MS_RDONLY,
  sync: MS_SYNCHRONOUS,
};
const CLEARED: Readonly<Record<string, number>> = {
  async: MS_SYNCHRONOUS,
  nolazytime: MS_LAZYTIME,
  nomand: MS_MANDLOCK,
  rw: MS_RDONLY,
};

/** "a,b=c": generic_parse_monolithic. */
export function parseMountData(text: string): MountData {
  let set = 0;
  let cleared = 0;
  const rest: { name: string; value: string | null }[] = [];
  for (const option of text.split(",")) {
    if (option === "" || option.startsWith("=")) continue;
    const equals = option.indexOf("=");
    const name = equals < 0 ? option : option.slice(0, equals);
    const [on, off] = [SET[name] ?? 0, CLEARED[name] ?? 0];
    if (on === 0 && off === 0) rest.push({ name, value: equals < 0 ? null : option.slice(equals + 1) });
    set = (set | on) & ~off;
    cleared = (cleared | off) & ~on;
  }
  return { set, cleared, rest };
}

/** A number with K, M, G, T, P or E behind it (lib/cmdline.c: memparse), and what follows; 0 where there is none. */
export function memparse(text: string): { value: number; rest: string } {
  const digits = /^(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text)?.[0] ?? "";
  const octal = /^0[0-7]+$/.test(digits);
  const value = digits === "" ? 0 : octal ? parseInt(digits, 8) : Number(digits);
  const unit = "kmgtpe".indexOf((text[digits.length] ?? " ").toLowerCase());
  if (unit < 0) return { value, rest: text.slice(digits.length) };
  return { value: value * 1024 ** (unit + 1), rest: text.slice(digits.length + 1) };
}
