import type { OpInfo, ValueType } from "./ops.js";

/** Where a micro-op's record holds an operand. In the interpreter a slot is the address of a register. */
export type Slot = "a" | "b" | "c" | "e";
/** Bytes of an operand or access. */
export type Width = 1 | 2 | 4 | 8 | 16;

/** A pure value. Trees are shared freely: what must be computed once is bound by `Builder.let`. */
export type Expr =
  | { readonly kind: "const"; readonly type: ValueType; readonly value: bigint }
  | {
      readonly kind: "op";
      readonly type: ValueType;
      readonly info: OpInfo;
      readonly args: readonly Expr[];
      readonly lane?: number;
    }
  | {
      readonly kind: "select";
      readonly type: ValueType;
      readonly cond: Expr;
      readonly yes: Expr;
      readonly no: Expr;
    }
  | {
      readonly kind: "shuffle";
      readonly type: "v128";
      readonly lanes: readonly number[];
      readonly args: readonly Expr[];
    }
  | { readonly kind: "local"; readonly type: ValueType; readonly index: number }
  | {
      readonly kind: "operand";
      readonly type: ValueType;
      readonly slot: Slot;
      readonly width: Width;
      readonly signed: boolean;
    }
  | {
      readonly kind: "state";
      readonly type: ValueType;
      readonly address: number;
      readonly width: Width;
      readonly signed: boolean;
    }
  /** The record's 64-bit immediate (i64), or its small constant `d` (i32). */
  | { readonly kind: "immediate"; readonly type: "i64" }
  | { readonly kind: "small"; readonly type: "i32" };

export type Stmt =
  | { readonly kind: "let"; readonly index: number; readonly type: ValueType; readonly value: Expr }
  | { readonly kind: "setOperand"; readonly slot: Slot; readonly width: Width; readonly value: Expr }
  | { readonly kind: "setState"; readonly address: number; readonly width: Width; readonly value: Expr }
  | { readonly kind: "setFlags"; readonly result: Expr; readonly aux: Expr }
  | { readonly kind: "if"; readonly cond: Expr; readonly yes: readonly Stmt[]; readonly no: readonly Stmt[] }
  /** Guest load into a local; leaves the instruction with a fault. `forWrite`: must also be writable. */
  | {
      readonly kind: "load";
      readonly index: number;
      readonly type: ValueType;
      readonly address: Expr;
      readonly width: Width;
      readonly forWrite: boolean;
      readonly signed: boolean;
    }
  | { readonly kind: "store"; readonly address: Expr; readonly width: Width; readonly value: Expr }
  /** Remembers this instruction as the last writer of PKRU. Only in ops of the hot loop. */
  | { readonly kind: "notePkruWriter" }
  /** Runs a TypeScript helper; see cpu/callouts.ts. */
  | { readonly kind: "callout" }
  /** Leaves with a code of cpu/exit-codes.ts. */
  | { readonly kind: "exit"; readonly code: number }
  | { readonly kind: "exception"; readonly vector: number; readonly error: number }
  /** Ends the block: to the known target of slot d (taken) or e (not taken), or to a computed address. */
  | { readonly kind: "goto"; readonly link: "d" | "e" }
  | { readonly kind: "gotoComputed"; readonly address: Expr }
  /** Stands in the place of the first micro-op of a block that a compiled region begins with. */
  | { readonly kind: "enterRegion" };

/** One micro-op: its meaning, written once, for every tier. */
export interface MicroOp {
  readonly name: string;
  readonly body: readonly Stmt[];
  /** Types of the locals its body uses, by index. */
  readonly locals: readonly ValueType[];
  /** Rare ones live in a second function, so that the hot loop stays small. */
  readonly rare: boolean;
  /** Ends its block. */
  readonly terminator: boolean;
}
