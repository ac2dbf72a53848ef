import { Code, Mnemonic, Register, RegisterExt } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import { condition, CONDITIONS } from "../flags.js";
import type { Width } from "../ir/nodes.js";
import { define } from "../ir/registry.js";
import { FS, GS, SS } from "../segments.js";
import { FS_BASE, GS_BASE, RAX, RBP, RBX, RDX, RSP, SELECTOR, TEMP, ZERO } from "../state.js";
import { constant, WIDTHS } from "./common.js";

/** MOV and its kin: moves, extensions, LEA, XCHG, PUSH, POP, CMOVcc, SETcc, BSWAP, CBW …. */
for (const width of WIDTHS) {
  define(`mov.${width}`, (b) => b.setRegister("a", width, b.get("b", width)));
  define(
    `xchg.${width}`,
    (b) => {
      const x = b.let(b.get("a", width));
      const y = b.let(b.get("b", width));
      b.setRegister("a", width, y);
      b.setRegister("b", width, x);
    },
    "rare",
  );
}
for (const width of [1, 2] as const) {
  define(`movz.${width}`, (b) => b.set("a", 8, b.get("b", width, "i64")));
  define(`movsto4.${width}`, (b) => b.setRegister("a", 4, b.get("b", width, "i32", true)));
}
for (const width of [1, 2, 4] as const)
  define(`movs.${width}`, (b) => b.set("a", 8, b.get("b", width, "i64", true)));

for (const name of CONDITIONS) {
  define(
    `set.${name}`,
    (b) => b.set("a", 1, condition(b, name)),
    name === "p" || name === "np" ? "rare" : "hot",
  );
  for (const width of [2, 4, 8] as const)
    define(
      `cmov.${name}.${width}`,
      (b) => b.setRegister("a", width, b.select(condition(b, name), b.get("b", width), b.get("a", width))),
      width === 2 ? "rare" : "hot",
    );
}

for (const width of [2, 8] as const) {
  define(`push.${width}`, (b) => {
    const sp = b.let(b.sub(b.state(RSP, 8), b.i64(width)));
    b.store(sp, width, b.get("b", width));
    b.setState(RSP, 8, sp);
  });
  define(`pop.${width}`, (b) => {
    const sp = b.let(b.state(RSP, 8));
    const value = b.load(sp, width);
    b.setState(RSP, 8, b.add(sp, b.i64(width)));
    b.set("a", width, value);
  });
}
for (const width of [2, 8] as const)
  define(`leave.${width}`, (b) => {
    const bp = b.let(b.state(RBP, 8));
    const saved = b.load(bp, width);
    b.setState(RSP, 8, b.add(bp, b.i64(width)));
    b.setState(RBP, width, saved);
  });
for (const width of [4, 8] as const)
  define(
    `bswap.${width}`,
    (b) => {
      const swap4 = (x: ReturnType<typeof b.get>) =>
        b.or(
          b.and(b.op("i32.rotl", [x, b.i32(8)]), b.i32(0x00ff00ff)),
          b.and(b.op("i32.rotr", [x, b.i32(8)]), b.i32(0xff00ff00)),
        );
      const x = b.let(b.get("a", width));
      if (width === 4) return b.setRegister("a", 4, swap4(x));
      const low = b.let(b.wrap(x));
      const high = b.let(b.wrap(b.shrU(x, b.i64(32))));
      b.set("a", 8, b.or(b.shl(b.extU(swap4(low)), b.i64(32)), b.extU(swap4(high))));
    },
    "rare",
  );

/** CWD, CDQ, CQO: RDX from the sign of RAX. */
for (const width of [2, 4, 8] as const)
  define(
    `signtodx.${width}`,
    (b) => {
      const x = width === 2 ? b.get("a", 2, "i32", true) : b.get("a", width);
      b.setRegister("b", width, b.shrS(x, constant(b, width, width === 8 ? 63 : 31)));
    },
    width === 2 ? "rare" : "hot",
  );

function move(x: DecodeContext): void {
  const width = x.size(0);
  const source = x.isRegister(1) ? x.instruction.opRegister(1) : Register.None;
  // Control and debug registers belong to the kernel.
  if (isPrivileged(x.instruction.opRegister(0)) || isPrivileged(source))
    return x.callout("raiseGp", { d: 0 });
  if (isSegment(source)) return moveFromSegment(x, selectorOf(source));
  if (x.isRegister(0) && isSegment(x.instruction.opRegister(0)))
    return x.callout("loadSegment", { a: x.read(1, 2), b: x.instruction.opRegister(0) - Register.ES });
  if (x.isRegister(0)) {
    const a = x.reg(0);
    if (x.isMemory(1)) return x.load(width, a);
    if (x.isRegister(1)) return x.emit(`mov.${width}`, { a, b: x.reg(1) });
    return x.emit(`mov.${width}`, { a, b: -1, immediate: x.immediate(1) });
  }
  if (x.isRegister(1)) return x.store(width, x.reg(1));
  const temp = x.temp();
  x.emit("mov.8", { a: temp, b: -1, immediate: x.immediate(1) });
  x.store(width, temp);
}
/** MOV from a segment register: a register operand is zero-extended to its size, memory takes 2 bytes. */
function moveFromSegment(x: DecodeContext, selector: number): void {
  if (!x.isRegister(0)) return x.store(2, selector);
  x.emit(x.size(0) === 2 ? "mov.2" : "movz.2", { a: x.reg(0), b: selector });
}

lower(Mnemonic.Mov, move);
lower(Mnemonic.Movnti, move);

lower(Mnemonic.Movzx, (x) => {
  const from = x.size(1);
  const to = x.size(0);
  if (to === 2) {
    const temp = x.temp();
    if (x.isMemory(1)) x.loadAs(`ldz.${from}`, temp);
    else x.emit(`movz.${from}`, { a: temp, b: x.reg(1) });
    return x.emit("mov.2", { a: x.reg(0), b: temp });
  }
  if (x.isMemory(1)) x.loadAs(`ldz.${from}`, x.reg(0));
  else x.emit(`movz.${from}`, { a: x.reg(0), b: x.reg(1) });
});
lower([Mnemonic.Movsx, Mnemonic.Movsxd], (x) => {
  const from = x.size(1);
  const to = x.size(0);
  if (from === to) return move(x);
  if (to === 2) {
    const temp = x.temp();
    if (x.isMemory(1)) x.loadAs(`lds.${from}`, temp);
    else x.emit(`movs.${from}`, { a: temp, b: x.reg(1) });
    return x.emit("mov.2", { a: x.reg(0), b: temp });
  }
  const suffix = to === 4 ? `to4.${from}` : `.${from}`;
  if (x.isMemory(1)) x.loadAs(`lds${suffix}`, x.reg(0));
  else x.emit(`movs${suffix}`, { a: x.reg(0), b: x.reg(1) });
});
lower(Mnemonic.Lea, (x) => {
  const width = x.size(0);
  const { form, fields } = x.memory();
  const to = width === 8 ? x.reg(0) : x.temp();
  // LEA takes the offset only: no segment base.
  if (form === "b") x.emit("ea.b", { ...fields, a: to });
  else x.emit("ea", { ...fields, a: to, e: ZERO });
  if (width !== 8) x.emit(`mov.${width}`, { a: x.reg(0), b: to });
});
lower(Mnemonic.Xchg, (x) => {
  const width = x.size(0);
  // A memory operand may stand on either side.
  const memory = x.isMemory(0) ? 0 : 1;
  const other = x.reg(1 - memory);
  const temp = x.read(memory, width, true);
  if (!x.isMemory(memory)) return x.emit(`xchg.${width}`, { a: x.reg(0), b: x.reg(1) });
  x.store(width, other);
  x.emit(`mov.${width}`, { a: other, b: temp });
});
lower(Mnemonic.Push, (x) => {
  const ins = x.instruction;
  const width = (
    x.isRegister(0) || x.isMemory(0) ? Math.max(2, x.size(0)) : ins.stackPointerIncrement === -2 ? 2 : 8
  ) as Width;
  if (x.isRegister(0) && isSegment(ins.opRegister(0))) {
    const temp = x.temp();
    x.emit("movz.2", { a: temp, b: selectorOf(ins.opRegister(0)) });
    return x.emit(`push.${ins.stackPointerIncrement === -2 ? 2 : 8}`, { b: temp });
  }
  const b = x.read(0, width);
  x.emit(`push.${width}`, { b, ...(b === -1 ? { immediate: x.immediate(0) } : {}) });
});
lower(Mnemonic.Pop, (x) => {
  if (x.isRegister(0) && isSegment(x.instruction.opRegister(0))) {
    const selector = x.temp();
    x.emit("ld.8.b", { a: selector, b: RSP, immediate: 0 });
    x.callout("loadSegment", { a: selector, b: x.instruction.opRegister(0) - Register.ES });
    return x.emit("ea.b", { a: RSP, b: RSP, immediate: x.instruction.stackPointerIncrement });
  }
  const width = x.size(0);
  if (x.isRegister(0)) return x.emit(`pop.${width}`, { a: x.reg(0) });
  // The address is computed with RSP already incremented, and a fault of the store leaves RSP as it was: the
  // old RSP is put back for the store, which is done before RSP is committed.
  const value = x.temp();
  const newSp = x.temp();
  x.emit(`ld.${width}.b`, { a: value, b: RSP, immediate: 0 });
  x.emit("ea.b", { a: newSp, b: RSP, immediate: width });
  const { form, fields } = x.memory();
  const usesSp = fields.b === RSP;
  x.emit(`st.${width}.${form}`, { ...fields, a: value, ...(usesSp ? { b: newSp } : {}) });
  x.emit("mov.8", { a: RSP, b: newSp });
});
/** The offset is loaded last: a fault of the selector finds the register unchanged. */
for (const [mnemonic, segment] of [
  [Mnemonic.Lss, SS],
  [Mnemonic.Lfs, FS],
  [Mnemonic.Lgs, GS],
] as const)
  lower(mnemonic, (x) => {
    const width = x.size(0);
    const address = x.address();
    const offset = x.temp();
    const selector = x.temp();
    x.emit(`ld.${width}.b`, { a: offset, b: address, immediate: 0 });
    x.emit("ld.2.b", { a: selector, b: address, immediate: width });
    x.callout("loadSegment", { a: selector, b: segment });
    x.emit(`mov.${width}`, { a: x.reg(0), b: offset });
  });
lower(Mnemonic.Leave, (x) => x.emit(x.code === Code.Leavew ? "leave.2" : "leave.8"));
lower(Mnemonic.Enter, (x) => {
  const { instruction } = x;
  const c = x.code === Code.Enterw_imm16_imm8 ? 2 : 8;
  x.callout("enter", { c, immediate: instruction.immediate(0), d: Number(instruction.immediate(1)) });
});
lower(Mnemonic.Bswap, (x) => {
  const width = x.size(0);
  // The 16-bit form is undefined in the manual; processors clear the register.
  if (width === 2) x.emit("mov.2", { a: x.reg(0), b: ZERO });
  else x.emit(`bswap.${width}`, { a: x.reg(0) });
});
lower(Mnemonic.Cbw, (x) => {
  x.emit("movs.1", { a: TEMP, b: RAX });
  x.emit("mov.2", { a: RAX, b: TEMP });
});
lower(Mnemonic.Cwde, (x) => x.emit("movsto4.2", { a: RAX, b: RAX }));
lower(Mnemonic.Cdqe, (x) => x.emit("movs.4", { a: RAX, b: RAX }));
lower(Mnemonic.Cwd, (x) => x.emit("signtodx.2", { a: RAX, b: RDX }));
lower(Mnemonic.Cdq, (x) => x.emit("signtodx.4", { a: RAX, b: RDX }));
lower(Mnemonic.Cqo, (x) => x.emit("signtodx.8", { a: RAX, b: RDX }));

const CC_MNEMONICS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];
CC_MNEMONICS.forEach((suffix, i) => {
  const name = CONDITIONS[i];
  lower(Mnemonic[`Set${suffix}` as keyof typeof Mnemonic], (x) => {
    if (x.isRegister(0)) return x.emit(`set.${name}`, { a: x.reg(0) });
    const temp = x.temp();
    x.emit(`set.${name}`, { a: temp });
    x.store(1, temp);
  });
  lower(Mnemonic[`Cmov${suffix}` as keyof typeof Mnemonic], (x) => {
    const width = x.size(0);
    x.emit(`cmov.${name}.${width}`, { a: x.reg(0), b: x.read(1, width) });
  });
});

/** Where a segment register's selector lies. */
export const selectorOf = (segment: Register): number => SELECTOR + 2 * (segment - Register.ES);
const isPrivileged = (r: Register): boolean =>
  RegisterExt.isCR(r) || RegisterExt.isDR(r) || RegisterExt.isTR(r);
export const isSegment = (r: Register): boolean => r >= Register.ES && r <= Register.GS;

lower(Mnemonic.Xlatb, (x) => {
  const index = x.temp();
  const { segmentPrefix } = x.instruction;
  x.emit("movz.1", { a: index, b: RAX });
  const segment = segmentPrefix === Register.FS ? FS_BASE : segmentPrefix === Register.GS ? GS_BASE : ZERO;
  x.emit("ld.1.x", { a: RAX, b: RBX, c: index, d: 0, e: segment, immediate: 0 });
});
