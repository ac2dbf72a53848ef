import { Code, Decoder, DecoderError, DecoderOptions, FlowControl, Instruction, OpKind } from "iced-x86";
import { calloutNumber } from "../callouts.js";
import { microOps, opNumber } from "../ir/registry.js";
import type { CpuModel } from "../models.js";
import { LONG_VIEW, type CodeView } from "../compat/code-view.js";
import { compatLoweringOf } from "../compat/lowerings.js";
import { CALLOUT_BIT, type RecordFields } from "../record.js";
import { DecodeContext, loweringOf, type EmittedRecord, type Lower } from "./context.js";
import { dropDeadFlags } from "./dead-flags.js";

/** Longest instruction, in bytes (SDM vol. 2, 2.3.11). */
export const MAX_INSTRUCTION_BYTES = 15;
const MAX_INSTRUCTIONS = 48;

export interface DecodedBlock {
  readonly records: readonly EmittedRecord[];
  /** Start of each instruction and the end of the last. */
  readonly rips: readonly number[];
  readonly taken: number;
  readonly notTaken: number;
  /** True if the bytes ran out before the first instruction was complete. */
  readonly incomplete: boolean;
}

/** Bytes to micro-ops, by iced-x86. Knows the CPU model: what it does not announce is #UD. */
export class BlockDecoder {
  private readonly instruction = new Instruction();
  private readonly context = new DecodeContext();
  /** By code; null for what is #UD. */
  private readonly lowerings: (Lower | null)[] = [];
  /** The same outside of 64-bit mode. */
  private readonly compatLowerings: (Lower | null)[] = [];
  private readonly isTerminator: boolean[] = microOps().map((op) => op.terminator);
  private readonly raiseUd = opNumber("raise.6");
  private readonly raiseGp = opNumber("raise.13");
  private readonly jump = opNumber("jmp");

  constructor(private readonly model: CpuModel) {}

  /**
   * Decodes from `bytes`, whose first byte is at `rip`, until a branch, the end of the bytes or `limit` instructions.
   * @param boundaries linear addresses before which the block ends, if it does not begin there
   * @param view of the code: outside of 64-bit mode `rip` is EIP
   */
  decode(
    bytes: Uint8Array,
    rip: number,
    limit = MAX_INSTRUCTIONS,
    boundaries?: { has(address: number): boolean },
    view: CodeView = LONG_VIEW,
  ): DecodedBlock {
    const decoder = new Decoder(view.bits, bytes, DecoderOptions.None);
    decoder.ip = BigInt(rip);
    const x = this.context;
    x.records.length = 0;
    x.view = view;
    const rips: number[] = [];
    let at = rip;
    let taken = -1;
    let notTaken = -1;
    let terminated = false;
    try {
      while (!terminated && rips.length < limit && at - rip < bytes.length) {
        if (boundaries !== undefined && at !== rip && boundaries.has(at + view.base)) break;
        decoder.decodeOut(this.instruction);
        const code = this.instruction.code;
        const length = this.instruction.length;
        if (
          code === Code.INVALID &&
          decoder.lastError === DecoderError.NoMoreBytes &&
          bytes.length - (at - rip) < MAX_INSTRUCTION_BYTES
        )
          break;
        rips.push(at);
        const how = this.lowering(code);
        if (how === undefined) {
          const tooLong = code === Code.INVALID && length >= MAX_INSTRUCTION_BYTES;
          x.records.push({ op: tooLong ? this.raiseGp : this.raiseUd, instruction: rips.length - 1 });
          at += Math.max(1, length);
          terminated = true;
          break;
        }
        x.begin(this.instruction, at, length, code, rips.length - 1);
        how(x);
        at += length;
        const last = x.records[x.records.length - 1];
        terminated = last !== undefined && last.op < CALLOUT_BIT && this.isTerminator[last.op];
        if (terminated) {
          if (this.instruction.opCount > 0 && isNearBranch(this.instruction.opKind(0)))
            taken = Number(BigInt.asIntN(64, this.instruction.nearBranchTarget));
          notTaken = at;
          if (this.instruction.flowControl === FlowControl.ConditionalBranch) this.fuse();
        }
      }
    } finally {
      decoder.free();
    }
    if (rips.length === 0) return { records: [], rips, taken, notTaken, incomplete: true };
    if (!terminated) {
      x.records.push({ op: this.jump, instruction: rips.length - 1 });
      taken = at;
    }
    rips.push(at);
    dropDeadFlags(x.records);
    return { records: x.records.slice(), rips, taken, notTaken, incomplete: false };
  }

  /**
   * Puts a check before a block whose instruction reaches into a second page: that page must still be mapped there.
   * @param page the second page's virtual address
   * @param linear where it was when the block was decoded
   */
  withPageCheck(block: DecodedBlock, page: number, linear: number): DecodedBlock {
    const check = {
      op: CALLOUT_BIT | calloutNumber("checkPage"),
      instruction: 0,
      immediate: page,
      c: linear,
    };
    return { ...block, records: [check, ...block.records] };
  }

  /** How the instruction is lowered; undefined for what the model does not announce: #UD. */
  private lowering(code: Code): Lower | undefined {
    const { isLong } = this.context;
    const lowerings = isLong ? this.lowerings : this.compatLowerings;
    let how = lowerings[code];
    if (how === undefined) {
      const known = code === Code.INVALID ? undefined : this.found(isLong);
      const announced =
        known !== undefined &&
        Array.from(this.instruction.cpuidFeatures()).every((feature) => this.model.features.has(feature));
      how = lowerings[code] = announced ? known : null;
    }
    return how ?? undefined;
  }

  private found(isLong: boolean): Lower | undefined {
    const { mnemonic } = this.instruction;
    return isLong ? loweringOf(mnemonic) : compatLoweringOf(mnemonic);
  }

  /** CMP or TEST followed by Jcc of the next instruction: one micro-op for both. */
  private fuse(): void {
    const { records } = this.context;
    const branch = records[records.length - 1];
    const compare = records[records.length - 2];
    if (compare === undefined || compare.op >= CALLOUT_BIT) return;
    const ops = microOps();
    const condition = ops[branch.op].name;
    const name = ops[compare.op].name;
    if (!condition.startsWith("j.") || !/^(cmp|test)\.\d$/.test(name)) return;
    const fused = FUSED.get(`${name}.${condition}`);
    if (fused === undefined) return;
    records.length -= 2;
    // The record counts as the branch: what the comparison needs is read, nothing in it can fault.
    const fields: RecordFields = { ...compare };
    records.push({ ...fields, op: fused, instruction: branch.instruction });
  }
}

const isNearBranch = (kind: OpKind): boolean =>
  kind === OpKind.NearBranch64 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch16;

const FUSED = new Map<string, number>();
for (const op of microOps().map((o) => o.name))
  if (/^(cmp|test)\.\d\.j\./.test(op)) FUSED.set(op, opNumber(op));
