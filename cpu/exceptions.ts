import { MAX_INSTRUCTION_BYTES } from "./decode/block-decoder.js";
import { usesStackSegment } from "./decode/stack-segment.js";
import type { CodeSource } from "./code-source.js";
import type { CpuExit } from "./block-runner.js";
import { NON_CANONICAL, VECTOR_GP, VECTOR_PF } from "./guest-access.js";
import type { Registers } from "./registers.js";
import { ACCESS_ADDRESS, RIP } from "./state.js";

/** Error code of a #PF: an instruction fetch in user mode (SDM vol. 3, 4.7). */
const FETCH_BY_USER = 0x14;
export const EXCEPTION_DB = 1;
export const EXCEPTION_BP = 3;
export const EXCEPTION_OF = 4;
const EXCEPTION_SS = 12;
const TWO32 = 0x1_0000_0000;

/** Says in `exit` which exception ended a run. */
export class Exceptions {
  readonly exit: CpuExit = { reason: "budget", vector: 0, errorCode: 0, address: 0, addressBig: 0n };

  constructor(
    private readonly u32: Uint32Array,
    private readonly registers: Registers,
    private readonly code: CodeSource,
  ) {}

  /** @param rip of the instruction; the address of a #PF is in the state */
  raise(vector: number, errorCode: number, rip: number): false {
    const { exit, u32 } = this;
    this.report(vector === NON_CANONICAL ? this.nonCanonicalVector(rip) : vector, errorCode);
    if (vector !== VECTOR_PF) return false;
    const low = u32[ACCESS_ADDRESS >>> 2];
    const high = u32[(ACCESS_ADDRESS >>> 2) + 1];
    exit.address = high * TWO32 + low;
    exit.addressBig = (BigInt(high) << 32n) | BigInt(low);
    return false;
  }

  /** One without an address. */
  report(vector: number, errorCode: number): false {
    const { exit } = this;
    exit.reason = "exception";
    exit.vector = vector;
    exit.errorCode = errorCode;
    exit.address = 0;
    exit.addressBig = 0n;
    return false;
  }

  /** The fault of the last fetch. */
  fetchFault(): false {
    const { exit } = this;
    const { vector, address, errorCode } = this.code.fault;
    this.report(vector, errorCode);
    exit.address = address;
    exit.addressBig = BigInt(address);
    return false;
  }

  /** RIP is there already: it was put there, or a branch went to the kernel's half, which no user may fetch from. */
  fetchAboveUserSpace(rip: number): false {
    const { u32 } = this;
    const high = u32[(RIP >>> 2) + 1];
    u32[ACCESS_ADDRESS >>> 2] = u32[RIP >>> 2];
    u32[(ACCESS_ADDRESS >>> 2) + 1] = high;
    return high >>> 15 === 0x1ffff
      ? this.raise(VECTOR_PF, FETCH_BY_USER, rip)
      : this.raise(VECTOR_GP, 0, rip);
  }

  /** A non-canonical address through the stack segment is #SS, not #GP (SDM vol. 3, 6.15). */
  private nonCanonicalVector(rip: number): number {
    const bytes = this.code.fetch(rip, MAX_INSTRUCTION_BYTES);
    return bytes !== undefined && usesStackSegment(bytes, this.registers) ? EXCEPTION_SS : VECTOR_GP;
  }
}
