/**
 * The first stack of a program: strings, auxiliary vector, pointers (fs/exec.c copy_strings, fs/binfmt_elf.c
 * create_elf_tables). Without address randomisation.
 */

import { E2BIG } from "../errno.js";

/** A stack's end: the top of user space. */
export const STACK_TOP = 0x7fff_ffff_f000;
/** Longest string, with its NUL (MAX_ARG_STRLEN). */
export const STRING_MAX = 131072;
/** What strings and pointers may always take (ARG_MAX). */
const ARGUMENTS_MIN = 131072;
/** Three quarters of the usual 8 MiB. */
const ARGUMENTS_MAX = 6 << 20;
const WORD = 8;
const PLATFORM = "x86_64";

export const AT_NULL = 0;
export const AT_PHDR = 3;
export const AT_PHENT = 4;
export const AT_PHNUM = 5;
export const AT_PAGESZ = 6;
export const AT_BASE = 7;
export const AT_FLAGS = 8;
export const AT_ENTRY = 9;
export const AT_UID = 11;
export const AT_EUID = 12;
export const AT_GID = 13;
export const AT_EGID = 14;
export const AT_PLATFORM = 15;
export const AT_HWCAP = 16;
export const AT_CLKTCK = 17;
export const AT_SECURE = 23;
export const AT_RANDOM = 25;
export const AT_HWCAP2 = 26;
export const AT_RSEQ_FEATURE_SIZE = 27;
export const AT_RSEQ_ALIGN = 28;
export const AT_EXECFN = 31;
export const AT_SYSINFO_EHDR = 33;
export const AT_MINSIGSTKSZ = 51;

/** Where the strings lie; latin-1, one character a byte. */
export interface StringArea {
  /** The lowest string's address: argv[0]. */
  readonly start: number;
  /** Bytes from `start` to STACK_TOP. */
  readonly bytes: Uint8Array;
  readonly argv: readonly number[];
  readonly env: readonly number[];
  /** Address of the program's name (AT_EXECFN). */
  readonly name: number;
  readonly argEnd: number;
  readonly envEnd: number;
}

/**
 * Lays the strings out: argv lowest, then the environment, then the program's name, eight zero bytes on top.
 * -E2BIG for a string over 128 KiB, or for more than the limit in all.
 * @param stackLimit soft RLIMIT_STACK in bytes
 */
export function layStrings(
  name: string,
  argv: readonly string[],
  env: readonly string[],
  stackLimit: number,
): StringArea | number {
  const pointers = (Math.max(argv.length, 1) + env.length) * WORD;
  const allowed = Math.max(Math.min(ARGUMENTS_MAX, stackLimit / 4), ARGUMENTS_MIN);
  if (allowed <= pointers) return -E2BIG;
  const sizes = [...argv, ...env].map((string) => string.length + 1);
  if (sizes.some((size) => size > STRING_MAX)) return -E2BIG;
  const total = sizes.reduce((sum, size) => sum + size, 0) + name.length + 1 + WORD;
  if (total - WORD > allowed - pointers) return -E2BIG;
  const start = STACK_TOP - total;
  const bytes = new Uint8Array(total);
  let at = 0;
  const put = (string: string): number => {
    const address = start + at;
    for (let i = 0; i < string.length; i++) bytes[at + i] = string.charCodeAt(i);
    at += string.length + 1;
    return address;
  };
  const argvAddresses = argv.map(put);
  const argEnd = start + at;
  const envAddresses = env.map(put);
  const envEnd = start + at;
  return { start, bytes, argv: argvAddresses, env: envAddresses, name: put(name), argEnd, envEnd };
}

export interface InitialStack {
  /** RSP at the program's first instruction. */
  readonly pointer: number;
  /** Bytes from `pointer` to the strings. */
  readonly bytes: Uint8Array;
  /** The auxiliary vector alone, as /proc/self/auxv gives it. */
  readonly auxv: Uint8Array;
}

/**
 * Builds what lies below the strings.
 * @param auxv pairs in Linux's order; the values of AT_RANDOM, AT_EXECFN and AT_PLATFORM are filled in here
 */
export function layStack(
  strings: StringArea,
  auxv: readonly (readonly [type: number, value: number | bigint])[],
  random: Uint8Array,
): InitialStack {
  const aligned = strings.start - (strings.start % 16);
  const platform = aligned - (PLATFORM.length + 1);
  const randomAt = platform - 16;
  const vectorWords = (auxv.length + 1) * 2;
  const words = 1 + strings.argv.length + 1 + strings.env.length + 1;
  // STACK_ADD counts in words from an address that need not be a multiple of one.
  const below = randomAt - vectorWords * WORD - words * WORD;
  const pointer = below - (below % 16);
  const bytes = new Uint8Array(strings.start - pointer);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const word = (value: number | bigint): void => {
    view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
    at += WORD;
  };
  word(strings.argv.length);
  strings.argv.forEach(word);
  word(0);
  strings.env.forEach(word);
  word(0);
  const vectorAt = at;
  for (const [type, value] of auxv) {
    word(type);
    word(
      type === AT_RANDOM
        ? randomAt
        : type === AT_EXECFN
          ? strings.name
          : type === AT_PLATFORM
            ? platform
            : value,
    );
  }
  word(AT_NULL);
  word(0);
  const vector = bytes.slice(vectorAt, at);
  bytes.set(random.subarray(0, 16), randomAt - pointer);
  for (let i = 0; i < PLATFORM.length; i++) bytes[platform - pointer + i] = PLATFORM.charCodeAt(i);
  return { pointer, bytes, auxv: vector };
}
