import { Mnemonic, Register } from "iced-x86";
import { defineCallout, DONE, FAULTED, type CalloutContext } from "../callouts.js";
import { IMMEDIATE, lower, type DecodeContext } from "../decode/context.js";
import { addFlags, auxWithCarryOverflow, explicitFlags, overflowFlag, subtractFlags } from "../flags.js";
import { define } from "../ir/registry.js";
import { BOUNCE, FLAG_AUX, RAX } from "../state.js";
import { modify } from "./alu.js";
import { WIDTHS } from "./common.js";

/** Bit tests and scans, POPCNT, CMPXCHG, XADD. */
for (const width of [2, 4, 8] as const) {
  const bits = 8 * width;
  for (const name of ["bt", "bts", "btr", "btc"] as const)
    define(`${name}.${width}`, (b) => {
      const x = b.let(b.get("a", width));
      const index = b.let(b.and(b.get("b", width), b.lit(x.type, bits - 1)));
      const carry = b.let(b.and(b.wrapTo32(b.shrU(x, index)), b.i32(1)));
      const one = b.shl(b.lit(x.type, 1), index);
      if (name === "bts") b.setRegister("a", width, b.or(x, one));
      else if (name === "btr") b.setRegister("a", width, b.and(x, b.not(one)));
      else if (name === "btc") b.setRegister("a", width, b.xor(x, one));
      b.setState(FLAG_AUX, 4, auxWithCarryOverflow(b, carry, b.let(overflowFlag(b))));
    });
  /** The address of the word that a register's bit index, which is signed and unbounded, falls into. */
  define(
    `btaddress.${width}`,
    (b) => {
      const index = b.get("b", width, "i64", true);
      b.set("a", 8, b.add(b.get("a", 8), b.mul(b.shrS(index, b.i64(Math.log2(bits))), b.i64(width))));
    },
    "rare",
  );
  for (const name of ["bsf", "bsr"] as const)
    define(`${name}.${width}`, (b) => {
      const x = b.let(b.get("b", width));
      const zero = b.let(b.eqz(x));
      // A source of 0 leaves the destination as it was.
      b.if(b.eqz(zero), () => {
        const count =
          name === "bsf"
            ? b.op(`${x.type}.ctz`, [x])
            : b.sub(b.lit(x.type, width === 8 ? 63 : 31), b.op(`${x.type}.clz`, [x]));
        b.setRegister("a", width, count);
      });
      const none = b.i32(0);
      explicitFlags(b, none, none, none, zero, none, none);
    });
  define(`popcnt.${width}`, (b) => {
    const x = b.let(b.get("b", width));
    b.setRegister("a", width, b.op(`${x.type}.popcnt`, [x]));
    const none = b.i32(0);
    explicitFlags(b, none, none, none, b.eqz(x), none, none);
  });
}
for (const width of WIDTHS) {
  define(`cmpxchg.${width}`, (b) => {
    const old = b.let(b.get("a", width));
    const expected = b.let(b.state(RAX, width));
    const source = b.let(b.get("b", width));
    subtractFlags(b, width, expected, old, b.let(b.sub(expected, old)));
    b.if(
      b.eq(expected, old),
      () => b.setRegister("a", width, source),
      () => {
        if (width === 4) b.setState(RAX, 8, b.extU(old));
        else b.setState(RAX, width, old);
      },
    );
  });
  define(`xadd.${width}`, (b) => {
    const x = b.let(b.get("a", width));
    const y = b.let(b.get("b", width));
    const sum = b.let(b.add(x, y));
    b.setRegister("b", width, x);
    b.setRegister("a", width, sum);
    addFlags(b, width, x, y, sum);
  });
}

function lowerBitTest(name: string): (x: DecodeContext) => void {
  return (x) => {
    const width = x.size(1) > x.size(0) ? x.size(1) : x.size(0);
    if (!x.isRegister(1)) {
      const immediate = x.immediate(1);
      const emit = (a: number): void => x.emit(`${name}.${width}`, { a, b: IMMEDIATE, immediate });
      return name === "bt" ? emit(x.read(0, width)) : modify(x, width, emit);
    }
    const b = x.reg(1);
    if (x.isRegister(0)) return x.emit(`${name}.${width}`, { a: x.reg(0), b });
    const address = x.address();
    x.emit(`btaddress.${width}`, { a: address, b });
    const temp = x.temp();
    x.emit(`${name === "bt" ? "ld" : "ldw"}.${width}.b`, { a: temp, b: address, immediate: 0 });
    x.emit(`${name}.${width}`, { a: temp, b });
    if (name !== "bt") x.emit(`st.${width}.b`, { a: temp, b: address, immediate: 0 });
  };
}
for (const name of ["Bt", "Bts", "Btr", "Btc"] as const)
  lower(Mnemonic[name], lowerBitTest(name.toLowerCase()));
// Without BMI1 and LZCNT their encodings run as BSF and BSR, the prefix being ignored.
for (const [mnemonics, name] of [
  [[Mnemonic.Bsf, Mnemonic.Tzcnt], "bsf"],
  [[Mnemonic.Bsr, Mnemonic.Lzcnt], "bsr"],
  [[Mnemonic.Popcnt], "popcnt"],
] as const)
  lower(mnemonics, (x) => {
    const width = x.size(0);
    x.emit(`${name}.${width}`, { a: x.reg(0), b: x.read(1, width) });
  });
for (const name of ["Cmpxchg", "Xadd"] as const)
  lower(Mnemonic[name], (x) => {
    const width = x.size(0);
    const b = x.reg(1);
    if (name === "Xadd" && x.isMemory(0)) {
      // The register is written last, so that a fault of the store finds it unchanged.
      const memory = x.read(0, width, true);
      const other = x.temp();
      x.emit("mov.8", { a: other, b });
      x.emit(`xadd.${width}`, { a: memory, b: other });
      x.store(width, memory);
      return x.emit(`mov.${width}`, { a: b, b: other });
    }
    if (name === "Cmpxchg" && x.isMemory(0) && addressUsesAccumulator(x)) {
      // RAX may change before the store.
      const address = x.address();
      const memory = x.temp();
      x.emit(`ldw.${width}.b`, { a: memory, b: address, immediate: 0 });
      x.emit(`cmpxchg.${width}`, { a: memory, b });
      return x.emit(`st.${width}.b`, { a: memory, b: address, immediate: 0 });
    }
    modify(x, width, (a) => x.emit(`${name.toLowerCase()}.${width}`, { a, b }));
  });

function addressUsesAccumulator(x: DecodeContext): boolean {
  const { memoryBase, memoryIndex } = x.instruction;
  return [memoryBase, memoryIndex].some((r) => r === Register.RAX || r === Register.EAX);
}

/** CMPXCHG8B and CMPXCHG16B: a = the address's temp, d = bytes of each half. */
function compareExchangeWide(context: CalloutContext, record: number): typeof DONE | typeof FAULTED {
  const half = context.d(record);
  const at = context.a(record);
  const { registers, memory } = context;
  if (half === 8 && (memory.u32[at >>> 2] & 15) !== 0) {
    context.raise(13);
    return FAULTED;
  }
  if (!context.probe(at, 2 * half, true) || !context.readGuest(at, 0, 2 * half, BOUNCE)) return FAULTED;
  const words = half / 4;
  const base = BOUNCE >>> 2;
  const register = (i: number, w: number): number => (w === 0 ? registers.low(i) : registers.high(i));
  let equal = true;
  for (let w = 0; w < words; w++)
    if (memory.u32[base + w] !== register(0, w) || memory.u32[base + words + w] !== register(2, w))
      equal = false;
  if (equal) {
    for (let w = 0; w < words; w++) {
      memory.u32[base + w] = register(3, w);
      memory.u32[base + words + w] = register(1, w);
    }
    context.writeGuest(at, 0, 2 * half, BOUNCE);
  } else {
    const read = (w: number): number => memory.u32[base + w];
    const value = (w: number): bigint => BigInt(read(w)) | (half === 8 ? BigInt(read(w + 1)) << 32n : 0n);
    registers.set(0, value(0));
    registers.set(2, value(words));
  }
  registers.rflags = equal ? registers.rflags | 0x40 : registers.rflags & ~0x40;
  return DONE;
}
defineCallout("cmpxchgwide", compareExchangeWide);
for (const [mnemonic, half] of [
  [Mnemonic.Cmpxchg8b, 4],
  [Mnemonic.Cmpxchg16b, 8],
] as const)
  lower(mnemonic, (x) => x.callout("cmpxchgwide", { a: x.address(), d: half }));

/** RCL, RCR: a = operand, d = count or -1 for CL. */
for (const width of WIDTHS)
  for (const name of ["rcl", "rcr"] as const)
    defineCallout(`${name}.${width}`, (context, record) => {
      const bits = BigInt(8 * width);
      const at = context.a(record);
      const { u8 } = context.memory;
      let value = 0n;
      for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(u8[at + i]);
      const given = context.d(record);
      const masked = (given < 0 ? context.registers.low(1) & 0xff : given) & (width === 8 ? 63 : 31);
      const flags = context.registers.rflags;
      let carry = BigInt(flags & 1);
      const count = BigInt(masked) % (bits + 1n);
      const ring = (carry << bits) | value;
      const turn = name === "rcl" ? count : (bits + 1n - count) % (bits + 1n);
      const turned = BigInt.asUintN(Number(bits) + 1, (ring << turn) | (ring >> (bits + 1n - turn)));
      carry = turned >> bits;
      value = BigInt.asUintN(Number(bits), turned);
      for (let i = 0; i < width; i++) u8[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      if (width === 4) u8.fill(0, at + 4, at + 8);
      if (count === 0n) return DONE;
      const top = Number(value >> (bits - 1n)) & 1;
      const second = Number(value >> (bits - 2n)) & 1;
      const of = name === "rcl" ? top ^ Number(carry) : top ^ second;
      context.registers.rflags = (flags & ~0x801) | Number(carry) | (of << 11);
      return DONE;
    });
