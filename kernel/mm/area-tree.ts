import type { VirtualAddress } from "../../mmu/types.js";
import type { Area } from "./area.js";
import { VM_GROWSDOWN } from "./vm-flags.js";

/**
 * The areas of one address space in order: an AVL tree for finding them, a list for walking them, and in every
 * node the largest free gap of its subtree, so that a place for a new area is found without visiting the others.
 * Lookup, insertion, removal, a moved boundary and the search for a gap all take logarithmic time.
 */
export class AreaTree {
  count = 0;
  first: Area | null = null;
  last: Area | null = null;
  private root: Area | null = null;
  /** The area that answered last; programs ask for it again. */
  private recent: Area | null = null;

  /** @param guardBytes free bytes to leave below an area that grows down (stack_guard_gap) */
  constructor(public guardBytes: number) {}

  /** The lowest area that ends above an address (find_vma): it may begin above it too. */
  findFirst(va: VirtualAddress): Area | null {
    const { recent } = this;
    if (recent !== null && recent.start <= va && va < recent.end) return recent;
    let found: Area | null = null;
    for (let node = this.root; node !== null;) {
      if (node.end > va) {
        found = node;
        if (node.start <= va) break;
        node = node.left;
      } else node = node.right;
    }
    if (found !== null && found.start <= va) this.recent = found;
    return found;
  }

  /** The area that contains an address. */
  find(va: VirtualAddress): Area | null {
    const area = this.findFirst(va);
    return area !== null && area.start <= va ? area : null;
  }

  /** The lowest area that overlaps [start, end). */
  findOverlap(start: VirtualAddress, end: VirtualAddress): Area | null {
    const area = this.findFirst(start);
    return area !== null && area.start < end ? area : null;
  }

  /** The highest area that lies wholly below an address. */
  findBefore(va: VirtualAddress): Area | null {
    let found: Area | null = null;
    for (let node = this.root; node !== null;) {
      if (node.end <= va) {
        found = node;
        node = node.right;
      } else node = node.left;
    }
    return found;
  }

  *[Symbol.iterator](): IterableIterator<Area> {
    for (let area = this.first; area !== null; area = area.next) yield area;
  }

  /** The lowest byte an area keeps for itself: its start, less the guard gap if it grows down (vm_start_gap). */
  startWithGuard(area: Area): number {
    if ((area.flags & VM_GROWSDOWN) === 0) return area.start;
    return Math.max(0, area.start - this.guardBytes);
  }

  /** Adds an area, which overlaps none. */
  insert(area: Area): void {
    area.left = area.right = null;
    area.height = 1;
    const { last } = this;
    const before = last !== null && last.end <= area.start ? last : this.findBefore(area.start);
    const after = before === null ? this.first : before.next;
    area.previous = before;
    area.next = after;
    if (before === null) this.first = area;
    else before.next = area;
    if (after === null) this.last = area;
    else after.previous = area;

    if (before !== null && before.right === null) {
      before.right = area;
      area.parent = before;
    } else if (after !== null) {
      after.left = area;
      area.parent = after;
    } else {
      this.root = area;
      area.parent = null;
    }
    this.count++;
    area.gap = this.gapBelow(area);
    if (after !== null) after.gap = this.gapBelow(after);
    this.rebalanceFrom(area);
    if (after !== null) this.refreshGaps(after);
  }

  remove(area: Area): void {
    if (this.recent === area) this.recent = null;
    const { previous, next } = area;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;

    let from: Area | null;
    if (area.left !== null && area.right !== null && next !== null) {
      // The successor has no left child; it takes the removed area's place.
      from = next.parent === area ? next : next.parent;
      if (next.parent !== area) {
        this.replaceChild(next, next.right);
        next.right = area.right;
        area.right.parent = next;
      }
      next.left = area.left;
      area.left.parent = next;
      this.replaceChild(area, next);
    } else {
      from = area.parent;
      this.replaceChild(area, area.left ?? area.right);
    }
    this.count--;
    area.left = area.right = area.parent = area.previous = area.next = null;
    if (next !== null) next.gap = this.gapBelow(next);
    if (from !== null) this.rebalanceFrom(from);
    if (next !== null) this.refreshGaps(next);
  }

  /** Takes every area out. */
  clear(): void {
    this.root = this.first = this.last = this.recent = null;
    this.count = 0;
  }

  /** An area's start, end or growth direction has changed; the order of areas has not. */
  boundaryMoved(area: Area): void {
    area.gap = this.gapBelow(area);
    this.refreshGaps(area);
    if (area.next !== null) {
      area.next.gap = this.gapBelow(area.next);
      this.refreshGaps(area.next);
    }
  }

  /** The highest address at which `length` bytes are free within [low, high); -1 when there is none. */
  highestGap(length: number, low: number, high: number): VirtualAddress {
    const lastEnd = this.last === null ? 0 : this.last.end;
    if (high - Math.max(lastEnd, low) >= length) return high - length;
    return this.highestGapIn(this.root, length, low, high);
  }

  private highestGapIn(node: Area | null, length: number, low: number, high: number): number {
    if (node === null || node.largestGap < length) return -1;
    // A gap in the right subtree begins at or above this area's end.
    if (node.end + length <= high) {
      const above = this.highestGapIn(node.right, length, low, high);
      if (above !== -1) return above;
    }
    const end = Math.min(this.startWithGuard(node), high);
    if (node.gap >= length) {
      const start = node.previous === null ? 0 : node.previous.end;
      if (end - Math.max(start, low) >= length) return end - length;
    }
    return node.start > low ? this.highestGapIn(node.left, length, low, high) : -1;
  }

  /** The lowest such address; -1 when there is none. */
  lowestGap(length: number, low: number, high: number): VirtualAddress {
    const found = this.lowestGapIn(this.root, length, low, high);
    if (found !== -1) return found;
    const start = Math.max(this.last === null ? 0 : this.last.end, low);
    return high - start >= length ? start : -1;
  }

  private lowestGapIn(node: Area | null, length: number, low: number, high: number): number {
    if (node === null || node.largestGap < length) return -1;
    if (node.start > low) {
      const below = this.lowestGapIn(node.left, length, low, high);
      if (below !== -1) return below;
    }
    if (node.gap >= length) {
      const start = Math.max(node.previous === null ? 0 : node.previous.end, low);
      if (Math.min(this.startWithGuard(node), high) - start >= length) return start;
    }
    return node.end + length <= high ? this.lowestGapIn(node.right, length, low, high) : -1;
  }

  private gapBelow(area: Area): number {
    const end = area.previous === null ? 0 : area.previous.end;
    return Math.max(0, this.startWithGuard(area) - end);
  }

  private replaceChild(child: Area, by: Area | null): void {
    const { parent } = child;
    if (parent === null) this.root = by;
    else if (parent.left === child) parent.left = by;
    else parent.right = by;
    if (by !== null) by.parent = parent;
  }

  private update(node: Area): void {
    const { left, right } = node;
    node.height = 1 + Math.max(left === null ? 0 : left.height, right === null ? 0 : right.height);
    node.largestGap = largestGap(node);
  }

  private refreshGaps(from: Area): void {
    for (let node: Area | null = from; node !== null; node = node.parent) {
      const largest = largestGap(node);
      if (largest === node.largestGap && node !== from) return;
      node.largestGap = largest;
    }
  }

  private rebalanceFrom(from: Area): void {
    for (let node: Area | null = from; node !== null; node = node.parent) {
      this.update(node);
      const balance = heightOf(node.left) - heightOf(node.right);
      if (balance > 1 && node.left !== null) {
        if (heightOf(node.left.left) < heightOf(node.left.right)) this.rotateLeft(node.left);
        node = this.rotateRight(node);
      } else if (balance < -1 && node.right !== null) {
        if (heightOf(node.right.right) < heightOf(node.right.left)) this.rotateRight(node.right);
        node = this.rotateLeft(node);
      }
    }
  }

  private rotateLeft(node: Area): Area {
    const up = node.right;
    if (up === null) return node;
    this.replaceChild(node, up);
    node.right = up.left;
    if (up.left !== null) up.left.parent = node;
    up.left = node;
    node.parent = up;
    this.update(node);
    this.update(up);
    return up;
  }

  private rotateRight(node: Area): Area {
    const up = node.left;
    if (up === null) return node;
    this.replaceChild(node, up);
    node.left = up.right;
    if (up.right !== null) up.right.parent = node;
    up.right = node;
    node.parent = up;
    this.update(node);
    this.update(up);
    return up;
  }
}

function heightOf(node: Area | null): number {
  return node === null ? 0 : node.height;
}

function largestGap(node: Area): number {
  let largest = node.gap;
  if (node.left !== null && node.left.largestGap > largest) largest = node.left.largestGap;
  if (node.right !== null && node.right.largestGap > largest) largest = node.right.largestGap;
  return largest;
}
