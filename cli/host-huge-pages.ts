import { readFileSync } from "node:fs";

/** Pages of the host's pool of huge ones that are free and promised to nobody; 0 where there is no pool. */
export function freeHugePages(): number {
  const meminfo = readFileSync("/proc/meminfo", "latin1");
  const figure = (name: string): number =>
    Number(new RegExp(`^HugePages_${name}: +(\\d+)$`, "m").exec(meminfo)?.[1] ?? 0);
  return figure("Free") - figure("Rsvd");
}
