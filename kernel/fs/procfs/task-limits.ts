import { RLIM_NLIMITS } from "../../limits.js";
import type { Limits } from "../../limits.js";

const NAMES: readonly (readonly [name: string, unit: string])[] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

/** /proc/pid/limits (proc_pid_limits). */
export function limitsText(limits: Limits): string {
  const column = (value: number): string => (value === Infinity ? "unlimited" : `${value}`).padEnd(20);
  let out = `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} ${"Units".padEnd(10)}\n`;
  for (let i = 0; i < RLIM_NLIMITS; i++) {
    const { soft, hard } = limits.get(i);
    const [name, unit] = NAMES[i]!;
    out += `${name.padEnd(25)} ${column(soft)} ${column(hard)} ${unit === "" ? "" : unit.padEnd(10)}\n`;
  }
  return out;
}
