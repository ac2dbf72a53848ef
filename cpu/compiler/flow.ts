/**
 * Control flow of a region as structured code needs it: reverse postorder, dominators, loop headers, merge points.
 * Node 0 is the entry. Edges that would make it irreducible are taken out.
 */
export class Flow {
  /** Reachable nodes in reverse postorder. */
  order: number[] = [];
  /** Place in `order`, by node; -1 where it is not reachable. */
  readonly place: number[];
  /** Immediate dominator, by node. */
  private readonly dominator: number[];
  /** Nodes that an edge from one that they dominate leads back to. */
  readonly loops = new Set<number>();
  /** Nodes with two or more forward edges to them: each stands behind a block of its own. */
  private readonly merges = new Set<number>();

  /** @param successors by node; edges that stay out of the structure are removed from it */
  constructor(private readonly successors: number[][]) {
    this.place = new Array<number>(successors.length).fill(-1);
    this.dominator = new Array<number>(successors.length).fill(-1);
    do this.analyse();
    while (this.removeIrreducible());
    const forward = new Array<number>(successors.length).fill(0);
    for (const from of this.order)
      for (const to of successors[from]!)
        if (this.isBack(from, to)) this.loops.add(to);
        else forward[to]!++;
    for (const node of this.order) if (forward[node]! > 1) this.merges.add(node);
  }

  has(from: number, to: number): boolean {
    return this.place[from]! >= 0 && this.successors[from]!.includes(to);
  }

  isBack(from: number, to: number): boolean {
    return this.place[to]! <= this.place[from]!;
  }

  isMerge(node: number): boolean {
    return this.merges.has(node);
  }

  /** Merge points whose immediate dominator the node is: last of the order first. */
  mergesBelow(node: number): number[] {
    return this.order
      .filter((other) => this.merges.has(other) && other !== 0 && this.dominator[other] === node)
      .reverse();
  }

  /** For each node, the largest sum of `weights` on a way from it that takes no back edge. */
  longest(weights: readonly number[]): number[] {
    const sums = new Array<number>(weights.length).fill(0);
    for (const node of [...this.order].reverse()) {
      let beyond = 0;
      for (const to of this.successors[node]!)
        if (!this.isBack(node, to)) beyond = Math.max(beyond, sums[to]!);
      sums[node] = weights[node]! + beyond;
    }
    return sums;
  }

  private analyse(): void {
    const { successors, place } = this;
    place.fill(-1);
    const post: number[] = [];
    const seen = new Set([0]);
    const stack = [{ node: 0, next: 0 }];
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const to = successors[top.node]![top.next++];
      if (to === undefined) {
        post.push(top.node);
        stack.pop();
      } else if (!seen.has(to)) {
        seen.add(to);
        stack.push({ node: to, next: 0 });
      }
    }
    this.order = post.reverse();
    this.order.forEach((node, i) => (place[node] = i));
    this.findDominators();
  }

  /** By intersection along the order until nothing changes (Cooper, Harvey, Kennedy). */
  private findDominators(): void {
    const { order, place, dominator, successors } = this;
    const predecessors: number[][] = successors.map(() => []);
    for (const from of order) for (const to of successors[from]!) predecessors[to]!.push(from);
    dominator.fill(-1);
    dominator[0] = 0;
    for (let changed = true; changed;) {
      changed = false;
      for (const node of order) {
        if (node === 0) continue;
        let common = -1;
        for (const from of predecessors[node]!) {
          if (dominator[from] === -1) continue;
          let [x, y] = [from, common];
          while (y !== -1 && x !== y)
            if (place[x]! > place[y]!) x = dominator[x]!;
            else y = dominator[y]!;
          common = x;
        }
        if (common !== dominator[node]) {
          dominator[node] = common;
          changed = true;
        }
      }
    }
  }

  private dominates(above: number, node: number): boolean {
    let at = node;
    while (this.place[at]! > this.place[above]!) at = this.dominator[at]!;
    return at === above;
  }

  /** Takes out edges back to nodes that do not dominate where they come from. @returns whether there were any */
  private removeIrreducible(): boolean {
    let removed = false;
    for (const from of this.order) {
      const kept = this.successors[from]!.filter((to) => !this.isBack(from, to) || this.dominates(to, from));
      if (kept.length !== this.successors[from]!.length) {
        this.successors[from] = kept;
        removed = true;
      }
    }
    return removed;
  }
}
