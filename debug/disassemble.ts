import {
  ConditionCode,
  Decoder,
  DecoderOptions,
  FastFormatter,
  FlowControl,
  InstructionInfoFactory,
  MemorySizeExt,
  OpAccess,
  Register,
  RegisterExt,
  type Instruction,
  type UsedMemory,
} from "iced-x86";

/** How control leaves an instruction. */
export type Flow = "next" | "jump" | "branch" | "call" | "return" | "other";

/** An instruction as it stands in memory. */
export interface Decoded {
  readonly address: number;
  /** In bytes; 1 where the bytes are none. */
  readonly length: number;
  /** Intel syntax; undefined where the bytes are none. */
  readonly text: string | undefined;
  readonly flow: Flow;
  /** Where a direct jump, branch or call leads. */
  readonly target: number | undefined;
  /** Of a branch: a ConditionCode of iced's. */
  readonly condition: ConditionCode;
}

/** For which mode of the processor code is written. */
export type CodeBits = 64 | 32 | 16;

/** One instruction in Intel syntax, as `lock or byte ptr [rbx],0`; undefined where the bytes are none. */
export function disassemble(bytes: Uint8Array, rip: number, bits: CodeBits = 64): string | undefined {
  return decodeInstructions(bytes, rip, 1, bits)[0]?.text;
}

/** Up to `most` instructions, one behind the other. */
export function decodeInstructions(
  bytes: Uint8Array,
  address: number,
  most: number,
  bits: CodeBits = 64,
): Decoded[] {
  const found: Decoded[] = [];
  if (bytes.length === 0) return found;
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  decoder.ip = BigInt(address);
  const formatter = new FastFormatter();
  try {
    formatter.spaceAfterOperandSeparator = true;
    formatter.useHexPrefix = true;
    formatter.uppercaseHex = false;
    while (found.length < most && decoder.canDecode) {
      const { position } = decoder;
      const instruction = decoder.decode();
      const at = address + position;
      if (instruction.isInvalid) {
        found.push({
          address: at,
          length: 1,
          text: undefined,
          flow: "other",
          target: undefined,
          condition: 0,
        });
        decoder.position = position + 1;
        decoder.ip = BigInt(at + 1);
      } else found.push(described(instruction, at, formatter.format(instruction)));
      instruction.free();
    }
  } finally {
    formatter.free();
    decoder.free();
  }
  return found;
}

const FLOWS: Readonly<Partial<Record<FlowControl, Flow>>> = {
  [FlowControl.Next]: "next",
  [FlowControl.UnconditionalBranch]: "jump",
  [FlowControl.IndirectBranch]: "jump",
  [FlowControl.ConditionalBranch]: "branch",
  [FlowControl.Return]: "return",
  [FlowControl.Call]: "call",
  [FlowControl.IndirectCall]: "call",
};

function described(instruction: Instruction, address: number, text: string): Decoded {
  const { flowControl, length, conditionCode } = instruction;
  const direct = instruction.isJccShortOrNear || instruction.isJmpShortOrNear || instruction.isCallNear;
  return {
    address,
    length,
    text,
    flow: FLOWS[flowControl] ?? "other",
    target: direct ? Number(instruction.nearBranchTarget) : undefined,
    condition: flowControl === FlowControl.ConditionalBranch ? conditionCode : ConditionCode.None,
  };
}

/** Memory that an instruction uses. */
export interface MemoryUse {
  readonly address: number;
  /** In bytes; 0 where it is not known. */
  readonly size: number;
  readonly reads: boolean;
  readonly writes: boolean;
}

/**
 * The memory that the instruction at an address would use; empty where the bytes are none.
 * @param value a general register's value by iced's number, unsigned, or the base of a segment; of 64-bit code only
 *   FS and GS are asked for
 */
export function memoryUses(
  bytes: Uint8Array,
  rip: number,
  value: (register: Register) => bigint,
  bits: CodeBits = 64,
): MemoryUse[] {
  if (bytes.length === 0) return [];
  const decoder = new Decoder(bits, bytes, DecoderOptions.None);
  decoder.ip = BigInt(rip);
  const instruction = decoder.decode();
  const factory = new InstructionInfoFactory();
  const info = factory.info(instruction);
  try {
    if (instruction.isInvalid) return [];
    return (info.usedMemory() as UsedMemory[]).flatMap((used) => {
      const { access, memorySize } = used;
      const address = addressOf(used, value, bits);
      used.free();
      if (access === OpAccess.None || access === OpAccess.NoMemAccess) return [];
      const reads = access !== OpAccess.Write && access !== OpAccess.CondWrite;
      const writes = access !== OpAccess.Read && access !== OpAccess.CondRead;
      return [{ address, size: MemorySizeExt.size(memorySize), reads, writes }];
    });
  } finally {
    info.free();
    factory.free();
    instruction.free();
    decoder.free();
  }
}

/** Of 16- and 32-bit code, by the registers that make the address. */
function addressBits(base: Register, index: Register, bits: CodeBits): number {
  const register = base !== Register.None ? base : index;
  return register === Register.None ? bits : 8 * RegisterExt.size(register);
}

function addressOf(
  { base, index, scale, displacement, segment }: UsedMemory,
  value: (register: Register) => bigint,
  bits: CodeBits,
): number {
  let address = displacement;
  // What counts from RIP is absolute already.
  if (base !== Register.None && base !== Register.RIP && base !== Register.EIP) address += value(base);
  if (index !== Register.None) address += value(index) * BigInt(scale);
  if (bits !== 64)
    return Number(
      BigInt.asUintN(32, BigInt.asUintN(addressBits(base, index, bits), address) + value(segment)),
    );
  if (segment === Register.FS || segment === Register.GS) address += value(segment);
  return Number(BigInt.asUintN(64, address));
}
