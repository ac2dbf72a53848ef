import { Mnemonic } from "iced-x86";
import { defineCallout, DONE, type CalloutContext } from "../callouts.js";
import { lower } from "../decode/context.js";

/**
 * LAR, LSL, VERR and VERW: what the segment descriptors say that user code may know of (SDM vol. 2; Linux's GDT).
 * The 32-bit code segment is not among them: there is no 32-bit mode.
 */
interface Descriptor {
  /** Access rights as LAR gives them. */
  readonly rights: number;
  readonly limit: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

/** By selector without its privilege level: __USER_DS, __USER_CS, and the one whose limit is the processor's number. */
const DESCRIPTORS: ReadonlyMap<number, Descriptor> = new Map([
  [0x28, { rights: 0x00cf_f300, limit: 0xffff_ffff, readable: true, writable: true }],
  [0x30, { rights: 0x00af_fb00, limit: 0xffff_ffff, readable: true, writable: false }],
  [0x78, { rights: 0x0040_f500, limit: 0, readable: true, writable: false }],
]);
const ZF = 0x40;

function descriptorOf(context: CalloutContext, record: number): Descriptor | undefined {
  return DESCRIPTORS.get(context.memory.u16[context.a(record) >>> 1] & ~3);
}

function setZero(context: CalloutContext, zero: boolean): void {
  const { registers } = context;
  registers.rflags = zero ? registers.rflags | ZF : registers.rflags & ~ZF;
}

/** a = the selector, b = the destination register, d = its width in bytes. */
for (const [name, mnemonic, value] of [
  ["lar", Mnemonic.Lar, (found: Descriptor) => found.rights],
  ["lsl", Mnemonic.Lsl, (found: Descriptor) => found.limit],
] as const) {
  defineCallout(name, (context, record) => {
    const found = descriptorOf(context, record);
    setZero(context, found !== undefined);
    if (found === undefined) return DONE;
    const { memory } = context;
    const to = context.b(record);
    if (context.d(record) === 2) memory.u16[to >>> 1] = value(found);
    else {
      memory.u32[to >>> 2] = value(found);
      memory.u32[(to >>> 2) + 1] = 0;
    }
    return DONE;
  });
  lower(mnemonic, (x) => x.callout(name, { a: x.read(1, 2), b: x.reg(0), d: x.size(0) }));
}

defineCallout("verr", (context, record) => {
  setZero(context, descriptorOf(context, record)?.readable === true);
  return DONE;
});
defineCallout("verw", (context, record) => {
  setZero(context, descriptorOf(context, record)?.writable === true);
  return DONE;
});
lower(Mnemonic.Verr, (x) => x.callout("verr", { a: x.read(0, 2) }));
lower(Mnemonic.Verw, (x) => x.callout("verw", { a: x.read(0, 2) }));
