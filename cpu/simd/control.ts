import { Mnemonic } from "iced-x86";
import { lower } from "../decode/context.js";
import { define } from "../ir/registry.js";
import { MXCSR, X87_TAGS, X87_TOP } from "../state.js";
import { mmx } from "./operands.js";

/** MXCSR, EMMS, prefetches and CLFLUSH. */

const GENERAL_PROTECTION = 13;
/** Bits of MXCSR that are reserved: all but those of MXCSR_MASK 0xffff. */
const RESERVED = 0xffff0000 | 0;

define(
  "ldmxcsr",
  (b) => {
    const value = b.let(b.get("b", 4));
    b.if(b.and(value, b.i32(RESERVED)), () => b.exception(GENERAL_PROTECTION));
    b.setState(MXCSR, 4, value);
  },
  "rare",
);
lower(Mnemonic.Ldmxcsr, (x) => x.emit("ldmxcsr", { b: x.read(0, 4) }));
lower(Mnemonic.Stmxcsr, (x) => x.store(4, MXCSR));

define(
  "emms",
  (b) => {
    b.setState(X87_TAGS, 1, b.i32(0));
    b.setState(X87_TOP, 1, b.i32(0));
  },
  "rare",
);
lower(Mnemonic.Emms, (x) => mmx(x, () => x.emit("emms")));

/** Hints: nothing is accessed and nothing faults. */
lower(
  [Mnemonic.Prefetchnta, Mnemonic.Prefetcht0, Mnemonic.Prefetcht1, Mnemonic.Prefetcht2, Mnemonic.Prefetchw],
  (x) => x.emit("nop"),
);
/** CLFLUSH is ordered and checked as a load of one byte; there is no cache to flush. */
lower(Mnemonic.Clflush, (x) => x.load(1, x.temp()));
