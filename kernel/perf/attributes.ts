/** struct perf_event_attr. */

/** As first published, and the most that this kernel knows (PERF_ATTR_SIZE_VER0, VER8). */
export const ATTRIBUTES_VER0 = 64;
export const ATTRIBUTES_BYTES = 136;

/** The one-bit fields, in their order. */
const BITS = [
  "disabled",
  "inherit",
  "pinned",
  "exclusive",
  "excludeUser",
  "excludeKernel",
  "excludeHv",
  "excludeIdle",
  "mmap",
  "comm",
  "freq",
  "inheritStat",
  "enableOnExec",
  "task",
  "watermark",
] as const;
const USE_CLOCKID = 25;
const NAMESPACES = 28;
const INHERIT_THREAD = 35;
const REMOVE_ON_EXEC = 36;
const SIGTRAP = 37;

const AUX_OUTPUT = 31;
const FIRST_RESERVED_BIT = 38n;

type BitName = (typeof BITS)[number];

export interface EventAttributes extends Readonly<Record<BitName, boolean>> {
  readonly type: number;
  readonly config: bigint;
  /** sample_period, or sample_freq. */
  readonly period: bigint;
  readonly sampleType: number;
  readonly readFormat: number;
  readonly namespaces: boolean;
  readonly inheritThread: boolean;
  readonly removeOnExec: boolean;
  readonly sigtrap: boolean;
  readonly auxOutput: boolean;
  readonly useClockid: boolean;
  readonly clockid: number;
  readonly breakpointType: number;
  readonly config1: bigint;
  readonly config2: bigint;
  readonly branchSampleType: bigint;
  readonly userRegisters: bigint;
  readonly interruptRegisters: bigint;
  readonly userStack: number;
  /** Samples are to have XMM registers. */
  readonly wideRegisters: boolean;
  readonly signalData: bigint;
  /** A reserved field or bit is set. */
  readonly reserved: boolean;
  /** Bits of sample_type above those known here. */
  readonly unknownSamples: boolean;
  readonly unknownFormats: boolean;
}

/** @param view of ATTRIBUTES_BYTES bytes, zeroes behind what the program gave */
export function readAttributes(view: DataView): EventAttributes {
  const u64 = (at: number): bigint => view.getBigUint64(at, true);
  const flags = u64(40);
  const bit = (index: number): boolean => ((flags >> BigInt(index)) & 1n) !== 0n;
  const named = Object.fromEntries(BITS.map((name, index) => [name, bit(index)])) as Record<BitName, boolean>;
  const sampleType = u64(24);
  const readFormat = u64(32);
  return {
    ...named,
    type: view.getUint32(0, true),
    config: u64(8),
    period: u64(16),
    sampleType: Number(sampleType & 0x1ff_ffffn),
    unknownSamples: sampleType >> 25n !== 0n,
    readFormat: Number(readFormat & 0x1fn),
    unknownFormats: readFormat >> 5n !== 0n,
    namespaces: bit(NAMESPACES),
    inheritThread: bit(INHERIT_THREAD),
    removeOnExec: bit(REMOVE_ON_EXEC),
    sigtrap: bit(SIGTRAP),
    auxOutput: bit(AUX_OUTPUT),
    useClockid: bit(USE_CLOCKID),
    clockid: view.getInt32(92, true),
    breakpointType: view.getUint32(52, true),
    config1: u64(56),
    config2: u64(64),
    branchSampleType: u64(72),
    userRegisters: u64(80),
    wideRegisters:
      ((sampleType & 0x1000n) !== 0n && u64(80) >> 32n !== 0n) ||
      ((sampleType & 0x4_0000n) !== 0n && u64(96) >> 32n !== 0n),
    userStack: view.getUint32(88, true),
    interruptRegisters: u64(96),
    signalData: u64(120),
    reserved:
      flags >> FIRST_RESERVED_BIT !== 0n ||
      view.getUint16(110, true) !== 0 ||
      view.getUint32(116, true) !== 0,
  };
}
