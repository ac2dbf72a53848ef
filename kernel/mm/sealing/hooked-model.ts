import type { Provenance } from "../../refusal.js";
import type { Area, Seal } from "../area.js";
import type {
  DiscardRequest,
  ProtectRequest,
  SealArguments,
  SealCall,
  SealCaller,
  SealingModel,
  SealMistake,
  SealOrigin,
  SealRequest,
  SealRule,
  SealVerdict,
} from "./sealing-model.js";

/** What a hook is told of a refusal that is about to be. */
export interface HookContext {
  /** Who asks; "mprotect" is pkey_mprotect too, "force" a write through ptrace or /proc/PID/mem. */
  readonly operation: HookOperation;
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
  /** The calling thread's. */
  readonly pkru: number;
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

export type HookOperation =
  "munmap" | "mmap" | "mremap" | "mprotect" | "madvise" | "msync" | "mseal" | "brk" | "shmdt" | "force";

/** Decides refusals. It may be asked twice of one area, so it must not count. */
export interface RefusalJudge {
  /** @returns true to permit after all, false to let the refusal stand, or why it cannot say: then it stands too */
  judge(context: HookContext): boolean | string;
}

/** A model whose refusals a judge may lift. */
export class HookedModel implements SealingModel {
  readonly timing: SealingModel["timing"];
  readonly overlay: SealingModel["overlay"];
  readonly holes: SealingModel["holes"];
  readonly systemBits: number;
  readonly atExec: SealingModel["atExec"];

  /**
   * @param mark a bit that seals have from now on: only areas with it are the judge's business. 0: all are
   * @param attached what the guest reads of it, where it was the guest that attached the judge
   */
  constructor(
    readonly name: string,
    private readonly base: SealingModel,
    private readonly judge: RefusalJudge,
    private readonly mark = 0,
    readonly attached?: number,
  ) {
    this.timing = base.timing;
    this.overlay = base.overlay;
    this.holes = base.holes;
    this.systemBits = base.systemBits;
    this.atExec = base.atExec;
  }

  readCall(call: SealArguments): SealCall | SealMistake {
    return this.base.readCall(call);
  }

  readMmap(prot: number, flags: number): SealRequest | SealMistake {
    return this.base.readMmap(prot, flags);
  }

  readMprotect(prot: number): SealRequest | SealMistake {
    return this.base.readMprotect(prot);
  }

  add(seal: Seal | null, bits: number, by: Provenance): Seal | null {
    return this.base.add(seal, seal === null ? bits | this.mark : bits, by);
  }

  inherited(seal: Seal | null): Seal | null {
    return this.base.inherited(seal);
  }

  mergeable(a: Seal | null, b: Seal | null): boolean {
    return this.base.mergeable(a, b);
  }

  leaves(area: Area, origin: SealOrigin): "nothing" | "inaccessible" {
    return this.base.leaves(area, origin);
  }

  mayPassHole(operation: "munmap" | "discard", request: { readonly advice: number }): SealVerdict | null {
    return this.base.mayPassHole(operation, request);
  }

  smapsFlag(area: Area): string {
    return this.base.smapsFlag(area);
  }

  maySeal(area: Area, bits: number, caller: SealCaller): SealVerdict | null {
    return this.decide(this.base.maySeal(area, bits, caller), "mseal", area, caller, { bits });
  }

  mayUnmap(area: Area, origin: SealOrigin, caller: SealCaller): SealVerdict | null {
    const operation = origin === "mremap-destination" ? "mremap" : origin;
    return this.decide(this.base.mayUnmap(area, origin, caller), operation, area, caller);
  }

  mayProtect(area: Area, request: ProtectRequest, caller: SealCaller): SealVerdict | null {
    const { prot, key } = request;
    return this.decide(this.base.mayProtect(area, request, caller), "mprotect", area, caller, { prot, key });
  }

  mayRemap(area: Area, caller: SealCaller): SealVerdict | null {
    return this.decide(this.base.mayRemap(area, caller), "mremap", area, caller);
  }

  mayDiscard(area: Area, request: DiscardRequest, caller: SealCaller): SealVerdict | null {
    const { advice, writable } = request;
    const verdict = this.base.mayDiscard(area, request, caller);
    return this.decide(verdict, "madvise", area, caller, { advice, writable });
  }

  mayInvalidate(area: Area, caller: SealCaller): SealVerdict | null {
    return this.decide(this.base.mayInvalidate(area, caller), "msync", area, caller);
  }

  mayForce(area: Area, caller: SealCaller): SealVerdict | null {
    return this.decide(this.base.mayForce(area, caller), "force", area, caller);
  }

  private decide(
    verdict: SealVerdict | null,
    operation: HookOperation,
    { start, end, prot, flags, key, seal }: Area,
    caller: SealCaller,
    more: Partial<HookContext> = {},
  ): SealVerdict | null {
    if (verdict === null) return null;
    const bits = seal?.bits ?? 0;
    if (this.mark !== 0 && (bits & this.mark) === 0) return verdict;
    const { rule, errno } = verdict;
    const area = { start, end, prot, flags, key, seals: seal?.names ?? "", bits: bits & ~this.mark };
    const pkru = caller.pkru();
    const answer = this.judge.judge({ operation, area, pkru, ...more, rule: rule.name, errno });
    if (answer === true) return null;
    return answer === false ? verdict : { rule: failed(rule, answer), errno };
  }
}

function failed(rule: SealRule, problem: string): SealRule {
  return { name: rule.name, text: `${rule.text}; ${problem}, so the refusal stands`, source: rule.source };
}
