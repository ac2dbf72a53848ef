/**
 * The calls of 32-bit programs, as INT 0x80 makes them (CONFIG_IA32_EMULATION): most are those of 64-bit programs under
 * other numbers, the rest are converted. Built when the first is made.
 */

import { IA32_CALLS } from "../../kernel/syscall-dispatch.js";
import type { Definition, SyscallTable } from "../table.js";
import type { Converter } from "./converter.js";
import { fileConverters } from "./files.js";
import { identityConverters } from "./identity.js";
import { memoryConverters } from "./memory.js";
import { processConverters } from "./process.js";
import { SAME } from "./same.js";
import { systemConverters } from "./system.js";
import { timeConverters } from "./time.js";

export type Ia32Table = ReadonlyMap<number, Definition>;

/** The table by numbers with IA32_CALLS added. */
export function ia32Table(native: SyscallTable): Ia32Table {
  const table = new Map<number, Definition>();
  for (const [, number, name, other] of SAME.matchAll(/(\d+):(\w+)(?:=(\w+))?/g)) {
    const definition = native.named(other ?? name!);
    if (definition !== undefined) add(table, { ...definition, number: Number(number), name: name! });
  }
  const converters: readonly Converter[] = [
    ...fileConverters,
    ...identityConverters,
    ...memoryConverters,
    ...processConverters,
    ...systemConverters,
    ...timeConverters,
  ];
  for (const { number, name, native: of, args, convert } of converters) {
    const definition = of === null ? null : native.named(of);
    if (definition === undefined) continue;
    const handler: Definition["handler"] = (call) => convert(call, definition?.handler ?? none);
    const returns = definition?.returns;
    add(table, { number, name, args, handler, ...(returns === undefined ? {} : { returns }) });
  }
  return table;
}

function add(table: Map<number, Definition>, definition: Definition): void {
  const number = IA32_CALLS + definition.number;
  if (table.has(number)) throw new Error(`call ${definition.name} of 32-bit programs is defined twice`);
  table.set(number, { ...definition, number });
}

const none = (): never => {
  throw new Error("a call of 32-bit programs without a 64-bit one");
};
