import { Mnemonic, OpKind, Register } from "iced-x86";
import { lower, type DecodeContext } from "../decode/context.js";
import { define } from "../ir/registry.js";
import { emitDestination } from "../compat/addressing.js";
import { RDI, ZERO, TEMP, FS_BASE, GS_BASE } from "../state.js";
import type { Width } from "../ir/nodes.js";
import { isMmxOperand, mmx, partial, setMmx, storeAligned, vector } from "./operands.js";

/** Moves between vector registers, memory and general registers. */

define("vmov.16", (b) => b.set("a", 16, b.get("b", 16)));
/** Into the low lane; the rest of the register becomes 0. */
define("vmovz.4", (b) => b.set("a", 16, b.get("b", 4, "v128")));
define("vmovz.8", (b) => b.set("a", 16, b.get("b", 8, "v128")));
/** Bytes of one register into another, neither extended. */
for (const width of [1, 2, 4] as const)
  define(`vlane.${width}`, (b) => b.set("a", width, b.get("b", width)), "rare");
define("vlane.8", (b) => b.set("a", 8, b.get("b", 8)));
/** A lane, zero-extended, into a general register. */
for (const width of [1, 2, 4] as const)
  define(`vextract.${width}`, (b) => b.set("a", 8, b.get("b", width, "i64")), "rare");

define("mmxmov.4", (b) => setMmx(b, b.get("b", 4, "v128")), "rare");
define("mmxmov.8", (b) => setMmx(b, b.get("b", 8, "v128")), "rare");

const moveAligned = (x: DecodeContext): void => {
  if (x.isMemory(1)) return x.loadAs("lda.16", x.reg(0));
  if (x.isMemory(0)) return storeAligned(x, x.reg(1));
  x.emit("vmov.16", { a: x.reg(0), b: x.reg(1) });
};
const moveUnaligned = (x: DecodeContext): void => {
  if (x.isMemory(1)) return x.load(16, x.reg(0));
  if (x.isMemory(0)) return x.store(16, x.reg(1));
  x.emit("vmov.16", { a: x.reg(0), b: x.reg(1) });
};
lower([Mnemonic.Movaps, Mnemonic.Movapd, Mnemonic.Movdqa], moveAligned);
lower([Mnemonic.Movntps, Mnemonic.Movntpd, Mnemonic.Movntdq, Mnemonic.Movntdqa], moveAligned);
lower([Mnemonic.Movups, Mnemonic.Movupd, Mnemonic.Movdqu, Mnemonic.Lddqu], moveUnaligned);

/** MOVSS and MOVSD: a load clears the rest of the register, a register move keeps it. */
const moveScalar =
  (width: 4 | 8) =>
  (x: DecodeContext): void => {
    if (x.isMemory(1)) return x.loadAs(`ldv.${width}`, x.reg(0));
    if (x.isMemory(0)) return x.store(width, x.reg(1));
    x.emit(`vlane.${width}`, { a: x.reg(0), b: x.reg(1) });
  };
lower(Mnemonic.Movss, moveScalar(4));
/** For the SSE2 forms of a mnemonic that is also a string instruction's. */
export const lowerMovsdVector = moveScalar(8);

/** MOVD and MOVQ of `width` bytes. */
const moveWord =
  (width: 4 | 8) =>
  (x: DecodeContext): void => {
    const isVector = (i: number): boolean => x.isRegister(i) && x.instruction.opRegister(i) >= Register.XMM0;
    if (isMmxOperand(x, 0))
      return mmx(x, () => x.emit(`mmxmov.${width}`, { b: partial(x, 1, width), a: x.reg(0) }));
    if (isMmxOperand(x, 1)) return mmx(x, () => storeOrExtract(x, width, x.reg(1), true));
    if (isVector(0)) {
      if (x.isMemory(1)) return x.loadAs(`ldv.${width}`, x.reg(0));
      return x.emit(`vmovz.${width}`, { a: x.reg(0), b: x.reg(1) });
    }
    storeOrExtract(x, width, x.reg(1), false);
  };

/** `width` bytes at `from` to operand 0, memory or a general register. */
function storeOrExtract(x: DecodeContext, width: Width, from: number, leavesMmx: boolean): void {
  if (x.isMemory(0)) x.store(width, from);
  else if (width === 8) x.emit("vlane.8", { a: x.reg(0), b: from });
  else x.emit(`vextract.${width}`, { a: x.reg(0), b: from });
  if (leavesMmx) x.emit("mmx.enter");
}
lower(Mnemonic.Movd, moveWord(4));
lower(Mnemonic.Movq, moveWord(8));
lower(Mnemonic.Movntq, (x) => mmx(x, () => storeOrExtract(x, 8, x.reg(1), true)));
lower(Mnemonic.Movq2dq, (x) =>
  mmx(x, () => {
    x.emit("vmovz.8", { a: x.reg(0), b: x.reg(1) });
    x.emit("mmx.enter");
  }),
);
lower(Mnemonic.Movdq2q, (x) => mmx(x, () => x.emit("mmxmov.8", { a: x.reg(0), b: x.reg(1) })));

/** The half of a register at byte `offset`, to or from memory. */
const moveHalf =
  (offset: 0 | 8) =>
  (x: DecodeContext): void => {
    if (x.isMemory(1)) x.load(8, x.reg(0) + offset);
    else x.store(8, x.reg(1) + offset);
  };
lower([Mnemonic.Movlps, Mnemonic.Movlpd], moveHalf(0));
lower([Mnemonic.Movhps, Mnemonic.Movhpd], moveHalf(8));
lower(Mnemonic.Movhlps, (x) => x.emit("vlane.8", { a: x.reg(0), b: x.reg(1) + 8 }));
lower(Mnemonic.Movlhps, (x) => x.emit("vlane.8", { a: x.reg(0) + 8, b: x.reg(1) }));

define("pmovmskb", (b) => b.set("a", 8, b.extU(b.op("i8x16.bitmask", [b.get("b", 16)]))));
define("movmskps", (b) => b.set("a", 8, b.extU(b.op("i32x4.bitmask", [b.get("b", 16)]))), "rare");
define("movmskpd", (b) => b.set("a", 8, b.extU(b.op("i64x2.bitmask", [b.get("b", 16)]))), "rare");
define("pmovmskb.m", (b) => b.set("a", 8, b.extU(b.op("i8x16.bitmask", [b.get("b", 8, "v128")]))), "rare");
lower(Mnemonic.Movmskps, (x) => x.emit("movmskps", { a: x.reg(0), b: x.reg(1) }));
lower(Mnemonic.Movmskpd, (x) => x.emit("movmskpd", { a: x.reg(0), b: x.reg(1) }));
lower(Mnemonic.Pmovmskb, (x) => {
  if (!isMmxOperand(x, 1)) return x.emit("pmovmskb", { a: x.reg(0), b: x.reg(1) });
  mmx(x, () => {
    x.emit("pmovmskb.m", { a: x.reg(0), b: x.reg(1) });
    x.emit("mmx.enter");
  });
});

/** PINSRB/W/D/Q: the lane is `width` bytes within the register. */
const insert =
  (width: 1 | 2 | 4 | 8) =>
  (x: DecodeContext): void => {
    const isMmx = isMmxOperand(x, 0);
    const lane = x.instruction.immediate8 & ((isMmx ? 8 : 16) / width - 1);
    const put = (): void => {
      const to = x.reg(0) + lane * width;
      if (x.isMemory(1)) x.emit(`vlane.${width}`, { b: partial(x, 1, width), a: to });
      else x.emit(`vlane.${width}`, { a: to, b: x.reg(1) });
    };
    if (!isMmx) return put();
    mmx(x, () => {
      put();
      // Its own value again, for what a write to an MMX register does besides.
      x.emit("mmxmov.8", { a: x.reg(0), b: x.reg(0) });
    });
  };
lower(Mnemonic.Pinsrb, insert(1));
lower(Mnemonic.Pinsrw, insert(2));
lower(Mnemonic.Pinsrd, insert(4));
lower(Mnemonic.Pinsrq, insert(8));

const extract =
  (width: 1 | 2 | 4 | 8) =>
  (x: DecodeContext): void => {
    const isMmx = isMmxOperand(x, 1);
    const lane = x.instruction.immediate8 & ((isMmx ? 8 : 16) / width - 1);
    const from = x.reg(1) + lane * width;
    if (isMmx) mmx(x, () => storeOrExtract(x, width, from, true));
    else storeOrExtract(x, width, from, false);
  };
lower(Mnemonic.Pextrb, extract(1));
lower(Mnemonic.Pextrw, extract(2));
lower([Mnemonic.Pextrd, Mnemonic.Extractps], extract(4));
lower(Mnemonic.Pextrq, extract(8));

/** MASKMOVDQU and MASKMOVQ: memory at [rDI], with whatever segment and address size the prefixes say. */
function maskedStore(x: DecodeContext): void {
  const { instruction } = x;
  const to = TEMP + 8 * 7;
  const segment = instruction.memorySegment;
  const e = segment === Register.FS ? FS_BASE : segment === Register.GS ? GS_BASE : ZERO;
  const store = (bytes: 8 | 16): void => {
    if (!x.isLong) emitDestination(x, bytes);
    else if (instruction.opKind(0) === OpKind.MemorySegEDI) {
      x.emit("ea32", { a: to, b: RDI, c: ZERO, d: 0, immediate: 0 });
      x.emit("ea", { a: to, b: to, c: ZERO, d: 0, e, immediate: 0 });
    } else x.emit("ea", { a: to, b: RDI, c: ZERO, d: 0, e, immediate: 0 });
    x.callout("simd.maskedStore", { a: x.reg(1), b: x.reg(2), c: to, immediate: bytes });
  };
  if (!isMmxOperand(x, 1)) return store(16);
  mmx(x, () => {
    store(8);
    x.emit("mmx.enter");
  });
}
lower([Mnemonic.Maskmovdqu, Mnemonic.Maskmovq], maskedStore);

/** MOVDDUP loads 8 bytes, MOVSLDUP and MOVSHDUP 16. */
define("movddup", (b) => b.set("a", 16, b.op("i64x2.splat", [b.get("b", 8)])), "rare");
lower(Mnemonic.Movddup, (x) => x.emit("movddup", { b: partial(x, 1, 8), a: x.reg(0) }));
for (const [mnemonic, name, odd] of [
  [Mnemonic.Movsldup, "movsldup", 0],
  [Mnemonic.Movshdup, "movshdup", 4],
] as const) {
  define(
    name,
    (b) => {
      const v = b.let(b.get("b", 16));
      const lanes = Array.from({ length: 16 }, (_, i) => (i & ~4) | odd);
      b.set("a", 16, b.shuffle(v, v, lanes));
    },
    "rare",
  );
  lower(mnemonic, (x) => x.emit(name, { b: vector(x, 1), a: x.reg(0) }));
}
