import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Pages of the host's pool of huge ones that are free and promised to nobody; 0 where there is no pool. */
export function freeHugePages(): number {
  const meminfo = readFileSync("/proc/meminfo", "latin1");
  const figure = (name: string): number =>
    Number(new RegExp(`^HugePages_${name}: +(\\d+)$`, "m").exec(meminfo)?.[1] ?? 0);
  return figure("Free") - figure("Rsvd");
}

const SETTINGS = "/sys/kernel/mm/transparent_hugepage";
const LARGE = "hugepages-2048kB";

/** What keeps the host from having transparent huge pages of 2 MiB, and no others, where they are advised; or null. */
export function unlikeOurs(): string | null {
  const chosen = (file: string, absent: string): string =>
    existsSync(file) ? (/\[(\w+)\]/.exec(readFileSync(file, "latin1"))?.[1] ?? "") : absent;
  if (chosen(`${SETTINGS}/enabled`, "never") !== "madvise") return `${SETTINGS}/enabled is not madvise`;
  // Older kernels have no sizes to be set.
  if (chosen(`${SETTINGS}/${LARGE}/enabled`, "inherit") === "never")
    return `${SETTINGS}/${LARGE}/enabled is never`;
  const others = readdirSync(SETTINGS).filter((name) => /^hugepages-\d+kB$/.test(name));
  const size = others.find(
    (name) => name !== LARGE && chosen(`${SETTINGS}/${name}/enabled`, "never") !== "never",
  );
  return size === undefined ? null : `${SETTINGS}/${size}/enabled is not never`;
}
