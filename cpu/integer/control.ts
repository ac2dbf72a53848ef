import { Code, Mnemonic } from "iced-x86";
import { isFar, lowerFar } from "../compat/far.js";
import { lower, type DecodeContext } from "../decode/context.js";
import { EXIT_INTERRUPT, EXIT_STATE, EXIT_SYSCALL } from "../exit-codes.js";
import { condition, CONDITIONS, logicFlags, subtractFlags, type Condition } from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { RCX, RSP } from "../state.js";

/** Branches, calls, traps. Known targets are links (slots d and e), filled in when first taken. */
define("jmp", (b) => b.goto("d"), "terminator");
/** The way to a known address on another page: through the jump cache, since its mapping may change. */
define("jmp.far", (b) => b.gotoComputed(b.immediate), "terminator");
define("jmp.computed", (b) => b.gotoComputed(b.get("b", 8)), "terminator");

/** The compiler's, never the decoder's. */
define("region", (b) => b.enterRegion(), "terminator");

function pushReturn(b: Builder): void {
  const sp = b.let(b.sub(b.state(RSP, 8), b.i64(8)));
  b.store(sp, 8, b.immediate);
  b.setState(RSP, 8, sp);
}
define(
  "call",
  (b) => {
    pushReturn(b);
    b.goto("d");
  },
  "terminator",
);
define(
  "call.computed",
  (b) => {
    const target = b.let(b.get("b", 8));
    pushReturn(b);
    b.gotoComputed(target);
  },
  "terminator",
);
define(
  "ret",
  (b) => {
    const sp = b.let(b.state(RSP, 8));
    const target = b.load(sp, 8);
    b.setState(RSP, 8, b.add(sp, b.extU(b.add(b.small, b.i32(8)))));
    b.gotoComputed(target);
  },
  "terminator",
);

function branch(b: Builder, cond: Expr): void {
  b.if(
    cond,
    () => b.goto("d"),
    () => b.goto("e"),
  );
}
for (const name of CONDITIONS) define(`j.${name}`, (b) => branch(b, condition(b, name)), "terminator");

/** The comparison's operands decide directly; the flags are stored for whoever reads them later. */
export const FUSED_CONDITIONS: Partial<Record<Condition, string>> = {
  b: "lt_u",
  ae: "ge_u",
  z: "eq",
  nz: "ne",
  be: "le_u",
  a: "gt_u",
  l: "lt_s",
  ge: "ge_s",
  le: "le_s",
  g: "gt_s",
};
export const FUSED_WIDTHS: readonly Width[] = [1, 4, 8];
for (const width of FUSED_WIDTHS) {
  for (const [name, compare] of Object.entries(FUSED_CONDITIONS)) {
    if (width === 1 && !["z", "nz", "be", "a", "b", "ae"].includes(name)) continue;
    define(
      `cmp.${width}.j.${name}`,
      (b) => {
        const x = b.let(b.get("a", width));
        const y = b.let(b.get("b", width));
        subtractFlags(b, width, x, y, b.let(b.sub(x, y)));
        branch(b, b.op(`${x.type}.${compare}`, [x, y]));
      },
      "terminator",
    );
  }
  for (const name of ["z", "nz", "s", "ns", "le", "g"] as const) {
    if (width === 1 && name !== "z" && name !== "nz") continue;
    define(
      `test.${width}.j.${name}`,
      (b) => {
        const x = b.let(b.and(b.get("a", width), b.get("b", width)));
        logicFlags(b, width, x);
        const zero = b.lit(x.type, 0);
        const compare = { z: "eq", nz: "ne", s: "lt_s", ns: "ge_s", le: "le_s", g: "gt_s" }[name];
        branch(b, b.op(`${x.type}.${compare}`, [x, zero]));
      },
      "terminator",
    );
  }
}

define("jrcxz", (b) => branch(b, b.eqz(b.state(RCX, 8))), "terminator");
define("jecxz", (b) => branch(b, b.eqz(b.state(RCX, 4))), "terminator");
for (const [name, extra] of [
  ["loop", undefined],
  ["loope", "z"],
  ["loopne", "nz"],
] as const)
  for (const width of [4, 8] as const)
    define(
      `${name}.${width}`,
      (b) => {
        const count = b.let(b.sub(b.state(RCX, width), b.lit(width === 8 ? "i64" : "i32", 1)));
        const taken = b.let(b.eqz(b.eqz(count)));
        b.setState(RCX, 8, width === 8 ? count : b.extU(count));
        branch(b, extra === undefined ? taken : b.and(taken, condition(b, extra)));
      },
      "terminator",
    );

define("syscall", (b) => b.exit(EXIT_SYSCALL), "terminator");
/** Ends a block so that the run loop sees a change of TF. */
define("stop", (b) => b.exit(EXIT_STATE), "terminator");
define("int80", (b) => b.exit(EXIT_INTERRUPT), "terminator");
/** Exceptions that an instruction always raises. */
for (const vector of [1, 3, 4, 6]) define(`raise.${vector}`, (b) => b.exception(vector), "terminator");
/** #GP with the error code in d. */
define("raise.13", (b) => b.exception(13), "terminator");

lower(Mnemonic.Jmp, (x) => {
  if (isFar(x)) return lowerFar(x, "jmp");
  if (isNear(x)) return x.emit("jmp");
  x.emit("jmp.computed", { b: x.read(0, 8) });
});
lower(Mnemonic.Call, (x) => {
  if (isFar(x)) return lowerFar(x, "call");
  if (isNear(x)) return x.emit("call", { immediate: x.next });
  x.emit("call.computed", { b: x.read(0, 8), immediate: x.next });
});
lower(Mnemonic.Ret, (x) =>
  x.emit("ret", { d: x.instruction.opCount > 0 ? Number(x.instruction.immediate(0)) : 0 }),
);
const isNear = (x: DecodeContext): boolean => !x.isRegister(0) && !x.isMemory(0);

["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"].forEach(
  (suffix, i) => lower(Mnemonic[`J${suffix}` as keyof typeof Mnemonic], (x) => x.emit(`j.${CONDITIONS[i]}`)),
);
lower(Mnemonic.Jrcxz, (x) => x.emit("jrcxz"));
lower(Mnemonic.Jecxz, (x) => x.emit("jecxz"));
lower([Mnemonic.Loop, Mnemonic.Loope, Mnemonic.Loopne], (x) => {
  const name = x.mnemonic === Mnemonic.Loop ? "loop" : x.mnemonic === Mnemonic.Loope ? "loope" : "loopne";
  x.emit(`${name}.${Code[x.code].endsWith("_ECX") ? 4 : 8}`);
});

lower(Mnemonic.Syscall, (x) => x.emit("syscall"));
lower(Mnemonic.Int3, (x) => x.emit("raise.3"));
lower(Mnemonic.Int1, (x) => x.emit("raise.1"));
lower([Mnemonic.Ud0, Mnemonic.Ud1, Mnemonic.Ud2], (x) => x.emit("raise.6"));
// Linux opens the gates of 3 and 4 to user mode.
lower(Mnemonic.Int, (x) => {
  const vector = Number(x.immediate(0) & 0xffn);
  if (vector === 3 || vector === 4) x.emit(`raise.${vector}`);
  else if (vector === 0x80) x.emit("int80");
  else x.callout("raiseGp", { d: vector * 8 + 2 });
});
lower(
  [
    Mnemonic.Hlt,
    Mnemonic.Cli,
    Mnemonic.Sti,
    Mnemonic.In,
    Mnemonic.Out,
    Mnemonic.Insb,
    Mnemonic.Insw,
    Mnemonic.Insd,
    Mnemonic.Outsb,
    Mnemonic.Outsw,
    Mnemonic.Outsd,
    Mnemonic.Rdmsr,
    Mnemonic.Wrmsr,
    Mnemonic.Lgdt,
    Mnemonic.Lidt,
    Mnemonic.Lldt,
    Mnemonic.Ltr,
    Mnemonic.Invlpg,
    Mnemonic.Invd,
    Mnemonic.Wbinvd,
    Mnemonic.Clts,
    Mnemonic.Lmsw,
    Mnemonic.Swapgs,
    Mnemonic.Xsetbv,
    Mnemonic.Rdpmc,
    Mnemonic.Sysret,
    Mnemonic.Sysretq,
    Mnemonic.Sysexit,
  ],
  (x) => x.callout("raiseGp", { d: 0 }),
);
define("nop", () => {});
lower(
  [
    Mnemonic.Nop,
    Mnemonic.Endbr64,
    Mnemonic.Endbr32,
    Mnemonic.Pause,
    Mnemonic.Lfence,
    Mnemonic.Mfence,
    Mnemonic.Sfence,
    Mnemonic.Rdsspd,
    Mnemonic.Rdsspq,
    Mnemonic.Reservednop,
  ],
  (x) => x.emit("nop"),
);
