import type { CodeView } from "./compat/code-view.js";

/** A straight run of decoded instructions on one page (the last one may reach into the next page). */
export interface Block {
  readonly id: number;
  /** RIP of the first instruction, and how it is seen: outside of 64-bit mode the address differs from RIP. */
  readonly rip: number;
  readonly view: CodeView;
  /** Physical address of its first byte, and of the second page's frame if the last instruction crosses. */
  readonly physical: number;
  readonly secondFrame: number;
  /** Linear address of the first record behind the header. */
  readonly record: number;
  /** Start of each instruction, and of what follows the last. */
  readonly rips: readonly number[];
  /** Instruction index of each record. */
  readonly recordInstruction: Uint8Array;
  /** Where links d (taken) and e (not taken) lead, as signed 64-bit numbers; -1 if there is none. */
  readonly taken: number;
  readonly notTaken: number;
  /** Another block at the same physical address, decoded for another virtual one. */
  alias: Block | undefined;
  dropped: boolean;
  /** Instructions of the slices that began with it: how much of the run it stands for. */
  heat: number;
}
