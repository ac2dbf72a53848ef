/** perf_event_open(2)'s struct perf_event_attr, copied and checked (kernel/events/core.c perf_copy_attr). */

import { E2BIG, EACCES, EFAULT, EINVAL } from "../kernel/errno.js";
import {
  ATTRIBUTES_BYTES,
  ATTRIBUTES_VER0,
  readAttributes,
  type EventAttributes,
} from "../kernel/perf/attributes.js";
import * as uapi from "../kernel/perf/uapi.js";
import type { Word } from "../kernel/mm/word.js";
import type { SyscallCall } from "./call.js";

const PAGE = 4096;
/** PERF_SAMPLE_BRANCH_*: all that are known; those that say whose branches; those of the kernel and the hypervisor. */
const BRANCHES = (1n << 20n) - 1n;
const BRANCH_LEVELS = 7n;
const BRANCH_KERNEL = 6n;
/** Registers that no sample has: DS, ES, FS, GS, and what has no number. */
const NO_REGISTERS = 0xff00_f000n;
const MOST_STACK = 0xffff;

/**
 * EFAULT; E2BIG with the size that is known written to the structure: too short, above a page, or something set beyond
 * it; EINVAL: reserved fields, unknown bits, branches of no kind, registers or a stack of no size, fields that exclude
 * each other; EACCES: the kernel's branches without the right to watch the kernel.
 */
export function copyAttributes(
  call: SyscallCall,
  at: Word,
  mayWatchKernel: () => boolean,
): EventAttributes | number {
  const { user } = call;
  const given = user.readU32(Number(at) + 4);
  if (given === null) return -EFAULT;
  const size = given === 0 ? ATTRIBUTES_VER0 : given;
  const tooBig = (): number =>
    user.writeU32(Number(at) + 4, ATTRIBUTES_BYTES) ? no(call, "size", E2BIG, "no such size") : -E2BIG;
  if (size < ATTRIBUTES_VER0 || size > PAGE) return tooBig();
  const bytes = user.read(at, size);
  if (typeof bytes === "number") return bytes;
  if (bytes.subarray(ATTRIBUTES_BYTES).some((byte) => byte !== 0)) return tooBig();
  const known = new Uint8Array(ATTRIBUTES_BYTES);
  known.set(bytes.subarray(0, ATTRIBUTES_BYTES));
  const attributes = readAttributes(new DataView(known.buffer));
  const why = mistakeIn(attributes);
  if (why !== null) return no(call, "attributes", EINVAL, why);
  const kernels = (attributes.branchSampleType & BRANCH_KERNEL) !== 0n;
  if ((attributes.sampleType & uapi.PERF_SAMPLE_BRANCH_STACK) !== 0 && kernels && !mayWatchKernel())
    return no(call, "branches", EACCES, "the kernel's branches are not for everybody");
  return attributes;
}

function no(call: SyscallCall, rule: string, errno: number, text: string): number {
  return call.mm.refuse(`perf.${rule}`, errno, () => ({ text, source: "perf_copy_attr" }));
}

function mistakeIn(attributes: EventAttributes): string | null {
  const { sampleType, branchSampleType: branches } = attributes;
  const samples = (bit: number): boolean => (sampleType & bit) !== 0;
  if (attributes.reserved) return "a reserved field is set";
  if (attributes.unknownSamples || attributes.unknownFormats)
    return "unknown bits of sample_type or read_format";
  if (
    samples(uapi.PERF_SAMPLE_BRANCH_STACK) &&
    ((branches & ~BRANCHES) !== 0n || (branches & ~BRANCH_LEVELS) === 0n)
  )
    return "branches of no known kind";
  const noRegisters = (mask: bigint): boolean => mask === 0n || (mask & NO_REGISTERS) !== 0n;
  if (samples(uapi.PERF_SAMPLE_REGS_USER) && noRegisters(attributes.userRegisters))
    return "no such registers";
  const { userStack } = attributes;
  if (samples(uapi.PERF_SAMPLE_STACK_USER) && (userStack >= MOST_STACK || userStack % 8 !== 0))
    return "a stack of no such size";
  if (samples(uapi.PERF_SAMPLE_REGS_INTR) && noRegisters(attributes.interruptRegisters))
    return "no such registers";
  if (samples(uapi.PERF_SAMPLE_CGROUP)) return "control groups are not sampled";
  if (samples(uapi.PERF_SAMPLE_WEIGHT) && samples(uapi.PERF_SAMPLE_WEIGHT_STRUCT))
    return "two kinds of weight";
  if (attributes.inheritThread && !attributes.inherit) return "inherit_thread without inherit";
  if (attributes.removeOnExec && attributes.enableOnExec) return "remove_on_exec with enable_on_exec";
  if (attributes.sigtrap && !attributes.removeOnExec) return "sigtrap without remove_on_exec";
  return null;
}
