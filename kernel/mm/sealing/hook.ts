import type { Area } from "../area.js";
import type { SealingModel, SealRule, SealVerdict } from "./sealing-model.js";

/** What a hook is told of a refusal that is about to be. */
export interface HookContext {
  /** Who asks: "munmap", "mmap", "mremap", "brk", "shmdt", "mprotect", "madvise", "msync", "mseal", "force". */
  readonly operation: string;
  /** The area as it is: bytes, half-open; PROT_* bits; VM_* bits; its key; its seals' names and bits. */
  readonly area: {
    readonly start: number;
    readonly end: number;
    readonly prot: number;
    readonly flags: number;
    readonly key: number;
    readonly seals: string;
    readonly bits: number;
  };
  /** mprotect: the protection asked for. */
  readonly prot?: number;
  /** mprotect: the key asked for; -1 where it stays. */
  readonly key?: number;
  /** madvise: the advice. */
  readonly advice?: number;
  /** madvise: the caller could overwrite the area, by its protection and by PKRU. */
  readonly writable?: boolean;
  /** mseal: the bits to be added. */
  readonly bits?: number;
  /** The rule that refuses, and its errno. */
  readonly rule: string;
  readonly errno: number;
}

/** Decides a refusal: true permits after all. It may be asked twice of one area, so it must not count. */
export type SealHook = (context: HookContext) => boolean;

function failed(rule: SealRule, problem: string): SealRule {
  return { name: rule.name, text: `${rule.text}; ${problem}, so the refusal stands`, source: rule.source };
}

/** A model whose every refusal a hook may lift. A hook that throws, or answers no boolean, lifts nothing. */
export function hooked(name: string, base: SealingModel, hook: SealHook): SealingModel {
  const ask = (
    verdict: SealVerdict | null,
    operation: string,
    { start, end, prot, flags, key, seal }: Area,
    more: Partial<HookContext> = {},
  ): SealVerdict | null => {
    if (verdict === null) return null;
    const { rule, errno } = verdict;
    const area = { start, end, prot, flags, key, seals: seal?.names ?? "", bits: seal?.bits ?? 0 };
    let answer: unknown;
    try {
      answer = hook({ operation, area, ...more, rule: rule.name, errno });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { rule: failed(rule, `the hook threw "${message}"`), errno };
    }
    if (answer === true) return null;
    if (answer === false) return verdict;
    return { rule: failed(rule, "the hook answered neither true nor false"), errno };
  };
  return {
    ...base,
    name,
    maySeal: (area, bits) => ask(base.maySeal(area, bits), "mseal", area, { bits }),
    mayUnmap: (area, origin) =>
      ask(base.mayUnmap(area, origin), origin === "mremap-destination" ? "mremap" : origin, area),
    mayProtect: (area, request) => ask(base.mayProtect(area, request), "mprotect", area, request),
    mayRemap: (area) => ask(base.mayRemap(area), "mremap", area),
    mayDiscard: (area, request) => {
      const { advice, writable } = request;
      return ask(base.mayDiscard(area, request), "madvise", area, { advice, writable });
    },
    mayInvalidate: (area) => ask(base.mayInvalidate(area), "msync", area),
    mayForce: (area) => ask(base.mayForce(area), "force", area),
  };
}
