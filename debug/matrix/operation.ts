/** Where the program gets an argument from: the value is added to it. */
export const FROM = {
  nowhere: 0,
  /** The memory's address. */
  base: 1,
  /** PROT_* of the row. */
  protection: 2,
  /** The key of rows that have one. */
  key: 3,
  /** Another key, with all rights. */
  otherKey: 4,
  /** The row's descriptor (-1 of anonymous memory). */
  descriptor: 5,
  /** MAP_* of the row. */
  flags: 6,
  /** Eight bytes of the program's own. */
  buffer: 7,
  pipeRead: 8,
  pipeWrite: 9,
  /** `iovec`s of the buffer, and of eight bytes at the memory's address. */
  localVector: 10,
  remoteVector: 11,
  process: 12,
  /** /proc/self/mem, open for reading and writing. */
  memoryFile: 13,
  /** A System V segment of the memory's size. */
  segment: 14,
} as const;

export type Argument = number | bigint | { readonly from: number; readonly plus?: number };

/** A system call, or an access (numbers from {@link ACCESS} on), with its arguments. */
export interface Call {
  readonly number: number;
  readonly args: readonly Argument[];
}

/** What the program does besides calls, at the address that is the first argument. */
export const ACCESS = { read: 1000, write: 1001, fetch: 1002 } as const;

/** One thing that is tried on memory in each state: a column of the matrix. */
export interface Operation {
  /** As the user writes it, and JSON has it: `DONTNEED`, `mprotect-r`. */
  readonly name: string;
  /** At most seven letters, for the head of a column. */
  readonly short: string;
  /** In words or as C would have it. */
  readonly text: string;
  readonly call: Call;
  /** Done before the row's protection, key and seal are given. */
  readonly before?: readonly Call[];
  /** What that puts next to the memory: two pages below it, or one above. */
  readonly neighbour?: "below" | "above";
  /** The page that is probed afterwards, counted from the memory's start; its first unless told. */
  readonly probed?: number;
}

/** Bytes. */
export const PAGE = 4096;
/** Pages of the memory that is tried; all but the last have been written to. */
export const PAGES = 4;
/** Bytes of the memory that is tried. */
export const LENGTH = PAGES * PAGE;
/** Pages from the memory's start to an empty place for it to go to. */
export const ELSEWHERE = 16;

/** The memory's address, and so many pages more. */
export const at = (pages = 0): Argument => ({ from: FROM.base, plus: pages * PAGE });
/** The memory's address, and so many bytes more. */
export const byte = (offset: number): Argument => ({ from: FROM.base, plus: offset });
export const from = (place: keyof typeof FROM, plus = 0): Argument => ({ from: FROM[place], plus });
