import type { BpfProgram } from "../../bpf/instruction.js";
import type { Provenance } from "../../refusal.js";
import type { Area, Seal } from "../area.js";
import type { ReleaseRules } from "../release.js";
import type { Word } from "../word.js";

/** Which operation asks; a model may bind some callers and not others. */
export type SealOrigin =
  | "munmap"
  /** What MAP_FIXED replaces. */
  | "mmap"
  /** What MREMAP_FIXED replaces. */
  | "mremap-destination"
  /** What mremap gives up of its own range: the tail of a shrink, the old place of a move. */
  | "mremap"
  | "brk"
  | "shmdt";

/** One sentence of a model: `sealab models NAME` prints them, and a refusal names the one that it follows. */
export interface SealRule {
  /** kebab-case, unique in its model. */
  readonly name: string;
  readonly text: string;
  /** Where the rule comes from: a kernel function's name, a man page, a message to a list. */
  readonly source: string;
}

/** A refusal by a sealing model: the rule, and the errno (positive). */
export interface SealVerdict {
  readonly rule: SealRule;
  readonly errno: number;
}

/** Arguments that the model does not take. */
export interface SealMistake {
  /** The refusal's name after the call's: `flags` for `mseal.flags`. */
  readonly mistake: string;
  readonly errno: number;
  readonly text: string;
  readonly source: string;
}

/** The sealing call's arguments in the order of the registers; a call of three does not look at the fourth. */
export interface SealArguments {
  readonly address: Word;
  readonly length: Word;
  readonly third: Word;
  readonly fourth: Word;
}

/** What the sealing call asks for. */
export interface SealCall {
  /** Bytes, page aligned; nothing to do where `end` is not above `start`. */
  readonly start: number;
  readonly end: number;
  readonly bits: number;
}

/** What mmap or mprotect asks for besides: `prot` and `flags` are without the model's own bits. */
export interface SealRequest {
  readonly prot: number;
  readonly flags: number;
  readonly bits: number;
}

export interface ProtectRequest {
  /** PROT_* without the model's own bits. */
  readonly prot: number;
  /** -1: the area keeps the one it has. */
  readonly key: number;
}

/** Who asks: the machine's face of the running thread. Mainline's rules need no more of it than `writable` says. */
export interface SealCaller {
  /** The calling thread's PKRU. */
  pkru(): number;
}

/** What a discard is judged by. */
export interface DiscardRequest {
  readonly advice: number;
  /** The area permits writes and so does the caller's PKRU for its key. */
  readonly writable: boolean;
  readonly release: ReleaseRules;
}

/**
 * A policy of sealing. The operations in kernel/mm ask it what may be done to an area and look at no seal
 * themselves. Every `may` is answered null (permitted) or with a verdict. A model keeps nothing of its own: what it
 * has to remember is in the bits of the areas' seals.
 */
export interface SealingModel {
  /** As `--sealing` takes it, options included. */
  readonly name: string;
  /** When an operation on a range asks: before it begins, area by area on its way, or as the kernel release does. */
  readonly timing: "whole-range" | "by-area" | "release";
  /** Where mmap asks about what MAP_FIXED replaces: with the other checks on the place, or when all else is checked. */
  readonly overlay: "with-place" | "last";
  /** Whether the sealing call refuses a range with holes (ENOMEM) or passes over them. */
  readonly holes: "refused" | "skipped";
  /**
   * The bits with which the system itself seals what nobody asked it to (--seal-elf, the kernel's own mappings): all
   * that the model has, but what forbids further seals. 0: it has none.
   */
  readonly systemBits: number;
  /** What execve seals of every program: nothing, or its segments, its interpreter's and the stack. */
  readonly atExec: "nothing" | "program";

  /** Decodes and checks the sealing call's arguments. */
  readCall(call: SealArguments): SealCall | SealMistake;
  /** Takes the model's own bits out of mmap's arguments. */
  readMmap(prot: number, flags: number): SealRequest | SealMistake;
  /** Takes the model's own bits out of mprotect's protection; `flags` is 0. */
  readMprotect(prot: number): SealRequest | SealMistake;

  /** May these bits be added to what the area has? Asked of the whole range before any is. */
  maySeal(area: Area, bits: number, caller: SealCaller): SealVerdict | null;
  /** A seal with more bits: the same object when nothing changes, null when there is nothing to keep. */
  add(seal: Seal | null, bits: number, by: Provenance): Seal | null;
  /** What a forked child's area has. */
  inherited(seal: Seal | null): Seal | null;
  /** Two areas' seals allow them to become one. */
  mergeable(a: Seal | null, b: Seal | null): boolean;

  mayUnmap(area: Area, origin: SealOrigin, caller: SealCaller): SealVerdict | null;
  /** What a permitted unmapping leaves: nothing, or an area that cannot be used any more. */
  leaves(area: Area, origin: SealOrigin): "nothing" | "inaccessible";
  mayProtect(area: Area, request: ProtectRequest, caller: SealCaller): SealVerdict | null;
  /** The area as the source of an mremap. */
  mayRemap(area: Area, caller: SealCaller): SealVerdict | null;
  mayDiscard(area: Area, request: DiscardRequest, caller: SealCaller): SealVerdict | null;
  /** msync(MS_INVALIDATE). */
  mayInvalidate(area: Area, caller: SealCaller): SealVerdict | null;
  /** A write through ptrace or /proc/PID/mem to a page that the area does not permit to write (FOLL_FORCE). */
  mayForce(area: Area, caller: SealCaller): SealVerdict | null;
  /** A hole in the range of an operation that Linux passes over. */
  mayPassHole(operation: "munmap" | "discard", request: { readonly advice: number }): SealVerdict | null;
  /** How smaps' VmFlags line shows the seal; empty for none. */
  smapsFlag(area: Area): string;

  /** Only in a model that takes a program from the guest: the instructions of what is attached, 0 for nothing. */
  readonly attached?: number | undefined;
  /** Where nothing is attached yet: the model with that program, which has been verified. */
  attach?(program: BpfProgram): SealingModel;
}

/** A way to be told apart from the plain model: `NAME:OPTION`. */
export interface SealingOption {
  readonly name: string;
  readonly text: string;
}

/** A model as the list of models has it. */
export interface SealingDesign {
  /** kebab-case: what `--sealing` names it by. */
  readonly name: string;
  /** One line, for a list. */
  readonly title: string;
  /** Who proposed it, when, and where to read it. */
  readonly source: string;
  readonly options: readonly SealingOption[];
  readonly rules: readonly SealRule[];
  /** @param name the model's name with its options, as it was asked for */
  create(name: string, options: ReadonlySet<string>): SealingModel;
}
