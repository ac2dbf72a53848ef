import { CS, type Segments } from "../segments.js";

/**
 * How code is seen through CS: its mode, and where its offsets lie. Two blocks at the same bytes are the same only if
 * they are seen in the same way. One object for each such way, so that they are compared by identity.
 */
export interface CodeView {
  readonly bits: 64 | 32 | 16;
  /** Added to EIP for the linear address, which has 32 bits; 0 in 64-bit mode. */
  readonly base: number;
  /** The highest offset that may be fetched. */
  readonly limit: number;
}

/** 64-bit mode: RIP is the linear address. */
export const LONG_VIEW: CodeView = { bits: 64, base: 0, limit: Infinity };
const TWO32 = 0x1_0000_0000;

/** Linear address of the code at an instruction pointer. */
export function linearOfCode(view: CodeView, rip: number): number {
  return view === LONG_VIEW ? rip : (view.base + rip) % TWO32;
}

/** The ways met so far. */
export class CodeViews {
  private known: CodeView[] = [];

  of(segments: Segments): CodeView {
    const bits = segments.mode;
    if (bits === 64) return LONG_VIEW;
    const base = segments.base(CS);
    const limit = segments.limit(CS);
    let view = this.known.find((v) => v.bits === bits && v.base === base && v.limit === limit);
    if (view === undefined) {
      if (this.known.length >= MOST) this.known = [];
      view = { bits, base, limit };
      this.known.unshift(view);
    }
    return view;
  }
}

/** A program that makes segments without end finds its blocks decoded anew, nothing worse. */
const MOST = 64;
