import type { NameTable } from "../../syscalls/argument.js";

/** `0x1000`, as strace prints numbers without a name; 0 is `0`. */
export function hex(value: bigint | number): string {
  return value === 0 || value === 0n ? "0" : `0x${value.toString(16)}`;
}

/** An address: `NULL` or hexadecimal. */
export function pointer(value: bigint | number): string {
  return value === 0 || value === 0n ? "NULL" : `0x${value.toString(16)}`;
}

/** One value of a table: `SEEK_SET`; `0x9 /* SEEK_??? *\/` where it has no name. */
export function choiceText(value: bigint, table: NameTable): string {
  const found = table.entries.find(([number]) => BigInt(number) === value);
  if (found) return found[1];
  return `${hex(value)} /* ${table.prefix} */`;
}

/** An OR of a table's bits: `PROT_READ|PROT_WRITE`. Bits without a name come last, in hexadecimal. */
export function flagsText(value: bigint, table: NameTable, zero?: string): string {
  if (value === 0n) return zero ?? table.entries.find(([number]) => number === 0)?.[1] ?? "0";
  const names: string[] = [];
  let rest = value;
  for (const [number, name] of table.entries) {
    const bits = BigInt.asUintN(64, BigInt(number));
    if (bits === 0n || (rest & bits) !== bits) continue;
    names.push(name);
    rest &= ~bits;
  }
  if (names.length === 0) return `${hex(rest)} /* ${table.prefix} */`;
  if (rest !== 0n) names.push(hex(rest));
  return names.join("|");
}

/** A fixed list of names as a table. */
export function table(prefix: string, entries: Readonly<Record<string, number>>): NameTable {
  return { prefix, entries: Object.entries(entries).map(([name, value]) => [value, name] as const) };
}
