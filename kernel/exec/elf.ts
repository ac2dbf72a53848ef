/**
 * Reading an ELF file's headers as Linux does (fs/binfmt_elf.c load_elf_phdrs and the first part of
 * load_elf_binary). Nothing here touches an address space.
 */

import { EIO, ELIBBAD, ENOEXEC } from "../errno.js";

/** Reads up to `length` bytes at `offset`; shorter at the end of the file. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export const ET_EXEC = 2;
export const ET_DYN = 3;
const EM_X86_64 = 62;
const EM_386 = 3;

export const PT_LOAD = 1;
export const PT_INTERP = 3;
export const PT_GNU_STACK = 0x6474_e551;
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** Bytes of the file that every format looks at first (BINPRM_BUF_SIZE). */
export const HEAD_BYTES = 256;
const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;
const PATH_MAX = 4096;
/** Program headers may take this many bytes at most. */
const PROGRAM_HEADERS_MAX = 65536;

/** 64-bit fields are kept as they are: a file may say anything. */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: bigint;
  readonly vaddr: bigint;
  readonly filesz: bigint;
  readonly memsz: bigint;
  readonly align: bigint;
}

export interface ElfImage {
  readonly type: typeof ET_EXEC | typeof ET_DYN;
  readonly entry: bigint;
  readonly phoff: bigint;
  readonly phnum: number;
  readonly programHeaders: readonly ProgramHeader[];
  /** Path of the interpreter, or null. */
  readonly interpreter: string | null;
  /** PT_GNU_STACK asks for an executable stack. */
  readonly executableStack: boolean;
}

/** A refusal: the errno, and why in one phrase. */
export interface ElfRefusal {
  readonly errno: number;
  readonly reason: string;
}

export function isRefusal(result: object): result is ElfRefusal {
  return "errno" in result;
}

const refuse = (errno: number, reason: string): ElfRefusal => ({ errno, reason });

/** Parses a program's headers. ENOEXEC for what is not a 64-bit x86 program, EIO for a short read of the interpreter's name. */
export function parseElf(read: ReadAt): ElfImage | ElfRefusal {
  return parse(read, ENOEXEC, true);
}

/** Parses an interpreter's headers: a file that is no ELF program is ELIBBAD, one without a whole header EIO. */
export function parseInterpreter(read: ReadAt): ElfImage | ElfRefusal {
  if (read(0, HEADER_BYTES).length < HEADER_BYTES)
    return refuse(EIO, "the interpreter is shorter than an ELF header");
  return parse(read, ELIBBAD, false);
}

function parse(read: ReadAt, errno: number, followInterpreter: boolean): ElfImage | ElfRefusal {
  const head = new Uint8Array(HEADER_BYTES);
  head.set(read(0, HEADER_BYTES));
  const view = new DataView(head.buffer);
  if (view.getUint32(0, false) !== 0x7f45_4c46) return refuse(errno, "not an ELF file");
  const type = view.getUint16(16, true);
  const machine = view.getUint16(18, true);
  if (machine === EM_386 || (machine === EM_X86_64 && head[4] === 1))
    return refuse(errno, "a 32-bit program");
  if (type !== ET_EXEC && type !== ET_DYN)
    return refuse(errno, "an ELF file, but not a program (no ET_EXEC or ET_DYN)");
  if (machine !== EM_X86_64) return refuse(errno, `a program for another machine (e_machine ${machine})`);
  const phnum = view.getUint16(56, true);
  if (view.getUint16(54, true) !== PROGRAM_HEADER_BYTES)
    return refuse(errno, "program headers of another size");
  const bytes = phnum * PROGRAM_HEADER_BYTES;
  if (bytes === 0 || bytes > PROGRAM_HEADERS_MAX) return refuse(errno, `${phnum} program headers`);
  const phoff = view.getBigUint64(32, true);
  const table = phoff >= 1n << 53n ? new Uint8Array() : read(Number(phoff), bytes);
  if (table.length < bytes) return refuse(errno, "truncated: its program headers lie beyond its end");
  const programHeaders = readProgramHeaders(table, phnum);

  let interpreter: string | null = null;
  const asks = followInterpreter ? programHeaders.find((header) => header.type === PT_INTERP) : undefined;
  if (asks !== undefined) {
    const name = readInterpreterName(read, asks);
    if (typeof name !== "string") return name;
    interpreter = name;
  }
  let executableStack = false;
  for (const header of programHeaders)
    if (header.type === PT_GNU_STACK) executableStack = (header.flags & PF_X) !== 0;
  const entry = view.getBigUint64(24, true);
  return { type, entry, phoff, phnum, programHeaders, interpreter, executableStack };
}

function readProgramHeaders(table: Uint8Array, count: number): ProgramHeader[] {
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  return Array.from({ length: count }, (_, i) => {
    const at = i * PROGRAM_HEADER_BYTES;
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: view.getBigUint64(at + 8, true),
      vaddr: view.getBigUint64(at + 16, true),
      filesz: view.getBigUint64(at + 32, true),
      memsz: view.getBigUint64(at + 40, true),
      align: view.getBigUint64(at + 48, true),
    };
  });
}

function readInterpreterName(read: ReadAt, header: ProgramHeader): string | ElfRefusal {
  if (header.filesz > BigInt(PATH_MAX) || header.filesz < 2n)
    return refuse(ENOEXEC, "an interpreter name of absurd length");
  const length = Number(header.filesz);
  const bytes = header.offset >= 1n << 53n ? new Uint8Array() : read(Number(header.offset), length);
  if (bytes.length < length) return refuse(EIO, "truncated: its interpreter's name lies beyond its end");
  if (bytes[length - 1] !== 0) return refuse(ENOEXEC, "an interpreter name without an end");
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
}
