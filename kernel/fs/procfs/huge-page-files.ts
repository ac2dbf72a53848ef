import { EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { HugePagePool } from "../../mm/hugetlb/pool.js";
import type { HugePagePools } from "../../mm/hugetlb/pools.js";
import type { Release } from "../../release.js";
import { memparse } from "../mounts/data.js";
import { directory, file } from "./file-system.js";
import type { Node } from "./file-system.js";
import { integerFile } from "./settings.js";

/** More than could ever be had. */
const MOST = Number.MAX_SAFE_INTEGER;

/** What a count of 64 bits without a sign shows: promises can be below 0 for a while. */
function unsigned(count: number): string {
  return BigInt.asUintN(64, BigInt(count)).toString();
}

/** The lines of /proc/meminfo, in the order there: of the default size, but for the last (hugetlb_report_meminfo). */
export function hugePageCounts({ hugePages }: Kernel): (readonly [string, number | string])[] {
  const pool = hugePages.default;
  hugePages.all.forEach(settled);
  return [
    ["HugePages_Total", pool.total],
    ["HugePages_Free", pool.free],
    ["HugePages_Rsvd", unsigned(pool.reserved)],
    ["HugePages_Surp", pool.surplus],
    ["Hugepagesize", pool.bytes / 1024],
    ["Hugetlb", hugePages.bytes / 1024],
  ];
}

/** The settings in /proc/sys/vm: of the default size. */
export function hugePageSettings({ hugePages, release }: Kernel): Record<string, Node> {
  const pool = hugePages.default;
  const total = (): Node =>
    integerFile(
      () => pool.asked,
      (count) => pool.setTotal(count),
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
    nr_overcommit_hugepages: fixedWhere(
      !mayOvercommit(pool, release),
      integerFile(
        () => pool.overcommit,
        (count) => (pool.overcommit = count),
        0,
        MOST,
      ),
    ),
  };
}

/** As a file that can be read but not changed: writing is EINVAL. */
function fixedWhere(fixed: boolean, node: Node): Node {
  return fixed && node.kind === "file" ? { ...node, write: () => -EINVAL } : node;
}

/** There can be surplus pages of this size by overcommit. */
function mayOvercommit(pool: HugePagePool, { rules }: Release): boolean {
  return !pool.isGigantic || rules.giganticPagesOvercommit;
}

/** A number without a sign, in base 10; null for anything else (kstrtoul). */
function numberIn(text: string): number | null {
  const word = text.replace(/\0.*$/s, "").replace(/\n$/, "");
  return /^\+?\d+$/.test(word) ? Number(word) : null;
}

/** What takes a count (kstrtoul). @param set 0 or -errno */
function taking(set: (value: number) => number): (text: string) => number {
  return (text) => {
    const value = numberIn(text);
    return value === null ? -EINVAL : set(value);
  };
}

/** A pool whose counts are to be told. */
function settled(pool: HugePagePool): HugePagePool {
  pool.sweep();
  return pool;
}

function count(get: () => number, set: (value: number) => void): Node {
  const write = taking((value) => {
    set(value);
    return 0;
  });
  return { kind: "file", mode: 0o644, content: () => `${get()}\n`, write };
}

/** /sys/kernel/mm/hugepages. */
export function hugePagePools(kernel: Kernel): Record<string, Node> {
  return Object.fromEntries(
    kernel.hugePages.all.map((pool) => [pool.name, directory(() => poolFiles(kernel, pool))]),
  );
}

/** /sys/devices/system/node/node0/hugepages: all pages are on the one node. */
export function nodeHugePagePools(kernel: Kernel): Record<string, Node> {
  const ofMachine = ["resv_hugepages", "nr_hugepages_mempolicy", "nr_overcommit_hugepages"];
  const files = (pool: HugePagePool): Record<string, Node> =>
    Object.fromEntries(Object.entries(poolFiles(kernel, pool)).filter(([name]) => !ofMachine.includes(name)));
  return Object.fromEntries(kernel.hugePages.all.map((pool) => [pool.name, directory(() => files(pool))]));
}

function poolFiles({ hugePages, release }: Kernel, pool: HugePagePool): Record<string, Node> {
  const total = (): Node =>
    count(
      () => settled(pool).total,
      (value) => pool.setTotal(value),
    );
  const smaller = hugePages.below(pool);
  const overcommit = count(
    () => pool.overcommit,
    (value) => (pool.overcommit = value),
  );
  return {
    ...(smaller === undefined ? {} : { demote_size: demotedSize(hugePages, smaller) }),
    free_hugepages: file(() => `${pool.free}\n`),
    resv_hugepages: file(() => `${unsigned(settled(pool).reserved)}\n`),
    surplus_hugepages: file(() => `${settled(pool).surplus}\n`),
    nr_hugepages_mempolicy: total(),
    ...(smaller === undefined ? {} : { demote: demotion(pool, smaller) }),
    nr_hugepages: total(),
    nr_overcommit_hugepages: fixedWhere(!mayOvercommit(pool, release), overcommit),
  };
}

/** What size a page's parts get: here there is one that is smaller. */
function demotedSize(pools: HugePagePools, smaller: HugePagePool): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${smaller.bytes / 1024}kB\n`,
    write: (text) => (pools.ofSize(memparse(text).value) === smaller ? 0 : -EINVAL),
  };
}

function demotion(pool: HugePagePool, smaller: HugePagePool): Node {
  return {
    kind: "file",
    mode: 0o200,
    content: () => "",
    write: taking((most) => pool.demote(most, smaller)),
  };
}
