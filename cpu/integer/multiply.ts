import { Mnemonic } from "iced-x86";
import { calloutNumber, defineCallout, DONE, FAULTED } from "../callouts.js";
import { IMMEDIATE, lower } from "../decode/context.js";
import { resultFlags } from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { RAX, RDX } from "../state.js";

/** MUL, IMUL, DIV, IDIV. CF = OF = "the high half is significant"; SF, ZF, PF follow the low half (undefined). */
const low32 = 0xffffffffn;

/** The high half of an unsigned 64 x 64 product: WebAssembly has no wide multiplication. */
function highUnsigned(b: Builder, x: Expr, y: Expr): Expr {
  const mask = b.i64(low32);
  const half = b.i64(32);
  const xl = b.let(b.and(x, mask));
  const xh = b.let(b.shrU(x, half));
  const yl = b.let(b.and(y, mask));
  const yh = b.let(b.shrU(y, half));
  const middle = b.let(b.add(b.mul(xh, yl), b.shrU(b.mul(xl, yl), half)));
  const other = b.let(b.add(b.mul(xl, yh), b.and(middle, mask)));
  return b.let(b.add(b.add(b.mul(xh, yh), b.shrU(middle, half)), b.shrU(other, half)));
}
function highSigned(b: Builder, x: Expr, y: Expr): Expr {
  const high = highUnsigned(b, x, y);
  const correction = (p: Expr, q: Expr): Expr => b.and(b.shrS(p, b.i64(63)), q);
  return b.let(b.sub(b.sub(high, correction(x, y)), correction(y, x)));
}

for (const signed of [false, true]) {
  const name = signed ? "imul1" : "mul";
  for (const width of [1, 2, 4] as const)
    define(
      `${name}.${width}`,
      (b) => {
        const x = b.state(RAX, width, "i64", signed);
        const y = b.get("a", width, "i64", signed);
        const product = b.let(b.mul(x, y));
        const bits = 8 * width;
        const low = b.let(width === 4 ? b.wrap(product) : b.and(b.wrap(product), b.i32((1 << bits) - 1)));
        const back = signed
          ? b.op(width === 1 ? "i64.extend8_s" : width === 2 ? "i64.extend16_s" : "i64.extend32_s", [product])
          : b.and(product, b.i64((1n << BigInt(bits)) - 1n));
        const wide = b.let(b.ne(product, back));
        if (width === 1) b.setState(RAX, 2, b.wrap(product));
        else if (width === 2) {
          b.setState(RAX, 2, low);
          b.setState(RDX, 2, b.wrap(b.shrU(product, b.i64(16))));
        } else {
          b.setState(RAX, 8, b.extU(low));
          b.setState(RDX, 8, b.and(b.shrU(product, b.i64(32)), b.i64(low32)));
        }
        resultFlags(b, width, low, wide, wide);
      },
      width < 4 ? "rare" : "hot",
    );
  define(`${name}.8`, (b) => {
    const x = b.let(b.state(RAX, 8));
    const y = b.let(b.get("a", 8));
    const high = signed ? highSigned(b, x, y) : highUnsigned(b, x, y);
    const low = b.let(b.mul(x, y));
    b.setState(RAX, 8, low);
    b.setState(RDX, 8, high);
    const wide = b.let(signed ? b.ne(high, b.shrS(low, b.i64(63))) : b.ne(high, b.i64(0)));
    resultFlags(b, 8, low, wide, wide);
  });
}

/** IMUL of two operands: a = b * c. */
define(
  "imul.2",
  (b) => {
    const product = b.let(b.mul(b.get("b", 2, "i32", true), b.get("c", 2, "i32", true)));
    const low = b.let(b.and(product, b.i32(0xffff)));
    const wide = b.let(b.ne(product, b.op("i32.extend16_s", [product])));
    b.set("a", 2, low);
    resultFlags(b, 2, low, wide, wide);
  },
  "rare",
);
define("imul.4", (b) => {
  const product = b.let(b.mul(b.get("b", 4, "i64", true), b.get("c", 4, "i64", true)));
  const low = b.let(b.wrap(product));
  const wide = b.let(b.ne(product, b.extS(low)));
  b.setRegister("a", 4, low);
  resultFlags(b, 4, low, wide, wide);
});
define("imul.8", (b) => {
  const x = b.let(b.get("b", 8));
  const y = b.let(b.get("c", 8));
  const low = b.let(b.mul(x, y));
  const wide = b.let(b.ne(highSigned(b, x, y), b.shrS(low, b.i64(63))));
  b.set("a", 8, low);
  resultFlags(b, 8, low, wide, wide);
});

const DIVIDE_ERROR = 0;
for (const width of [1, 2, 4] as const)
  for (const signed of [false, true])
    define(
      `${signed ? "idiv" : "div"}.${width}`,
      (b) => {
        const divisor = b.let(b.get("a", width, "i64", signed));
        b.if(b.eqz(divisor), () => b.exception(DIVIDE_ERROR));
        const dividend =
          width === 1
            ? b.let(b.state(RAX, 2, "i64", signed))
            : b.let(
                b.or(b.shl(b.state(RDX, width, "i64", signed), b.i64(8 * width)), b.state(RAX, width, "i64")),
              );
        // The one quotient that WebAssembly's own division traps on overflows here too.
        if (signed && width === 4)
          b.if(b.and(b.eq(dividend, b.i64(-(1n << 63n))), b.eq(divisor, b.i64(-1))), () =>
            b.exception(DIVIDE_ERROR),
          );
        const quotient = b.let(b.op(signed ? "i64.div_s" : "i64.div_u", [dividend, divisor]));
        const fits = signed
          ? b.eq(
              quotient,
              b.op(width === 1 ? "i64.extend8_s" : width === 2 ? "i64.extend16_s" : "i64.extend32_s", [
                quotient,
              ]),
            )
          : b.eqz(b.shrU(quotient, b.i64(8 * width)));
        b.if(b.eqz(fits), () => b.exception(DIVIDE_ERROR));
        const remainder = b.let(b.op(signed ? "i64.rem_s" : "i64.rem_u", [dividend, divisor]));
        if (width === 1)
          b.setState(
            RAX,
            2,
            b.wrap(b.or(b.and(quotient, b.i64(0xff)), b.shl(b.and(remainder, b.i64(0xff)), b.i64(8)))),
          );
        else if (width === 2) {
          b.setState(RAX, 2, b.wrap(quotient));
          b.setState(RDX, 2, b.wrap(remainder));
        } else {
          b.setState(RAX, 8, b.and(quotient, b.i64(low32)));
          b.setState(RDX, 8, b.and(remainder, b.i64(low32)));
        }
      },
      width < 4 ? "rare" : "hot",
    );

/** A dividend of one significant half is divided here, a wider one by a callout (its number is in d). */
for (const signed of [false, true])
  define(`${signed ? "idiv" : "div"}.8`, (b) => {
    const divisor = b.let(b.get("a", 8));
    b.if(b.eqz(divisor), () => b.exception(DIVIDE_ERROR));
    const low = b.let(b.state(RAX, 8));
    const high = b.state(RDX, 8);
    const narrow = signed ? b.eq(high, b.shrS(low, b.i64(63))) : b.eqz(high);
    const safe = signed
      ? b.and(narrow, b.eqz(b.and(b.eq(divisor, b.i64(-1)), b.eq(low, b.i64(-(1n << 63n))))))
      : narrow;
    b.if(
      safe,
      () => {
        const quotient = b.let(b.op(signed ? "i64.div_s" : "i64.div_u", [low, divisor]));
        b.setState(RDX, 8, b.op(signed ? "i64.rem_s" : "i64.rem_u", [low, divisor]));
        b.setState(RAX, 8, quotient);
      },
      () => b.callout(),
    );
  });

for (const signed of [false, true])
  defineCallout(signed ? "idiv128" : "div128", (context, record) => {
    const { registers } = context;
    const view = new DataView(context.memory.memory.buffer);
    const at = context.a(record);
    let divisor = view.getBigUint64(at, true);
    let dividend = (registers.get(2) << 64n) | registers.get(0);
    if (signed) {
      divisor = BigInt.asIntN(64, divisor);
      dividend = BigInt.asIntN(128, dividend);
    }
    const quotient = dividend / divisor;
    const fits = signed ? BigInt.asIntN(64, quotient) === quotient : quotient < 1n << 64n;
    if (!fits) {
      context.raise(DIVIDE_ERROR);
      return FAULTED;
    }
    registers.set(0, quotient);
    registers.set(2, dividend % divisor);
    return DONE;
  });

for (const [mnemonic, name] of [
  [Mnemonic.Mul, "mul"],
  [Mnemonic.Div, "div"],
  [Mnemonic.Idiv, "idiv"],
] as const)
  lower(mnemonic, (x) => {
    const width = x.size(0);
    const wide = width === 8 && name !== "mul" ? { d: calloutNumber(`${name}128`) } : {};
    x.emit(`${name}.${width}`, { a: x.read(0, width), ...wide });
  });
lower(Mnemonic.Imul, (x) => {
  const width = x.size(0);
  const { opCount } = x.instruction;
  if (opCount === 1) return x.emit(`imul1.${width}`, { a: x.read(0, width) });
  if (opCount === 2) return x.emit(`imul.${width}`, { a: x.reg(0), b: x.reg(0), c: x.read(1, width) });
  x.emit(`imul.${width}`, { a: x.reg(0), b: x.read(1, width), c: IMMEDIATE, immediate: x.immediate(2) });
});
