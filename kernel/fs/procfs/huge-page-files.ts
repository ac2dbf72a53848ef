import { EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import { directory, file } from "./file-system.js";
import type { Node } from "./file-system.js";
import { integerFile } from "./settings.js";

/** More than could ever be had. */
const MOST = Number.MAX_SAFE_INTEGER;

/** What a count of 64 bits without a sign shows: promises can be below 0 for a while. */
function unsigned(count: number): string {
  return BigInt.asUintN(64, BigInt(count)).toString();
}

/** The lines of /proc/meminfo, in the order there (hugetlb_report_meminfo). */
export function hugePageCounts({ hugePages }: Kernel): (readonly [string, number | string])[] {
  return [
    ["HugePages_Total", hugePages.total],
    ["HugePages_Free", hugePages.free],
    ["HugePages_Rsvd", unsigned(hugePages.reserved)],
    ["HugePages_Surp", hugePages.surplus],
    ["Hugepagesize", 2048],
    ["Hugetlb", hugePages.total * 2048],
  ];
}

/** The settings in /proc/sys/vm. */
export function hugePageSettings({ hugePages }: Kernel): Record<string, Node> {
  const total = (): Node =>
    integerFile(
      () => hugePages.asked,
      (count) => hugePages.setTotal(count),
      0,
      MOST,
    );
  return {
    hugetlb_shm_group: integerFile(
      () => hugePages.sharedMemoryGroup,
      (group) => (hugePages.sharedMemoryGroup = group),
      0,
      0xffff_ffff,
    ),
    nr_hugepages: total(),
    nr_hugepages_mempolicy: total(),
    nr_overcommit_hugepages: integerFile(
      () => hugePages.overcommit,
      (count) => (hugePages.overcommit = count),
      0,
      MOST,
    ),
  };
}

/** A count that is written without a sign or a space (kstrtoul). */
function count(get: () => number, set: (value: number) => void): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${get()}\n`,
    write: (text) => {
      const word = text.replace(/\0.*$/s, "").replace(/\n$/, "");
      if (!/^\+?(0[xX][0-9a-fA-F]+|\d+)$/.test(word)) return -EINVAL;
      set(/^\+?0\d/.test(word) ? Number.parseInt(word, 8) : Number(word));
      return 0;
    },
  };
}

/** /sys/kernel/mm/hugepages. */
export function hugePagePools(kernel: Kernel): Record<string, Node> {
  return { "hugepages-2048kB": directory(() => poolFiles(kernel)) };
}

function poolFiles({ hugePages }: Kernel): Record<string, Node> {
  const total = (): Node =>
    count(
      () => hugePages.total,
      (value) => hugePages.setTotal(value),
    );
  return {
    free_hugepages: file(() => `${hugePages.free}\n`),
    nr_hugepages: total(),
    nr_hugepages_mempolicy: total(),
    nr_overcommit_hugepages: count(
      () => hugePages.overcommit,
      (value) => (hugePages.overcommit = value),
    ),
    resv_hugepages: file(() => `${unsigned(hugePages.reserved)}\n`),
    surplus_hugepages: file(() => `${hugePages.surplus}\n`),
  };
}

/** /sys/devices/system/node/node0/hugepages: all pages are on the one node. */
export function nodeHugePagePools(kernel: Kernel): Record<string, Node> {
  return {
    "hugepages-2048kB": directory(() => {
      const { free_hugepages, nr_hugepages, surplus_hugepages } = poolFiles(kernel);
      return {
        free_hugepages: free_hugepages!,
        nr_hugepages: nr_hugepages!,
        surplus_hugepages: surplus_hugepages!,
      };
    }),
  };
}
