import type { HookContext, RefusalJudge } from "./hooked-model.js";

/** A hook of the user's, in JavaScript: true permits after all. It may be asked twice of one area, so it must not count. */
export type SealHook = (context: HookContext) => boolean;

/** A hook that throws, or answers no boolean, lifts nothing. */
export class ScriptJudge implements RefusalJudge {
  constructor(private readonly hook: SealHook) {}

  judge(context: HookContext): boolean | string {
    try {
      const answer: unknown = this.hook(context);
      return typeof answer === "boolean" ? answer : "the hook answered neither true nor false";
    } catch (error) {
      return `the hook threw "${error instanceof Error ? error.message : String(error)}"`;
    }
  }
}
