import type { SwapSpace } from "../../mm/swap/swap-space.js";

/** /proc/swaps (swap_show): sizes in KiB, the areas by their numbers. */
export function formatSwaps(swap: SwapSpace): string {
  const kib = (pages: number): string => (pages * 4 < 10_000_000 ? `${pages * 4}\t` : `${pages * 4}`);
  const lines = swap.areas.map((area) => {
    if (area?.writable !== true) return "";
    const { host, usable, used, priority } = area;
    const path = host
      .path()
      .replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
    const type = host.isBlockDevice ? "partition" : "file\t";
    return `${path.padEnd(39)} ${type}\t${kib(usable)}\t${kib(used)}\t${priority}\n`;
  });
  return `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${lines.join("")}`;
}
