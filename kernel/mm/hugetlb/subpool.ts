import { ENOMEM } from "../../errno.js";
import type { HugePagePool } from "./pool.js";

/**
 * What a mounted hugetlbfs may take of the pool at most, and what is kept for it at least (hugepage_subpool). Counts are
 * of huge pages; null is no limit.
 */
export class Subpool {
  used = 0;
  /** Kept for it and not used yet. */
  kept: number;

  private constructor(
    private readonly pool: HugePagePool,
    readonly most: number | null,
    readonly least: number | null,
  ) {
    this.kept = least ?? 0;
  }

  /** Null where the pool cannot keep as many as the least. */
  static create(pool: HugePagePool, most: number | null, least: number | null): Subpool | null {
    if (least !== null && pool.reserve(least) !== 0) return null;
    const subpool = new Subpool(pool, most, least);
    pool.subpools.add(subpool);
    return subpool;
  }

  /** @returns how many of `count` have to come from the pool's own reserve, or -ENOMEM (hugepage_subpool_get_pages) */
  take(count: number): number {
    if (this.most !== null) {
      if (this.used + count > this.most) return -ENOMEM;
      this.used += count;
    }
    if (this.least === null || this.kept === 0) return count;
    const own = Math.min(count, this.kept);
    this.kept -= own;
    return count - own;
  }

  /** @returns how many of `count` go back to the pool's own reserve (hugepage_subpool_put_pages) */
  give(count: number): number {
    if (this.most !== null) this.used -= count;
    if (this.least === null || this.used >= this.least) return count;
    const back = Math.max(0, this.kept + count - this.least);
    this.kept = Math.min(this.least, this.kept + count);
    return back;
  }

  /** Undoes a `take` of `count` that said `rest`. */
  undo(count: number, rest: number): void {
    if (this.most !== null) this.used -= count;
    this.kept += count - rest;
  }

  /** Its mount is gone. */
  end(): void {
    this.pool.subpools.delete(this);
    if (this.least !== null) this.pool.unreserve(this.least);
    this.kept = 0;
  }
}

/** As `take`, where there may be no limits. */
export function takeFrom(subpool: Subpool | null, count: number): number {
  return subpool === null ? count : subpool.take(count);
}

/** As `give`, where there may be no limits. */
export function giveTo(subpool: Subpool | null, count: number): number {
  return subpool === null ? count : subpool.give(count);
}
