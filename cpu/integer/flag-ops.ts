import { Mnemonic } from "iced-x86";
import { lower } from "../decode/context.js";
import {
  adjustFlag,
  auxWithCarryOverflow,
  carryFlag,
  explicitFlags,
  overflowFlag,
  parityFlag,
  signFlag,
  zeroFlag,
} from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { RFLAGS_DF, RFLAGS_IF, RFLAGS_OTHER } from "../registers.js";
import { FLAG_AUX, FLAG_OTHER, RAX } from "../state.js";

/** Instructions that read or write RFLAGS as such. */
const shifted = (b: Builder, flag: Expr, by: number): Expr => b.shl(flag, b.i32(by));
const low8 = (b: Builder): Expr =>
  b.or(
    b.or(b.or(carryFlag(b), b.i32(2)), b.or(shifted(b, parityFlag(b), 2), shifted(b, adjustFlag(b), 4))),
    b.or(shifted(b, zeroFlag(b), 6), shifted(b, signFlag(b), 7)),
  );
const bitOf = (b: Builder, value: Expr, n: number): Expr => b.and(b.shrU(value, b.i32(n)), b.i32(1));

define(
  "rflags",
  (b) => {
    const rest = b.or(b.state(FLAG_OTHER, 4), b.i32(RFLAGS_IF));
    b.set("a", 8, b.extU(b.or(b.or(low8(b), rest), shifted(b, overflowFlag(b), 11))));
  },
  "rare",
);
for (const width of [2, 8] as const)
  define(
    `setrflags.${width}`,
    (b) => {
      const v = b.let(b.get("b", 4));
      explicitFlags(
        b,
        bitOf(b, v, 0),
        bitOf(b, v, 2),
        bitOf(b, v, 4),
        bitOf(b, v, 6),
        bitOf(b, v, 7),
        bitOf(b, v, 11),
      );
      // POPFW leaves the upper half, and with it AC and ID, alone.
      const changed = width === 2 ? RFLAGS_OTHER & 0xffff : RFLAGS_OTHER;
      b.setState(
        FLAG_OTHER,
        4,
        b.or(b.and(b.state(FLAG_OTHER, 4), b.i32(RFLAGS_OTHER & ~changed)), b.and(v, b.i32(changed))),
      );
    },
    "rare",
  );
define("lahf", (b) => b.setState(RAX + 1, 1, low8(b)), "rare");
define(
  "sahf",
  (b) => {
    const v = b.let(b.state(RAX + 1, 1));
    const of = b.let(overflowFlag(b));
    explicitFlags(b, bitOf(b, v, 0), bitOf(b, v, 2), bitOf(b, v, 4), bitOf(b, v, 6), bitOf(b, v, 7), of);
  },
  "rare",
);
for (const [name, value] of [
  ["clc", (b: Builder) => b.i32(0)],
  ["stc", (b: Builder) => b.i32(1)],
  ["cmc", (b: Builder) => b.xor(carryFlag(b), b.i32(1))],
] as const)
  define(
    name,
    (b) => b.setState(FLAG_AUX, 4, auxWithCarryOverflow(b, b.let(value(b)), b.let(overflowFlag(b)))),
    "rare",
  );
define("cld", (b) => b.setState(FLAG_OTHER, 4, b.and(b.state(FLAG_OTHER, 4), b.i32(~RFLAGS_DF))), "rare");
define("std", (b) => b.setState(FLAG_OTHER, 4, b.or(b.state(FLAG_OTHER, 4), b.i32(RFLAGS_DF))), "rare");

for (const name of ["Lahf", "Sahf", "Clc", "Stc", "Cmc", "Cld", "Std"] as const)
  lower(Mnemonic[name], (x) => x.emit(name.toLowerCase()));
for (const [mnemonic, width] of [
  [Mnemonic.Pushfq, 8],
  [Mnemonic.Pushf, 2],
] as const)
  lower(mnemonic, (x) => {
    const temp = x.temp();
    x.emit("rflags", { a: temp });
    x.emit(`push.${width}`, { b: temp });
  });
for (const [mnemonic, width] of [
  [Mnemonic.Popfq, 8],
  [Mnemonic.Popf, 2],
] as const)
  lower(mnemonic, (x) => {
    const temp = x.temp();
    x.emit(`pop.${width}`, { a: temp });
    x.emit(`setrflags.${width}`, { b: temp });
    x.emit("stop");
  });
