import type { DebugSession } from "../../../debug/session/debug-session.js";
import type { RegisterValues, View } from "../../../debug/views/view.js";
import type { Line } from "../canvas.js";
import type { CodeMode } from "../state.js";

/** What the panels read: the machine as it stands, and what the user wants to see of it. */
export interface PanelSource {
  readonly session: DebugSession;
  /** Of the session's thread, made for this stop. */
  readonly view: View;
  /** Registers at the stop before, of the same thread; null: there was none. */
  readonly before: RegisterValues | null;
  readonly codeMode: CodeMode;
  /** Where the memory panel looks; null: at the stack pointer. */
  readonly memoryAddress: number | null;
  /** What the walk panel walks to; null: what the stop is about, what the next instruction uses, or RIP. */
  readonly walkAddress: number | null;
  /** The address that the stop is about: refused, faulting, written. */
  readonly subject: number | undefined;
  /** What the command lines have answered, the newest last. */
  readonly log: readonly Line[];
}
