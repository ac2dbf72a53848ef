import { Mnemonic } from "iced-x86";
import { calloutNumber } from "../callouts.js";
import { lower, type DecodeContext } from "../decode/context.js";
import {
  SSE_ADD,
  SSE_ADDSUB,
  SSE_DIV,
  SSE_HADD,
  SSE_HSUB,
  SSE_MAX,
  SSE_MIN,
  SSE_MUL,
  SSE_SQRT,
  SSE_SUB,
  sseArith,
} from "../float/sse.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { defineFloatCallout } from "./float-callouts.js";
import { FORMS, Lanes, bytesOf, guarded, isDouble, isPacked, lanesOf, type Form } from "./float-lanes.js";
import { partial, vector } from "./operands.js";
import { laneBytes } from "./packed.js";

/** ADD, SUB, MUL, DIV, SQRT, MIN, MAX, ADDSUB, HADD and HSUB. */

/** Operand i of a floating-point instruction: aligned when it is packed. */
export function floatOperand(x: DecodeContext, i: number, form: Form): number {
  return isPacked(form) ? vector(x, i) : partial(x, i, bytesOf(form));
}

/** Emits micro-op `name` on operands 0 and 1 with a slow path of the same name. */
export function emitFloat(x: DecodeContext, name: string, form: Form, immediate = 0): void {
  const b = floatOperand(x, 1, form);
  x.emit(name, { a: x.reg(0), b, d: calloutNumber(name), immediate });
}

export function mnemonicOf(name: string): Mnemonic {
  const key = (name.charAt(0).toUpperCase() + name.slice(1)) as keyof typeof Mnemonic;
  return Mnemonic[key];
}

type Body = (v: Lanes, x: Expr, y: Expr) => void;

function arithmetic(
  family: string,
  operation: number,
  forms: readonly Form[],
  body: (b: Builder) => Body,
): void {
  for (const form of forms) {
    const name = family + form;
    const double = isDouble(form);
    const lanes = lanesOf(form);
    defineFloatCallout(name, (memory, a, b, mxcsr) =>
      sseArith(operation, double, lanes, memory, a, a, b, mxcsr),
    );
    const hot = form === "sd" && ["add", "sub", "mul", "div"].includes(family);
    define(
      name,
      (b) => {
        const v = new Lanes(b, form);
        body(b)(v, v.get("a"), v.get("b"));
      },
      hot ? "hot" : "rare",
    );
    lower(mnemonicOf(name), (x) => emitFloat(x, name, form));
  }
}

/** x + y, or x - y: exact when the error term of Knuth's two-sum is 0. */
function sum(b: Builder, v: Lanes, x: Expr, y: Expr, kind: "add" | "sub"): void {
  const r = b.let(v.op(kind, x, y));
  const ok = v.all(v.and(v.plain(x), v.plain(y), v.or(v.safeResult(r), v.isZero(r))));
  const exact = (): Expr => {
    const opposite = kind === "add" ? "sub" : "add";
    const yPart = b.let(v.op("sub", r, x));
    const xError = v.op("sub", x, v.op("sub", r, yPart));
    const yError = v.op(opposite, y, yPart);
    // For x - y, yPart approximates -y: the error is xError - (y + yPart).
    return v.all(v.isZero(v.op(kind, xError, yError)));
  };
  guarded(b, ok, exact, () => v.set(r));
}
arithmetic("add", SSE_ADD, FORMS, (b) => (v, x, y) => sum(b, v, x, y, "add"));
arithmetic("sub", SSE_SUB, FORMS, (b) => (v, x, y) => sum(b, v, x, y, "sub"));

arithmetic("mul", SSE_MUL, FORMS, (b) => (v, x, y) => {
  const r = b.let(v.op("mul", x, y));
  const zero = v.and(v.isZero(r), v.or(v.isZero(x), v.isZero(y)));
  const ok = v.all(v.and(v.plain(x), v.plain(y), v.or(v.safeResult(r), zero)));
  guarded(
    b,
    ok,
    () => v.all(v.short(x, y)),
    () => v.set(r),
  );
});

arithmetic("div", SSE_DIV, FORMS, (b) => (v, x, y) => {
  const r = b.let(v.op("div", x, y));
  const zero = v.and(v.isZero(r), v.isZero(x));
  const finite = v.op("lt", v.op("abs", y), v.constant(0x7ff0000000000000n, 0x7f800000));
  const ok = v.all(v.and(v.plain(x), v.plain(y), finite, v.or(v.safeResult(r), zero)));
  const exact = (): Expr => v.all(v.and(v.short(r, y), v.op("eq", v.op("mul", r, y), x)));
  guarded(b, ok, exact, () => v.set(r));
});

arithmetic("sqrt", SSE_SQRT, FORMS, (b) => (v, _x, y) => {
  const r = b.let(v.op("sqrt", y));
  const ok = v.all(v.and(v.plain(y), v.or(v.safeResult(r), v.isZero(y))));
  const exact = (): Expr => v.all(v.and(v.short(r), v.op("eq", v.op("mul", r, r), y)));
  guarded(b, ok, exact, () => v.set(r));
});

/** The second operand when either is a NaN or they are equal: WebAssembly's pmin and pmax, operands exchanged. */
const extremum =
  (name: "pmin" | "pmax") =>
  (b: Builder): Body =>
  (v, x, y) => {
    const ok = v.all(v.and(v.plain(x), v.plain(y)));
    const result = v.packed ? v.op(name, y, x) : b.select(v.op(name === "pmin" ? "lt" : "gt", x, y), x, y);
    b.if(
      ok,
      () => v.set(result),
      () => b.callout(),
    );
  };
arithmetic("min", SSE_MIN, FORMS, extremum("pmin"));
arithmetic("max", SSE_MAX, FORMS, extremum("pmax"));

const SSE3_FORMS: readonly Form[] = ["ps", "pd"];
arithmetic("addsub", SSE_ADDSUB, SSE3_FORMS, (b) => (v, x, y) => {
  const evenSigns = v.double ? 0x8000000000000000n : 0x00000000_80000000_00000000_80000000n;
  sum(b, v, x, b.let(b.op("v128.xor", [y, b.v128(evenSigns)])), "add");
});
const horizontal =
  (kind: "add" | "sub") =>
  (b: Builder): Body =>
  (v, x, y) => {
    const width = v.double ? 8 : 4;
    const even = v.double ? [0, 2] : [0, 2, 4, 6];
    const pick = (offset: number): Expr =>
      b.let(
        b.shuffle(
          x,
          y,
          laneBytes(
            width,
            even.map((i) => i + offset),
          ),
        ),
      );
    sum(b, v, pick(0), pick(1), kind);
  };
arithmetic("hadd", SSE_HADD, SSE3_FORMS, horizontal("add"));
arithmetic("hsub", SSE_HSUB, SSE3_FORMS, horizontal("sub"));
