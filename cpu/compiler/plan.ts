import type { Block } from "../block.js";
import type { Stmt } from "../ir/nodes.js";
import { microOps, opNumber } from "../ir/registry.js";
import type { PhysicalMemory } from "../../mmu/physical-memory.js";
import { CALLOUT_BIT, RECORD_BYTES, RECORD_D, RECORD_E } from "../record.js";

/** A branch whose target was met before. */
export interface KnownEdge {
  readonly slot: "d" | "e";
  readonly to: number;
}
/** A place that a computed branch may lead to. */
export interface GuessedEdge {
  readonly rip: number;
  readonly to: number;
}

/** One block of a region. */
export interface PlanNode {
  readonly block: Block;
  /** Its records as they were decoded: the first one may stand elsewhere than in `block`. */
  readonly records: number;
  /** Micro-ops before the first that is left to the interpreter, or all of them. */
  readonly compiled: number;
  known: KnownEdge[];
  guessed: GuessedEdge[];
}

/** How a terminator goes on. */
interface Ways {
  readonly d: boolean;
  readonly e: boolean;
  readonly computed: boolean;
}

const MOST_BLOCKS = 24;
const MOST_RECORDS = 300;
/** Return sites that a RET is compared with. */
const MOST_GUESSES = 6;

/** What the planner asks of the block cache. */
export interface BlockLookup {
  /** The decoded block at `rip` that may be branched to without a look; undefined if there is none. */
  at(rip: number): Block | undefined;
  /** Address of a block's records as they were decoded. */
  recordsOf(block: Block): number;
  /** Micro-ops that the compiler has given up on. */
  readonly refused: ReadonlySet<number>;
}

let ways: Ways[] | undefined;

/**
 * The blocks that are reached from `seed` by branches that were taken before, nearest first: node 0 is the seed.
 * Returns lead to the return sites of the calls among them.
 */
export function planRegion(memory: PhysicalMemory, seed: Block, lookup: BlockLookup): PlanNode[] {
  ways ??= microOps().map((op) => waysOf(op.body));
  const ret = opNumber("ret");
  const nodes: PlanNode[] = [];
  const numbers = new Map<Block, number>();
  let records = 0;
  const add = (block: Block): number | undefined => {
    const known = numbers.get(block);
    if (known !== undefined) return known;
    const count = block.recordInstruction.length;
    if (nodes.length === MOST_BLOCKS || records + count > MOST_RECORDS) return undefined;
    const at = lookup.recordsOf(block);
    let compiled = 0;
    while (compiled < count && isCompiled(memory, at + compiled * RECORD_BYTES, lookup)) compiled++;
    if (compiled === 0) return undefined;
    records += compiled;
    numbers.set(block, nodes.length);
    return nodes.push({ block, records: at, compiled, known: [], guessed: [] }) - 1;
  };
  if (add(seed) === undefined) return [];
  const returns: PlanNode[] = [];
  const sites = new Map<number, number>();
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]!;
    const { block, compiled } = node;
    if (compiled < block.recordInstruction.length) continue;
    const last = node.records + (compiled - 1) * RECORD_BYTES;
    const op = memory.u16[last >>> 1]!;
    const way = ways[op]!;
    if (op === ret) returns.push(node);
    const follow = (slot: "d" | "e", rip: number): void => {
      // A slot is filled when its branch is taken for the first time.
      if (memory.u32[(last + (slot === "d" ? RECORD_D : RECORD_E)) >>> 2] === 0) return;
      const target = lookup.at(rip);
      const to = target === undefined ? undefined : add(target);
      if (to !== undefined) node.known.push({ slot, to });
    };
    if (way.e) follow("e", block.notTaken);
    if (way.d) follow("d", block.taken);
    if (/^call/.test(microOps()[op]!.name)) {
      const site = lookup.at(block.notTaken);
      const to = site === undefined ? undefined : add(site);
      if (to !== undefined) sites.set(block.notTaken, to);
    }
  }
  for (const node of returns)
    for (const [rip, to] of sites) {
      if (node.guessed.length === MOST_GUESSES) break;
      node.guessed.push({ rip, to });
    }
  return nodes;
}

function isCompiled(memory: PhysicalMemory, record: number, { refused }: BlockLookup): boolean {
  const op = memory.u16[record >>> 1]!;
  return op < CALLOUT_BIT && !refused.has(op);
}

function waysOf(statements: readonly Stmt[]): Ways {
  let [d, e, computed] = [false, false, false];
  for (const s of statements)
    if (s.kind === "goto") {
      if (s.link === "d") d = true;
      else e = true;
    } else if (s.kind === "gotoComputed") computed = true;
    else if (s.kind === "if")
      for (const inner of [waysOf(s.yes), waysOf(s.no)]) {
        d ||= inner.d;
        e ||= inner.e;
        computed ||= inner.computed;
      }
  return { d, e, computed };
}
