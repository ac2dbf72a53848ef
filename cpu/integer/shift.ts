import { Mnemonic } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import { auxWithCarryOverflow, resultFlags } from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { FLAG_AUX, RCX } from "../state.js";
import { modify } from "./alu.js";
import { topBit, truncated, WIDTHS } from "./common.js";

/**
 * Shifts and rotates. `.i`: count in d, never 0. `.c`: count in CL; a masked count of 0 changes no flag (but a
 * 32-bit destination's upper half is cleared all the same).
 */
const mask = (width: Width): number => (width === 8 ? 63 : 31);
const typed = (b: Builder, width: Width, count: Expr): Expr => (width === 8 ? b.extU(count) : count);
const bit = (b: Builder, value: Expr): Expr => b.and(value.type === "i64" ? b.wrap(value) : value, b.i32(1));

type Shift = (b: Builder, width: Width, x: Expr, count: Expr) => { result: Expr; cf: Expr; of: Expr };

const shl: Shift = (b, width, x, count) => {
  const result = b.let(b.shl(x, typed(b, width, count)));
  const cf =
    width === 8
      ? bit(b, b.shrU(x, b.extU(b.sub(b.i32(64), count))))
      : width === 4
        ? bit(b, b.shrU(x, b.sub(b.i32(32), count)))
        : bit(b, b.shrU(result, b.i32(8 * width)));
  const carry = b.let(cf);
  return { result, cf: carry, of: b.xor(topBit(b, width, result), carry) };
};
const shr: Shift = (b, width, x, count) => ({
  result: b.let(b.shrU(x, typed(b, width, count))),
  cf: b.let(bit(b, b.shrU(x, typed(b, width, b.sub(count, b.i32(1)))))),
  of: topBit(b, width, x),
});
const sar: Shift = (b, width, x, count) => ({
  result: b.let(b.shrS(x, typed(b, width, count))),
  cf: b.let(bit(b, b.shrS(x, typed(b, width, b.sub(count, b.i32(1)))))),
  of: b.i32(0),
});

function defineShift(name: string, width: Width, shift: Shift): void {
  const source = (b: Builder): Expr => b.let(b.get("a", width, undefined, name === "sar"));
  const commit = (b: Builder, x: Expr, count: Expr): void => {
    const { result, cf, of } = shift(b, width, x, count);
    b.setRegister("a", width, result);
    resultFlags(b, width, result, cf, of);
  };
  const rarity = width < 4 ? "rare" : "hot";
  define(`${name}.${width}.i`, (b) => commit(b, source(b), b.small), rarity);
  if (width >= 4)
    define(`${name}.${width}.i.nf`, (b) => {
      const x = b.get("a", width);
      const count = typed(b, width, b.small);
      b.setRegister(
        "a",
        width,
        name === "shl" ? b.shl(x, count) : name === "shr" ? b.shrU(x, count) : b.shrS(x, count),
      );
    });
  define(
    `${name}.${width}.c`,
    (b) => {
      const x = source(b);
      const count = b.let(b.and(b.state(RCX, 1), b.i32(mask(width))));
      b.if(count, () => commit(b, x, count), width === 4 ? () => b.setRegister("a", 4, x) : undefined);
    },
    rarity,
  );
}

/** Rotates change CF and OF only. OF is defined for counts of 1; the same formula serves for all. */
function defineRotate(name: "rol" | "ror", width: Width): void {
  const commit = (b: Builder, x: Expr, count: Expr): void => {
    const rotate = name === "rol" ? "rotl" : "rotr";
    let result: Expr;
    if (width >= 4) result = b.op(`${x.type}.${rotate}`, [x, typed(b, width, count)]);
    else {
      // The value repeated through 32 bits rotates like the narrow one.
      const repeated = width === 1 ? b.mul(x, b.i32(0x01010101)) : b.or(x, b.shl(x, b.i32(16)));
      result = truncated(b, width, b.op(`i32.${rotate}`, [repeated, count]));
    }
    const r = b.let(result);
    b.setRegister("a", width, r);
    const top = b.let(topBit(b, width, r));
    const cf = name === "rol" ? b.let(bit(b, r)) : top;
    const second = b.wrapTo32(b.shrU(r, b.lit(r.type, 8 * width - 2)));
    const of = name === "rol" ? b.xor(top, cf) : b.xor(top, b.and(second, b.i32(1)));
    b.setState(FLAG_AUX, 4, auxWithCarryOverflow(b, cf, of));
  };
  const rarity = width < 4 ? "rare" : "hot";
  define(`${name}.${width}.i`, (b) => commit(b, b.let(b.get("a", width)), b.small), rarity);
  define(
    `${name}.${width}.c`,
    (b) => {
      const x = b.let(b.get("a", width));
      const count = b.let(b.and(b.state(RCX, 1), b.i32(mask(width))));
      b.if(count, () => commit(b, x, count), width === 4 ? () => b.setRegister("a", 4, x) : undefined);
    },
    "rare",
  );
}

for (const width of WIDTHS) {
  defineShift("shl", width, shl);
  defineShift("shr", width, shr);
  defineShift("sar", width, sar);
  defineRotate("rol", width);
  defineRotate("ror", width);
}

/** SHLD, SHRD: slot a is shifted, slot b fills in; count in d or CL. */
for (const width of [2, 4, 8] as const)
  for (const name of ["shld", "shrd"] as const) {
    const commit = (b: Builder, x: Expr, y: Expr, count: Expr): void => {
      const bits = 8 * width;
      let result: Expr;
      let cf: Expr;
      if (width === 8) {
        const n = b.extU(count);
        const rest = b.extU(b.sub(b.i32(64), count));
        result = name === "shld" ? b.or(b.shl(x, n), b.shrU(y, rest)) : b.or(b.shrU(x, n), b.shl(y, rest));
        cf = name === "shld" ? bit(b, b.shrU(x, rest)) : bit(b, b.shrU(x, b.extU(b.sub(count, b.i32(1)))));
      } else {
        const wide = b.let(
          name === "shld"
            ? b.or(b.shl(b.extU(x), b.i64(bits)), b.extU(y))
            : b.or(b.shl(b.extU(y), b.i64(bits)), b.extU(x)),
        );
        const n = b.extU(count);
        const shifted = b.let(name === "shld" ? b.shl(wide, n) : b.shrU(wide, n));
        result = truncated(b, width, b.wrap(name === "shld" ? b.shrU(shifted, b.i64(bits)) : shifted));
        cf =
          name === "shld"
            ? bit(b, b.shrU(shifted, b.i64(2 * bits)))
            : bit(b, b.shrU(wide, b.extU(b.sub(count, b.i32(1)))));
        if (width === 4 && name === "shld") cf = bit(b, b.shrU(x, b.sub(b.i32(32), count)));
      }
      const r = b.let(result);
      const carry = b.let(cf);
      b.setRegister("a", width, r);
      resultFlags(b, width, r, carry, b.xor(topBit(b, width, r), topBit(b, width, x)));
    };
    define(
      `${name}.${width}.i`,
      (b) => commit(b, b.let(b.get("a", width)), b.let(b.get("b", width)), b.small),
      "rare",
    );
    define(
      `${name}.${width}.c`,
      (b) => {
        const x = b.let(b.get("a", width));
        const y = b.let(b.get("b", width));
        const count = b.let(b.and(b.state(RCX, 1), b.i32(mask(width))));
        b.if(count, () => commit(b, x, y, count), width === 4 ? () => b.setRegister("a", 4, x) : undefined);
      },
      "rare",
    );
  }

/** The count operand as CL, or a masked constant. */
function countOf(x: DecodeContext, i: number, width: Width): number | "cl" {
  if (x.isRegister(i)) return "cl";
  return Number(x.instruction.immediate(i) & 0xffn) & mask(width);
}

function lowerShift(name: string): (x: DecodeContext) => void {
  return (x) => {
    const width = x.size(0);
    const count = countOf(x, 1, width);
    modify(x, width, (a) => {
      if (count === "cl") x.emit(`${name}.${width}.c`, { a });
      else if (count !== 0) x.emit(`${name}.${width}.i`, { a, d: count });
      else if (width === 4 && x.isRegister(0)) x.emit("mov.4", { a, b: a });
    });
  };
}
lower(Mnemonic.Shl, lowerShift("shl"));
lower(Mnemonic.Sal, lowerShift("shl"));
lower(Mnemonic.Shr, lowerShift("shr"));
lower(Mnemonic.Sar, lowerShift("sar"));
lower(Mnemonic.Rol, lowerShift("rol"));
lower(Mnemonic.Ror, lowerShift("ror"));
for (const name of ["Rcl", "Rcr"] as const)
  lower(Mnemonic[name], (x) => {
    const width = x.size(0);
    const count = countOf(x, 1, width);
    modify(x, width, (a) =>
      x.callout(`${name.toLowerCase()}.${width}`, { a, d: count === "cl" ? -1 : count }),
    );
  });
for (const name of ["Shld", "Shrd"] as const)
  lower(Mnemonic[name], (x) => {
    const width = x.size(0);
    const count = countOf(x, 2, width);
    const b = x.reg(1);
    modify(x, width, (a) => {
      if (count === "cl") x.emit(`${name.toLowerCase()}.${width}.c`, { a, b });
      else if (count !== 0) x.emit(`${name.toLowerCase()}.${width}.i`, { a, b, d: count });
      else if (width === 4 && x.isRegister(0)) x.emit("mov.4", { a, b: a });
    });
  });
