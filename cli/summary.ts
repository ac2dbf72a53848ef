import { areaText, grouped } from "../debug/explain/refusal-text.js";
import type { Machine } from "../debug/machine.js";

/** --maps: the areas at the end, with what /proc/self/maps does not show. */
export function mapsLines(machine: Machine): string[] {
  const areas = machine.areas();
  if (areas.length === 0) return ["maps: the program's memory is gone"];
  return areas.map((area) => {
    const [range, ...rest] = areaText(area).split(", ");
    return `${range!.padEnd(32)} ${rest.join(", ")}`;
  });
}

/** --stats. @param milliseconds real time from the first instruction to the last */
export function statsLines(machine: Machine, milliseconds: number): string[] {
  const { kernel, task, instructions } = machine;
  const { mm } = task;
  const rows: [string, string][] = [
    ["instructions", grouped(instructions)],
    ["system calls", grouped(kernel.syscalls)],
    ["page faults", `${grouped(mm.stats.minorFaults + mm.stats.majorFaults)} mended`],
    ["TLB misses", grouped(kernel.mmu.walks)],
    ["memory", `${grouped(kernel.frames.inUse * 4)} KiB in use`],
    ["resident", `${grouped(Math.round(process.resourceUsage().maxRSS / 1024))} MiB of the host at most`],
    [
      "time",
      `${milliseconds.toFixed(1)} ms, ${rate(instructions, milliseconds)} million instructions a second`,
    ],
  ];
  return rows.map(([name, value]) => `${name.padEnd(13)} ${value}`);
}

function rate(instructions: number, milliseconds: number): string {
  return milliseconds > 0 ? (instructions / milliseconds / 1000).toFixed(1) : "0";
}
