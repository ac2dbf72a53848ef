import type { FrameAllocator } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { HugePage } from "./huge-page.js";
import { HugePagePool } from "./pool.js";

/** What a kernel is told of huge pages when it boots. */
export interface HugetlbParameters {
  /** Bytes of a page where no size is named; null: nothing was said. */
  readonly defaultBytes: number | null;
  /** How many pages of which sizes are in the pools from the start; null is the default size. */
  readonly pages: readonly { readonly bytes: number | null; readonly count: number }[];
  /** What size the next number is of; null is the default one. */
  readonly named: number | null;
}

/** The pools of huge pages of the machine, one for each size that its processor has (hstates, mm/hugetlb.c). */
export class HugePagePools {
  /** In the order in which they are told of. */
  readonly all: readonly HugePagePool[];
  /** The one that is meant where no size is named (default_hstate). */
  readonly default: HugePagePool;
  /** vm.hugetlb_shm_group: its members may have shared memory of huge pages. */
  sharedMemoryGroup = 0;

  /**
   * @param gigantic the processor has pages of 1 GiB (pdpe1gb)
   * @param defaultBytes default_hugepagesz=
   */
  constructor(frames: FrameAllocator, gigantic: boolean, defaultBytes: number) {
    const giganticFirst = gigantic && defaultBytes === 2 ** 30;
    const device = (first: boolean) => ({ major: 0, minor: first ? 17 : 18 });
    const pool = new HugePagePool(frames, 2, device(!giganticFirst));
    this.all = gigantic ? [pool, new HugePagePool(frames, 3, device(giganticFirst))] : [pool];
    this.default = giganticFirst ? this.all[1]! : pool;
  }

  /** size_to_hstate */
  ofSize(bytes: number): HugePagePool | undefined {
    return this.all.find((pool) => pool.bytes === bytes);
  }

  /** The pool that bits 26 to 31 of MAP_*, MFD_* or SHM_* flags name, the default one where they are 0 (hstate_sizelog). */
  named(flags: number): HugePagePool | undefined {
    const shift = (flags >>> 26) & 0x3f;
    return shift === 0 ? this.default : this.all.find((pool) => pool.shift === shift);
  }

  /** What a pool's pages are made smaller to (demote_order): the next size below, if there is one. */
  below(pool: HugePagePool): HugePagePool | undefined {
    return this.all.find((other) => other.bytes < pool.bytes);
  }

  /** The page whose first frame this is, or undefined. */
  pageAt(frame: PageFrame): HugePage | undefined {
    for (const pool of this.all) {
      const page = pool.pageAt(frame);
      if (page !== undefined) return page;
    }
    return undefined;
  }

  /** Bytes of all pages of all pools. */
  get bytes(): number {
    return this.all.reduce((sum, pool) => sum + pool.total * pool.bytes, 0);
  }
}

/**
 * The pools of a machine that starts (hugetlb_init); the largest pages are taken first, as only then there is room.
 * @param gigantic the processor has pages of 1 GiB
 */
export function bootHugePages(
  frames: FrameAllocator,
  gigantic: boolean,
  parameters: HugetlbParameters,
): HugePagePools {
  const pools = new HugePagePools(frames, gigantic, parameters.defaultBytes ?? 2 ** 21);
  const asked = new Map<HugePagePool, number>();
  for (const { bytes, count } of parameters.pages) {
    const pool = bytes === null ? pools.default : pools.ofSize(bytes);
    if (pool !== undefined && !asked.has(pool)) asked.set(pool, count);
  }
  for (const pool of [...pools.all].sort((a, b) => b.bytes - a.bytes)) pool.setTotal(asked.get(pool) ?? 0);
  return pools;
}
