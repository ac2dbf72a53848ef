/** FNSTENV, FLDENV, FNSAVE and FRSTOR: the x87's state in memory (SDM vol. 1, 8.1.10). */

import { Mnemonic, MemorySize } from "iced-x86";
import { lower, type Lower } from "../decode/context.js";
import { X87, X87_CONTROL, X87_DP, X87_IP, X87_OPCODE, X87_TAGS, X87_TOP } from "../state.js";
import { BUFFER } from "./callout.js";
import { defineControl, initialize, setControl, setStatusWord, statusWord } from "./control.js";
import { updateSummary, type X87Memory } from "./unit.js";

const ENVIRONMENT = 28;
const ENVIRONMENT_16 = 14;
const REGISTERS = 80;
const TAG_EMPTY = 3;

/** Two bits a register: 0 valid, 1 zero, 2 special, 3 empty. */
function fullTagWord(m: X87Memory): number {
  let word = 0;
  for (let r = 0; r < 8; r++) {
    const at = X87 + 16 * r;
    const exponent = m.u16[(at + 8) >> 1]! & 0x7fff;
    const lo = m.i32[at >> 2]!;
    const hi = m.i32[(at + 4) >> 2]!;
    let tag = 0;
    if ((m.u8[X87_TAGS]! & (1 << r)) === 0) tag = TAG_EMPTY;
    else if (exponent === 0) tag = (lo | hi) === 0 ? 1 : 2;
    else if (exponent === 0x7fff || hi >= 0) tag = 2;
    word |= tag << (2 * r);
  }
  return word;
}

function setFullTagWord(m: X87Memory, word: number): void {
  let tags = 0;
  for (let r = 0; r < 8; r++) if (((word >>> (2 * r)) & 3) !== TAG_EMPTY) tags |= 1 << r;
  m.u8[X87_TAGS] = tags;
}

/** Puts the environment at BUFFER. Segment selectors are stored as 0. @returns its bytes */
function writeEnvironment(m: X87Memory, short: boolean): number {
  const words = [
    m.u16[X87_CONTROL >> 1]!,
    statusWord(m),
    fullTagWord(m),
    m.u16[X87_IP >> 1]!,
    short ? 0 : m.u16[(X87_IP >> 1) + 1]!,
    m.u16[X87_OPCODE >> 1]! & 0x7ff,
    m.u16[X87_DP >> 1]!,
    m.u16[(X87_DP >> 1) + 1]!,
  ];
  const at = BUFFER >> 1;
  if (short) {
    const image = [words[0]!, words[1]!, words[2]!, words[3]!, 0, words[6]!, 0];
    image.forEach((word, i) => (m.u16[at + i] = word));
    return ENVIRONMENT_16;
  }
  const [control, status, tags, ip, ipHigh, opcode, dp, dpHigh] = words;
  const image = [control, 0xffff, status, 0xffff, tags, 0xffff, ip, ipHigh, 0, opcode, dp, dpHigh, 0, 0xffff];
  image.forEach((word, i) => (m.u16[at + i] = word!));
  return ENVIRONMENT;
}

function readEnvironment(m: X87Memory, short: boolean): void {
  const at = BUFFER >> 1;
  const step = short ? 1 : 2;
  setControl(m, m.u16[at]!);
  setStatusWord(m, m.u16[at + step]!);
  setFullTagWord(m, m.u16[at + 2 * step]!);
  const words = new Uint16Array(8);
  words[0] = m.u16[at + 3 * step]!;
  words[4] = m.u16[at + (short ? 5 : 10)]!;
  if (!short) {
    words[1] = m.u16[at + 7]!;
    words[5] = m.u16[at + 11]!;
    m.u16[X87_OPCODE >> 1] = m.u16[at + 9]! & 0x7ff;
  }
  m.u16.set(words.subarray(0, 4), X87_IP >> 1);
  m.u16.set(words.subarray(4, 8), X87_DP >> 1);
  updateSummary(m);
}

defineControl("x87.storeEnvironment", false, (m, short, pointer, context) => {
  const bytes = writeEnvironment(m, short !== 0);
  if (!context.writeGuest(pointer, 0, bytes, BUFFER)) return false;
  setControl(m, m.u16[X87_CONTROL >> 1]! | 0x3f);
  updateSummary(m);
  return true;
});

defineControl("x87.loadEnvironment", true, (m, short, pointer, context) => {
  if (!context.readGuest(pointer, 0, short !== 0 ? ENVIRONMENT_16 : ENVIRONMENT, BUFFER)) return false;
  readEnvironment(m, short !== 0);
  return true;
});

defineControl("x87.save", false, (m, short, pointer, context) => {
  const bytes = writeEnvironment(m, short !== 0);
  for (let i = 0; i < 8; i++) {
    const from = X87 + 16 * ((m.u8[X87_TOP]! + i) & 7);
    m.u8.copyWithin(BUFFER + bytes + 10 * i, from, from + 10);
  }
  if (!context.writeGuest(pointer, 0, bytes + REGISTERS, BUFFER)) return false;
  initialize(m);
  return true;
});

defineControl("x87.restore", true, (m, short, pointer, context) => {
  const bytes = short !== 0 ? ENVIRONMENT_16 : ENVIRONMENT;
  if (!context.readGuest(pointer, 0, bytes + REGISTERS, BUFFER)) return false;
  readEnvironment(m, short !== 0);
  for (let i = 0; i < 8; i++) {
    const from = BUFFER + bytes + 10 * i;
    m.u8.copyWithin(X87 + 16 * ((m.u8[X87_TOP]! + i) & 7), from, from + 10);
  }
  return true;
});

/** `a` is 1 for the 16-bit form (an operand-size prefix). */
function image(name: string, waits: boolean): Lower {
  return (x) => {
    if (waits) x.callout("x87.wait", { a: 0, e: 0 });
    const size = x.instruction.memorySize;
    const short = size === MemorySize.FpuEnv14 || size === MemorySize.FpuState94;
    x.callout(name, { a: short ? 1 : 0, e: x.address() });
  };
}

lower(Mnemonic.Fnstenv, image("x87.storeEnvironment", false));
lower(Mnemonic.Fstenv, image("x87.storeEnvironment", true));
lower(Mnemonic.Fldenv, image("x87.loadEnvironment", false));
lower(Mnemonic.Fnsave, image("x87.save", false));
lower(Mnemonic.Fsave, image("x87.save", true));
lower(Mnemonic.Frstor, image("x87.restore", false));
