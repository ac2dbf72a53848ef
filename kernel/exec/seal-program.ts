/**
 * Sealing that no program asks for: what execve seals of a program and its interpreter, and what is sealed when a
 * loader has closed an object's relro.
 *
 * Two ask for it. --seal-elf does what the proposal for glibc's loader does (non-writable segments, and relro once it
 * is read-only); a model of sealing may have its own rule (`atExec`: OpenBSD's, data and stack included). The kernel
 * stands in for the loader, which knows nothing of either: that relro is done it sees by the loader's own mprotect of
 * just that range, and that loading is over when the program's and the interpreter's relro are both done. What is
 * loaded later may be unloaded and is left alone, unless it is marked as never to be (DF_1_NODELETE).
 */

import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import type { FilePages } from "../mm/file-pages.js";
import type { MappableFile } from "../mm/mappable-file.js";
import { sealBySystem } from "../mm/seal-by-system.js";
import { PROT_WRITE } from "../mm/uapi.js";
import { VM_SHARED } from "../mm/vm-flags.js";
import type { Word } from "../mm/word.js";
import type { Task } from "../task.js";
import { isRefusal, parseInterpreter, PT_LOAD, type ElfImage, type ReadAt } from "./elf.js";
import {
  immutableSegments,
  mutableOf,
  readMarks,
  readOnlySegments,
  relroOf,
  without,
  type LoadedElf,
  type PageRange,
} from "./elf-marks.js";

/** Which objects --seal-elf seals: every one, or those with GNU_PROPERTY_MEMORY_SEAL. */
export type SealElf = "all" | "marked";

/** How a process's program is being sealed; nothing of it is known to the program. */
export interface ProgramSealing {
  readonly which: SealElf;
  /** Whose rule: `atExec`'s of the model (data too), or --seal-elf's. */
  readonly rule: "model" | "elf";
  /** Relro of the program and of its interpreter that is still writable: addresses. */
  readonly awaited: readonly number[];
}

/** A file that execve has mapped. */
export interface MappedProgram {
  readonly file: MappableFile;
  readonly image: ElfImage;
  readonly bias: bigint;
}

const TUNABLES = "GLIBC_TUNABLES=";
const SEAL_TUNABLE = "glibc.rtld.seal";
const PAGE = 4096;

const BY: Readonly<Record<ProgramSealing["rule"], { readonly exec: string; readonly relro: string }>> = {
  elf: { exec: "--seal-elf at exec", relro: "--seal-elf once relro was read-only" },
  model: { exec: "the model at exec", relro: "the model once relro was read-only" },
};

/** Reads a file by its page cache. */
export function readerOf(pages: FilePages): ReadAt {
  return (offset, length) => {
    const bytes = new Uint8Array(Math.max(0, Math.min(length, pages.size - offset)));
    return bytes.subarray(0, pages.read(offset, bytes));
  };
}

/**
 * What --seal-elf comes to for a new program: glibc.rtld.seal=0 in GLIBC_TUNABLES turns it off, as in the revisions of
 * the proposal that had it; the loader does not look at tunables of a program with more rights than its caller.
 * @param env `NAME=VALUE` each
 */
export function sealElfFor(kernel: Kernel, env: readonly string[], secure: boolean): SealElf | null {
  const { sealElf } = kernel;
  if (sealElf === null || secure) return sealElf;
  const tunables = env.find((variable) => variable.startsWith(TUNABLES))?.slice(TUNABLES.length) ?? "";
  const values = tunables
    .split(":")
    .filter((tunable) => tunable.startsWith(`${SEAL_TUNABLE}=`))
    .map((tunable) => tunable.slice(SEAL_TUNABLE.length + 1));
  return /^0+$/.test(values.at(-1) ?? "") ? null : sealElf;
}

/** Seals what execve seals; the last thing that it does to the new address space. */
export function sealProgram(
  mm: AddressSpace,
  task: Task,
  programs: readonly MappedProgram[],
  elf: SealElf | null,
): void {
  const { process } = task;
  process.sealing = null;
  const rule = mm.env.sealing.atExec === "program" ? "model" : "elf";
  if (rule === "elf" && elf === null) return;
  const which = rule === "model" ? "all" : elf!;
  const awaited: number[] = [];
  for (const { file, image, bias } of programs) {
    if (file.pages === null) continue;
    const object: LoadedElf = { image, read: readerOf(file.pages), bias };
    for (const { start } of relroOf(object)) awaited.push(start);
    seal(mm, atExec(object, { which, rule }), BY[rule].exec);
  }
  if (rule === "model") {
    const stack = mm.findArea(mm.layout.startStack);
    if (stack !== null) sealBySystem(mm, stack.start, stack.end, BY[rule].exec);
  }
  process.sealing = { which, rule, awaited };
}

function atExec(object: LoadedElf, { which, rule }: Pick<ProgramSealing, "which" | "rule">): PageRange[] {
  const marks = readMarks(object.image, object.read);
  if (rule === "model") return immutableSegments(object, marks);
  const sealed = which === "all" || marks.memorySeal;
  return sealed && !marks.textRelocations ? readOnlySegments(object) : [];
}

function seal(mm: AddressSpace, ranges: readonly PageRange[], by: string): void {
  for (const { start, end } of ranges) sealBySystem(mm, start, end, by);
}

/**
 * After an mprotect that succeeded: where it has closed the relro of an ELF object, that object is sealed. It is one if
 * the range is in a private mapping of a file whose program headers say that just this range is relro.
 */
export function sealAfterProtect(task: Task, address: Word, length: Word, prot: number): void {
  const { sealing } = task.process;
  if (sealing === null || (prot & PROT_WRITE) !== 0) return;
  const start = Number(address);
  const end = Math.ceil((start + Number(length)) / PAGE) * PAGE;
  const { mm } = task;
  const area = mm.findArea(start);
  const object = area === null ? null : objectWithRelro(area, start, end);
  if (object === null) return;

  const marks = readMarks(object.image, object.read);
  const own = sealing.awaited.includes(start);
  const loading = own || sealing.awaited.length > 0;
  if (own) {
    const awaited = sealing.awaited.filter((one) => one !== start);
    task.process.sealing = { ...sealing, awaited };
  }
  if (!loading && !marks.noDelete) return;
  if (sealing.which === "marked" && !marks.memorySeal) return;
  const open = mutableOf(object);
  const segments =
    sealing.rule === "model"
      ? immutableSegments(object, { ...marks, textRelocations: false })
      : readOnlySegments(object);
  seal(mm, [...segments, ...without(relroOf(object), open)], BY[sealing.rule].relro);
}

/** The ELF object that is mapped in an area, if [start, end) is its relro. */
function objectWithRelro(area: Area, start: number, end: number): LoadedElf | null {
  const pages = area.file?.pages ?? null;
  if (pages === null || (area.flags & VM_SHARED) !== 0) return null;
  const read = readerOf(pages);
  const image = parseInterpreter(read);
  if (isRefusal(image)) return null;
  const offset = BigInt(area.fileIndex(start) * PAGE);
  for (const segment of image.programHeaders) {
    const inPage = segment.offset % BigInt(PAGE);
    const first = segment.offset - inPage;
    if (segment.type !== PT_LOAD || offset < first || offset >= segment.offset + segment.filesz) continue;
    // A page of the file may be mapped by two segments: the one that makes it relro is meant.
    const object = { image, read, bias: BigInt(start) - (segment.vaddr - inPage + (offset - first)) };
    if (relroOf(object).some((relro) => relro.start === start && relro.end === end)) return object;
  }
  return null;
}
