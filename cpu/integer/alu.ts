import { Mnemonic } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import {
  addFlags,
  carryFlag,
  logicFlags,
  packIncrement,
  signExtended,
  auxFromCarries,
  subtractFlags,
} from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { constant, truncated, WIDTHS } from "./common.js";
import { based, unsegmented } from "./memory.js";

/** ADD, SUB, AND, OR, XOR, CMP, TEST, ADC, SBB, INC, DEC, NEG, NOT. Slot a is destination and first source. */
type Pure = (b: Builder, x: Expr, y: Expr) => Expr;
type Flags = (b: Builder, width: Width, x: Expr, y: Expr, result: Expr) => void;

const logic: Flags = (b, width, _x, _y, result) => logicFlags(b, width, result);
const binary: [string, Pure, Flags][] = [
  ["add", (b, x, y) => b.add(x, y), addFlags],
  ["sub", (b, x, y) => b.sub(x, y), subtractFlags],
  ["and", (b, x, y) => b.and(x, y), logic],
  ["or", (b, x, y) => b.or(x, y), logic],
  ["xor", (b, x, y) => b.xor(x, y), logic],
];

/** A second source in memory, addressed without a segment base: one micro-op for load and operation. */
const MEMORY_FORMS = [
  ["b", based],
  ["i", unsegmented],
] as const;

for (const width of WIDTHS) {
  for (const [name, compute, flags] of binary) {
    const body = (withFlags: boolean) => (b: Builder) => {
      const x = b.let(b.get("a", width));
      const y = b.let(b.get("b", width));
      const result = b.let(compute(b, x, y));
      b.setRegister("a", width, result);
      if (withFlags) flags(b, width, x, y, result);
    };
    define(`${name}.${width}`, body(true), width === 2 ? "rare" : "hot");
    if (width >= 4) define(`${name}.${width}.nf`, body(false));
    if (width >= 4)
      for (const [form, address] of MEMORY_FORMS)
        define(`${name}.${width}.m.${form}`, (b) => {
          const y = b.load(address(b), width);
          const x = b.let(b.get("a", width));
          const result = b.let(compute(b, x, y));
          b.setRegister("a", width, result);
          flags(b, width, x, y, result);
        });
  }
  if (width >= 4)
    for (const [form, address] of MEMORY_FORMS)
      define(`cmp.${width}.m.${form}`, (b) => {
        const y = b.load(address(b), width);
        const x = b.let(b.get("a", width));
        subtractFlags(b, width, x, y, b.let(b.sub(x, y)));
      });
  define(`cmp.${width}`, (b) => {
    const x = b.let(b.get("a", width));
    const y = b.let(b.get("b", width));
    subtractFlags(b, width, x, y, b.let(b.sub(x, y)));
  });
  define(`test.${width}`, (b) => logicFlags(b, width, b.and(b.get("a", width), b.get("b", width))));
  define(
    `adc.${width}`,
    (b) => {
      const x = b.let(b.get("a", width));
      const y = b.let(b.get("b", width));
      const carry = carryFlag(b);
      const result = b.let(b.add(b.add(x, y), width === 8 ? b.extU(carry) : carry));
      b.setRegister("a", width, result);
      addFlags(b, width, x, y, result);
    },
    width < 4 ? "rare" : "hot",
  );
  define(
    `sbb.${width}`,
    (b) => {
      const x = b.let(b.get("a", width));
      const y = b.let(b.get("b", width));
      const carry = carryFlag(b);
      const result = b.let(b.sub(b.sub(x, y), width === 8 ? b.extU(carry) : carry));
      b.setRegister("a", width, result);
      subtractFlags(b, width, x, y, result);
    },
    width < 4 ? "rare" : "hot",
  );
  for (const [name, step] of [
    ["inc", 1],
    ["dec", -1],
  ] as const) {
    const body = (withFlags: boolean) => (b: Builder) => {
      const x = b.let(b.get("a", width));
      const one = constant(b, width, 1);
      const result = b.let(step === 1 ? b.add(x, one) : b.sub(x, one));
      b.setRegister("a", width, result);
      if (!withFlags) return;
      const carries =
        step === 1
          ? b.or(b.and(x, one), b.and(b.or(x, one), b.not(result)))
          : b.or(b.and(b.not(x), one), b.and(b.or(b.not(x), one), result));
      // CF stays as it was; bit 30 follows it so that OF is the operation's own.
      b.setFlags(signExtended(b, width, result), packIncrement(b, auxFromCarries(b, width, b.let(carries))));
    };
    define(`${name}.${width}`, body(true), width === 2 ? "rare" : "hot");
    if (width >= 4) define(`${name}.${width}.nf`, body(false));
  }
  define(
    `neg.${width}`,
    (b) => {
      const y = b.let(b.get("a", width));
      const zero = constant(b, width, 0);
      const result = b.let(b.sub(zero, y));
      b.setRegister("a", width, result);
      subtractFlags(b, width, zero, y, result);
    },
    width < 4 ? "rare" : "hot",
  );
  define(`not.${width}`, (b) => b.setRegister("a", width, truncated(b, width, b.not(b.get("a", width)))));
}

/** Runs `emit` on operand 0 as a register address, around it a load for writing and a store if it is memory. */
export function modify(x: DecodeContext, width: Width, emit: (a: number) => void): void {
  if (x.isRegister(0)) return emit(x.reg(0));
  const temp = x.read(0, width, true);
  emit(temp);
  x.store(width, temp);
}

/** Tries the one micro-op for a register and a memory operand. */
function joined(x: DecodeContext, name: string, width: Width): boolean {
  return width >= 4 && x.isMemory(1) && x.emitWithMemory(`${name}.${width}`, x.reg(0));
}

function lowerBinary(name: string): (x: DecodeContext) => void {
  const joins = binary.some(([own]) => own === name);
  return (x) => {
    const width = x.size(0);
    if (joins && joined(x, name, width)) return;
    const isImmediate = !x.isRegister(1) && !x.isMemory(1);
    const b = x.read(1, width);
    modify(x, width, (a) =>
      x.emit(`${name}.${width}`, { a, b, ...(isImmediate ? { immediate: x.immediate(1) } : {}) }),
    );
  };
}

function lowerCompare(name: string): (x: DecodeContext) => void {
  return (x) => {
    const width = x.size(0);
    if (name === "cmp" && joined(x, name, width)) return;
    const isImmediate = !x.isRegister(1) && !x.isMemory(1);
    const a = x.read(0, width);
    const b = x.read(1, width);
    x.emit(`${name}.${width}`, { a, b, ...(isImmediate ? { immediate: x.immediate(1) } : {}) });
  };
}

lower(Mnemonic.Add, lowerBinary("add"));
lower(Mnemonic.Sub, lowerBinary("sub"));
lower(Mnemonic.And, lowerBinary("and"));
lower(Mnemonic.Or, lowerBinary("or"));
lower(Mnemonic.Xor, lowerBinary("xor"));
lower(Mnemonic.Adc, lowerBinary("adc"));
lower(Mnemonic.Sbb, lowerBinary("sbb"));
lower(Mnemonic.Cmp, lowerCompare("cmp"));
lower(Mnemonic.Test, lowerCompare("test"));
for (const name of ["Inc", "Dec", "Neg", "Not"] as const)
  lower(Mnemonic[name], (x) => {
    const width = x.size(0);
    modify(x, width, (a) => x.emit(`${name.toLowerCase()}.${width}`, { a }));
  });
