/** How many pages the files of one file system may take together (tmpfs's size=). */
export interface PageQuota {
  used: number;
  limit: number;
}

/** The room that the pages of one file take in its file system, and what is made for pages to come (fallocate). */
export class PageRoom {
  /** Pages that room was made for and that nobody has touched since. */
  private readonly reserved = new Set<number>();

  /** @param quota what the pages are charged to; null: nothing limits them but memory */
  constructor(private readonly quota: PageQuota | null) {}

  /** The file system has none for another page (ENOSPC). */
  get full(): boolean {
    return this.quota !== null && this.quota.used >= this.quota.limit;
  }

  /** The file system has some for that many pages more. */
  has(count: number): boolean {
    return this.quota === null || this.quota.used + count <= this.quota.limit;
  }

  /** Pages that have room and no frame. */
  get reservedCount(): number {
    return this.reserved.size;
  }

  isReserved(index: number): boolean {
    return this.reserved.has(index);
  }

  reservedIndexes(): Iterable<number> {
    return this.reserved;
  }

  /** A page has come: into the room made for it, or it takes more. */
  take(index: number): void {
    if (!this.reserved.delete(index) && this.quota !== null) this.quota.used++;
  }

  /** A page that had come has gone. */
  give(): void {
    if (this.quota !== null) this.quota.used--;
  }

  /**
   * Makes room for those pages of [first, end) that are not there.
   * @param free frames of the machine, where no quota says how many there may be
   * @param held pages of the file that are in memory, whichever they are
   * @returns false: there is too little, and none was made
   */
  reserve(
    first: number,
    end: number,
    free: number,
    held: number,
    isThere: (index: number) => boolean,
  ): boolean {
    const room = this.quota === null ? free : this.quota.limit - this.quota.used;
    if (end - first - held - this.reserved.size > room) return false;
    const wanted: number[] = [];
    for (let index = first; index < end; index++)
      if (!isThere(index) && !this.reserved.has(index)) wanted.push(index);
    if (wanted.length > room) return false;
    for (const index of wanted) this.reserved.add(index);
    if (this.quota !== null) this.quota.used += wanted.length;
    return true;
  }

  /** Takes the room of pages [first, end) back that nobody has touched. */
  giveUp(first: number, end: number): void {
    for (const index of [...this.reserved]) {
      if (index < first || index >= end) continue;
      this.reserved.delete(index);
      this.give();
    }
  }
}
