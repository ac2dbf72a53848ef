import { Mnemonic, Code } from "iced-x86";
import { lower } from "../decode/context.js";
import { EXIT_DISPATCH } from "../exit-codes.js";
import { explicitFlags } from "../flags.js";
import type { Builder } from "../ir/builder.js";
import type { Expr, Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { RFLAGS_OTHER } from "../registers.js";
import { FLAG_OTHER, RIP, RSP } from "../state.js";

/** Far returns. The only code segment is __USER_CS and the only stack segment __USER_DS: there is no 32-bit mode. */
const USER_CS = 0x33;
const USER_DS = 0x2b;
const GP = 13;

function requireSelector(b: Builder, selector: Expr, wanted: number): void {
  b.if(b.ne(b.and(selector, b.i32(0xffff)), b.i32(wanted)), () => b.exception(GP));
}

for (const width of [4, 8] as const) {
  const pop = (b: Builder, sp: Expr, i: number, type: "i32" | "i64" = "i64"): Expr =>
    b.load(b.add(sp, b.i64(width * i)), (type === "i32" ? 4 : width) as Width, type);
  define(
    `iret.${width}`,
    (b) => {
      const sp = b.let(b.state(RSP, 8));
      const rip = pop(b, sp, 0);
      const cs = pop(b, sp, 1, "i32");
      const flags = pop(b, sp, 2, "i32");
      const newSp = pop(b, sp, 3);
      const ss = pop(b, sp, 4, "i32");
      requireSelector(b, cs, USER_CS);
      requireSelector(b, ss, USER_DS);
      const bit = (n: number): Expr => b.and(b.shrU(flags, b.i32(n)), b.i32(1));
      explicitFlags(b, bit(0), bit(2), bit(4), bit(6), bit(7), bit(11));
      b.setState(FLAG_OTHER, 4, b.and(flags, b.i32(RFLAGS_OTHER)));
      b.setState(RSP, 8, newSp);
      // Through the run loop, which looks at TF.
      b.setState(RIP, 8, rip);
      b.exit(EXIT_DISPATCH);
    },
    "terminator",
  );
  define(
    `retf.${width}`,
    (b) => {
      const sp = b.let(b.state(RSP, 8));
      const rip = pop(b, sp, 0);
      const cs = pop(b, sp, 1, "i32");
      requireSelector(b, cs, USER_CS);
      b.setState(RSP, 8, b.add(sp, b.extU(b.add(b.small, b.i32(2 * width)))));
      b.gotoComputed(rip);
    },
    "terminator",
  );
}

lower([Mnemonic.Iretq, Mnemonic.Iretd], (x) => x.emit(`iret.${x.mnemonic === Mnemonic.Iretq ? 8 : 4}`));
lower(Mnemonic.Retf, (x) => {
  const wide = x.code === Code.Retfq || x.code === Code.Retfq_imm16;
  const d = x.instruction.opCount > 0 ? Number(x.instruction.immediate(0)) : 0;
  x.emit(`retf.${wide ? 8 : 4}`, { d });
});
