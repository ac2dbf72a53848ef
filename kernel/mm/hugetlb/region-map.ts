/** Which huge pages of a file are reserved, or of a private mapping are used up: half-open ranges of indexes (resv_map). */
export class RegionMap {
  /** Ascending, apart from one another. */
  private ranges: (readonly [from: number, to: number])[] = [];

  /** How many indexes of [from, to) are in it (region_count). */
  count(from: number, to: number): number {
    let sum = 0;
    for (const [start, end] of this.ranges) sum += Math.max(0, Math.min(end, to) - Math.max(start, from));
    return sum;
  }

  /** How many of [from, to) are not in it (region_chg). */
  missing(from: number, to: number): number {
    return to - from - this.count(from, to);
  }

  /** region_add */
  add(from: number, to: number): void {
    if (from >= to) return;
    const rest: (readonly [number, number])[] = [];
    let [start, end] = [from, to];
    for (const range of this.ranges)
      if (range[1] < start || range[0] > end) rest.push(range);
      else [start, end] = [Math.min(start, range[0]), Math.max(end, range[1])];
    rest.push([start, end]);
    this.ranges = rest.sort((a, b) => a[0] - b[0]);
  }

  /** @returns how many indexes were taken out (region_del) */
  remove(from: number, to: number): number {
    const removed = this.count(from, to);
    if (removed === 0) return 0;
    const rest: (readonly [number, number])[] = [];
    for (const [start, end] of this.ranges) {
      if (start < from) rest.push([start, Math.min(end, from)]);
      if (end > to) rest.push([Math.max(start, to), end]);
    }
    this.ranges = rest;
    return removed;
  }

  /** All that is in it. */
  get size(): number {
    return this.count(0, Infinity);
  }
}
