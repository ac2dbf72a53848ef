import type { PageFrame } from "../../../mmu/types.js";
import type { HugePagePool } from "./pool.js";
import type { Subpool } from "./subpool.js";

/** One huge page of a pool, free or in use (a hugetlb folio). The pool holds one reference to each of its frames. */
export class HugePage {
  /** Leaves that map it, of all address spaces. */
  mappers = 0;
  /** The page cache of a file has it. */
  cached = false;
  /** All its bytes are 0. */
  zeroed = true;
  /** It takes its reservation up again when it becomes free (HPageRestoreReserve). */
  restoresReserve = false;
  /** The limits of the mount that it was taken for. */
  subpool: Subpool | null = null;

  /** @param frame its first */
  constructor(
    readonly pool: HugePagePool,
    readonly frame: PageFrame,
  ) {}
}
