import { Mnemonic } from "iced-x86";
import {
  calloutNumber,
  defineCallout,
  DONE,
  FAULTED,
  type CalloutContext,
  type CalloutStatus,
} from "../callouts.js";
import { lower } from "../decode/context.js";
import { EXIT_STALE } from "../exit-codes.js";
import { FETCH } from "../../mmu/mmu.js";
import { define } from "../ir/registry.js";
import { XCR0_LEGACY, XCR0_PKRU } from "../models.js";
import { CS } from "../segments.js";
import {
  EXIT_CODE,
  FS_BASE,
  GS_BASE,
  PKRU,
  PKRU_RECENT,
  PKRU_RECENT_ENTRIES,
  RAX as RAX_AT,
  RBP as RBP_AT,
  RCX as RCX_AT,
  RDX as RDX_AT,
  TEMP,
  TLB_BANK,
} from "../state.js";

/** CPUID, time stamps, protection keys, segment bases and what else asks the processor about itself. */
const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const RBP = 5;
const GP = 13;
const UD = 6;
/** The stepping processor id that RDTSCP and RDPID report: processor 0 of node 0. */
const TSC_AUX = 0;

function fault(context: CalloutContext, vector: number, error = 0): CalloutStatus {
  context.raise(vector, error);
  return FAULTED;
}

defineCallout("raiseGp", (context, record) => fault(context, GP, context.d(record)));

defineCallout("cpuid", (context) => {
  const { registers } = context;
  const result = context.model.cpuid(registers.low(RAX), registers.low(RCX));
  registers.setNumber(RAX, result.eax >>> 0);
  registers.setNumber(RBX, result.ebx >>> 0);
  registers.setNumber(RCX, result.ecx >>> 0);
  registers.setNumber(RDX, result.edx >>> 0);
  return DONE;
});

/** The time stamp counter counts instructions, so that a run repeats exactly. */
defineCallout("rdtsc", (context, record) => {
  const tsc = context.instructionsAt(record);
  context.registers.setNumber(RAX, tsc >>> 0);
  context.registers.setNumber(RDX, Math.floor(tsc / 0x1_0000_0000) >>> 0);
  if (context.d(record) !== 0) context.registers.setNumber(RCX, TSC_AUX);
  return DONE;
});

defineCallout("rdpkru", (context) => {
  if (!context.model.pku) return fault(context, UD);
  if (context.registers.low(RCX) !== 0) return fault(context, GP);
  context.registers.setNumber(RAX, context.registers.pkru);
  context.registers.setNumber(RDX, 0);
  return DONE;
});
/** The rest of WRPKRU: a value that PKRU_RECENT does not know. ECX and EDX are already checked. */
defineCallout("wrpkru", (context, record) => {
  const { registers } = context;
  context.pkruWrittenAt(record);
  registers.pkru = registers.low(RAX);
  registers.rememberPkru();
  return DONE;
});
define("wrpkru", (b) => {
  b.if(b.or(b.state(RCX_AT, 4), b.state(RDX_AT, 4)), () => b.exception(GP));
  const value = b.let(b.state(RAX_AT, 4));
  let bank = b.i32(0);
  for (let i = 0; i < PKRU_RECENT_ENTRIES; i++) {
    const at = PKRU_RECENT + 8 * i;
    bank = b.select(b.eq(value, b.state(at, 4)), b.state(at + 4, 4), bank);
  }
  const known = b.let(bank);
  b.if(
    known,
    () => {
      b.setState(PKRU, 4, value);
      b.setState(TLB_BANK, 4, known);
      b.notePkruWriter();
    },
    () => b.callout(),
  );
});
defineCallout("xgetbv", (context) => {
  if (context.registers.low(RCX) !== 0) return fault(context, GP);
  context.registers.setNumber(RAX, XCR0_LEGACY | (context.model.pku ? XCR0_PKRU : 0));
  context.registers.setNumber(RDX, 0);
  return DONE;
});

lower(Mnemonic.Cpuid, (x) => x.callout("cpuid"));
lower(Mnemonic.Rdtsc, (x) => x.callout("rdtsc", { d: 0 }));
lower(Mnemonic.Rdtscp, (x) => x.callout("rdtsc", { d: 1 }));
lower(Mnemonic.Rdpkru, (x) => x.callout("rdpkru"));
lower(Mnemonic.Wrpkru, (x) => x.emit("wrpkru", { d: calloutNumber("wrpkru") }));
lower(Mnemonic.Xgetbv, (x) => x.callout("xgetbv"));

for (const [segment, base] of [
  ["fs", FS_BASE],
  ["gs", GS_BASE],
] as const) {
  const at = base;
  for (const width of [4, 8] as const) {
    define(`rd${segment}base.${width}`, (b) => b.setRegister("a", width, b.state(at, width)), "rare");
    define(
      `wr${segment}base.${width}`,
      (b) => {
        const value = b.let(width === 8 ? b.get("b", 8) : b.extU(b.get("b", 4)));
        const high = b.shrS(b.shl(value, b.i64(16)), b.i64(16));
        b.if(b.ne(high, value), () => b.exception(GP));
        b.setState(at, 8, value);
      },
      "rare",
    );
  }
}
for (const [mnemonic, name] of [
  [Mnemonic.Rdfsbase, "rdfsbase"],
  [Mnemonic.Rdgsbase, "rdgsbase"],
] as const)
  lower(mnemonic, (x) => x.emit(`${name}.${x.size(0)}`, { a: x.reg(0) }));
for (const [mnemonic, name] of [
  [Mnemonic.Wrfsbase, "wrfsbase"],
  [Mnemonic.Wrgsbase, "wrgsbase"],
] as const)
  lower(mnemonic, (x) => x.emit(`${name}.${x.size(0)}`, { b: x.reg(0) }));

/** a = the selector, b = the segment register. */
defineCallout("loadSegment", (context, record) => {
  const segment = context.b(record);
  if (segment === CS) return fault(context, UD);
  const refused = context.registers.segments.load(segment, context.memory.u16[context.a(record) >>> 1]);
  return refused === undefined ? DONE : fault(context, refused.vector, refused.errorCode);
});

/** The second page of an instruction that was decoded across a boundary: immediate = its address, c = where it was. */
defineCallout("checkPage", (context, record) => {
  const page = context.immediateHigh(record) * 0x1_0000_0000 + context.immediateLow(record);
  const linear = context.mmu.access(page, FETCH);
  if (linear === context.c(record)) return DONE;
  if (linear < 0) {
    context.access.fetchFault(page, context.mmu.fault.errorCode);
    return FAULTED;
  }
  // Another page lies there now: the block is stale.
  context.dropBlockOf(record);
  context.memory.u32[EXIT_CODE >>> 2] = EXIT_STALE;
  return FAULTED;
});

/** ENTER: immediate = bytes of locals, d = nesting level, c = bytes of a push. */
defineCallout("enter", (context, record) => {
  const { registers, memory } = context;
  const level = context.d(record) & 31;
  const width = context.c(record);
  const locals = context.immediateLow(record) & 0xffff;
  const sp = registers.number(RSP);
  const bp = registers.number(RBP);
  const frame = sp - width;
  const pushes = level === 0 ? 1 : level + 1;
  const address = TEMP;
  const value = TEMP + 8;
  const newSp = sp - width * pushes - locals;
  // What the new RSP points to must be writable too (SDM vol. 2, ENTER).
  registers.setNumberAt(address, sp - width * pushes);
  if (!context.probe(address, width * pushes, true)) return FAULTED;
  const put = (at: number): boolean => {
    registers.setNumberAt(address, at);
    return context.writeGuest(address, 0, width, value);
  };
  for (let i = 1; i < level; i++) {
    registers.setNumberAt(address, bp - width * i);
    if (!context.readGuest(address, 0, width, value)) return FAULTED;
    if (!put(frame - width * i)) return FAULTED;
  }
  memory.u8.copyWithin(value, RBP_AT, RBP_AT + 8);
  if (!put(frame)) return FAULTED;
  registers.setNumberAt(value, frame);
  if (level > 0 && !put(frame - width * level)) return FAULTED;
  memory.u8.copyWithin(RBP_AT, value, value + width);
  registers.setNumber(RSP, newSp);
  return DONE;
});
