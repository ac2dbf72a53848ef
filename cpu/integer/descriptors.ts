import { Mnemonic } from "iced-x86";
import { defineCallout, DONE, type CalloutContext } from "../callouts.js";
import { lower } from "../decode/context.js";
import { CODE, READ_WRITE, type Descriptor } from "../segments.js";

/** LAR, LSL, VERR and VERW: what the segment descriptors say that user code may know of (SDM vol. 2). */
const ZF = 0x40;

function descriptorOf(context: CalloutContext, record: number): Descriptor | undefined {
  return context.registers.segments.visible(context.memory.u16[context.a(record) >>> 1]);
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

const isReadable = ({ attributes }: Descriptor): boolean => (attributes & (CODE | READ_WRITE)) !== CODE;
const isWritable = ({ attributes }: Descriptor): boolean => (attributes & (CODE | READ_WRITE)) === READ_WRITE;
for (const [name, mnemonic, holds] of [
  ["verr", Mnemonic.Verr, isReadable],
  ["verw", Mnemonic.Verw, isWritable],
] as const) {
  defineCallout(name, (context, record) => {
    const found = descriptorOf(context, record);
    setZero(context, found !== undefined && holds(found));
    return DONE;
  });
  lower(mnemonic, (x) => x.callout(name, { a: x.read(0, 2) }));
}
