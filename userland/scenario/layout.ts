/** Where a scenario's program keeps what it needs: fixed addresses, below and above its own code. */

/** A page's bytes. */
export const PAGE = 4096;

/** Memory that a scenario's processes share, a memfd's: names' values, mailboxes, scratch. Bytes. */
export const SHARED = { address: 0x200000, bytes: 4 * PAGE, descriptor: 100 } as const;

/** Values of names, 8 bytes each; slot 0 is always zero. */
export const SLOTS = SHARED.address;
export const MAX_SLOTS = 500;
/** Where an execve of itself goes on: a record's address, then the mailbox of the process. */
export const RESUME = SHARED.address + 8 * MAX_SLOTS;

/** A child or a thread takes its orders from a mailbox. */
export const MAILBOXES = SHARED.address + PAGE;
export const MAILBOX = { bytes: 64, order: 0, done: 4, pid: 8, kind: 16, tid: 24 } as const;
export const MAX_ACTORS = 15;
export const KIND = { process: 1, thread: 2 } as const;

/** Room for structures that a system call reads or writes. */
export const SCRATCH = SHARED.address + 2 * PAGE;

/** The records, then texts. */
export const TABLE = 0x600000;

/** One step of the table: fixed size, so that the next one is found by adding. Bytes. */
export const RECORD = {
  bytes: 128,
  op: 0,
  size: 1,
  quiet: 2,
  step: 4,
  dest: 8,
  number: 12,
  operands: 16,
} as const;

/** What the program can do, by number: index into its jump table. */
export const OPERATIONS = [
  "end",
  "syscall",
  "load",
  "store",
  "call",
  "setkey",
  "wrpkru",
  "rdpkru",
  "poke",
  "dump",
  "smaps",
  "meminfo",
  "pagemap",
  "fork",
  "thread",
  "give",
  "exit",
  "endthread",
  "wait",
  "join",
  "exec",
  "handler",
  "handlerpkru",
  "framekey",
  "framepkru",
  "value",
] as const;

export type Operation = (typeof OPERATIONS)[number];
