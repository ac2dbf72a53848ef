import type { CalloutContext } from "../callouts.js";
import { BIG, SS } from "../segments.js";
import { RSP } from "../state.js";
import { linearIn } from "./access.js";

const TWO32 = 0x1_0000_0000;

/** The stack as an instruction of any mode sees it: RSP, or ESP or SP (by SS.B) in the stack segment. */
export class StackPointer {
  readonly long: boolean;
  /** Outside of 64-bit mode: 0xffffffff or 0xffff. */
  readonly mask: number;
  private readonly u32: Uint32Array;

  /** @param long for a call into 64-bit code, which is pushed there */
  constructor(
    private readonly context: CalloutContext,
    long = false,
  ) {
    const { segments } = context.registers;
    this.long = long || segments.mode === 64;
    this.mask = (segments.attributes(SS) & BIG) !== 0 ? 0xffffffff : 0xffff;
    this.u32 = context.memory.u32;
  }

  /** ESP or SP. */
  get offset(): number {
    return (this.u32[RSP >>> 2]! & this.mask) >>> 0;
  }

  /** Halves of the linear address of `size` bytes at `by` from the top; undefined after a fault. */
  private address(by: number, size: number, write: boolean): readonly [number, number] | undefined {
    if (!this.long) return this.addressAt(((this.offset + by) & this.mask) >>> 0, size, write);
    const sum = this.u32[RSP >>> 2]! + by;
    return [sum >>> 0, (this.u32[(RSP >>> 2) + 1]! + Math.floor(sum / TWO32)) >>> 0];
  }
  private addressAt(offset: number, size: number, write: boolean): readonly [number, number] | undefined {
    const linear = linearIn(this.context, SS, offset, size, write);
    return linear < 0 ? undefined : [linear, 0];
  }

  /** Reads `size` bytes at `by` bytes from the top to linear `to`; false after a fault. */
  read(by: number, size: number, to: number): boolean {
    const at = this.address(by, size, false);
    return at !== undefined && this.context.access.read(at[0], at[1], size, to);
  }
  /** Reads `size` bytes at an offset of the stack segment, outside of 64-bit mode. */
  readAt(offset: number, size: number, to: number): boolean {
    const at = this.addressAt((offset & this.mask) >>> 0, size, false);
    return at !== undefined && this.context.access.read(at[0], at[1], size, to);
  }
  /** Writes `size` bytes from linear `from`; false after a fault. */
  write(by: number, size: number, from: number): boolean {
    const at = this.address(by, size, true);
    return at !== undefined && this.context.access.write(at[0], at[1], size, from);
  }
  /** Whether `size` bytes may be written; false after a fault. */
  mayWrite(by: number, size: number): boolean {
    const at = this.address(by, size, true);
    return at !== undefined && this.context.access.probe(at[0], at[1], size, true);
  }

  /** Moves the top by so many bytes. */
  move(by: number): void {
    if (this.long) {
      const sum = this.u32[RSP >>> 2]! + by;
      this.u32[(RSP >>> 2) + 1]! += Math.floor(sum / TWO32);
      this.u32[RSP >>> 2] = sum;
    } else this.moveTo(this.offset + by);
  }
  /** Sets ESP or SP. */
  moveTo(offset: number): void {
    const at = RSP >>> 2;
    if (this.mask === 0xffff) this.u32[at] = (this.u32[at]! & 0xffff0000) | (offset & 0xffff);
    else {
      this.u32[at] = offset;
      this.u32[at + 1] = 0;
    }
  }
}
