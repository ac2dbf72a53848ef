import { microOps } from "../ir/registry.js";
import type { Expr, Stmt } from "../ir/nodes.js";
import { FLAG_AUX, FLAG_RESULT } from "../state.js";
import { CALLOUT_BIT } from "../record.js";
import type { EmittedRecord } from "./context.js";

interface FlagUse {
  /** Sets every flag on every path and reads none. */
  readonly overwrites: boolean;
  /** May read flags, or leave the block in a way that shows them. */
  readonly shows: boolean;
  /** The same micro-op without its flags; -1 if there is none. */
  readonly without: number;
}
let uses: FlagUse[] | undefined;

/**
 * Replaces micro-ops whose flags nobody can see by their flagless forms. Flags are seen by readers, by faults
 * (they are precise) and at the block's end.
 */
export function dropDeadFlags(records: EmittedRecord[]): void {
  uses ??= analyse();
  let dead = false;
  for (let i = records.length - 1; i >= 0; i--) {
    const { op } = records[i];
    if (op >= CALLOUT_BIT) {
      dead = false;
      continue;
    }
    const use = uses[op];
    if (dead && use.without >= 0) {
      records[i].op = use.without;
      continue;
    }
    if (use.overwrites && !use.shows) dead = true;
    else if (use.shows) dead = use.overwrites && fusedOverwrite(op);
  }
}

/** A fused compare-and-branch sets all flags before it leaves. */
function fusedOverwrite(op: number): boolean {
  return /^(cmp|test)\.\d\.j\./.test(microOps()[op].name);
}

function analyse(): FlagUse[] {
  const names = new Map(microOps().map((op, i) => [op.name, i]));
  return microOps().map((op) => {
    const sets = op.body.some((s) => s.kind === "setFlags");
    const reads = op.body.some(statementReads);
    const leaves = op.body.some(mayLeave);
    const nf = names.get(`${op.name}.nf`);
    return { overwrites: sets && !reads, shows: reads || leaves, without: nf === undefined ? -1 : nf };
  });
}

function mayLeave(s: Stmt): boolean {
  switch (s.kind) {
    case "load":
    case "store":
    case "callout":
    case "exit":
    case "exception":
    case "goto":
    case "gotoComputed":
      return true;
    case "if":
      return s.yes.some(mayLeave) || s.no.some(mayLeave);
    default:
      return false;
  }
}

function statementReads(s: Stmt): boolean {
  switch (s.kind) {
    case "let":
    case "setOperand":
    case "setState":
    case "store":
      return (
        ("value" in s && reads(s.value)) ||
        ("address" in s && typeof s.address === "object" && reads(s.address))
      );
    case "setFlags":
      return reads(s.result) || reads(s.aux);
    case "if":
      return reads(s.cond) || s.yes.some(statementReads) || s.no.some(statementReads);
    case "load":
      return reads(s.address);
    case "gotoComputed":
      return reads(s.address);
    default:
      return false;
  }
}

function reads(e: Expr): boolean {
  switch (e.kind) {
    case "state":
      return e.address === FLAG_AUX || e.address === FLAG_RESULT;
    case "op":
    case "shuffle":
      return e.args.some(reads);
    case "select":
      return reads(e.cond) || reads(e.yes) || reads(e.no);
    default:
      return false;
  }
}
