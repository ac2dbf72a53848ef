import { KINDS, OPERATION_BYTES, type Kind } from "./interpreter.js";

export interface Operation {
  readonly kind: Kind;
  /** At most seven; of a `call` the first is its number. */
  readonly args: readonly (number | bigint)[];
}

/** The program's input: its lists, one after the other. */
export function encodeLists(lists: readonly (readonly Operation[])[]): Uint8Array {
  const encoded = lists.map(encodeOperations);
  const bytes = new Uint8Array(encoded.reduce((sum, list) => sum + 8 + list.length, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const list of encoded) {
    view.setBigUint64(at, BigInt(list.length), true);
    bytes.set(list, at + 8);
    at += 8 + list.length;
  }
  return bytes;
}

function encodeOperations(operations: readonly Operation[]): Uint8Array {
  const bytes = new Uint8Array((operations.length + 1) * OPERATION_BYTES);
  const view = new DataView(bytes.buffer);
  operations.forEach(({ kind, args }, i) => {
    [KINDS.indexOf(kind), ...args].forEach((value, word) => {
      view.setBigUint64(i * OPERATION_BYTES + word * 8, BigInt.asUintN(64, BigInt(value)), true);
    });
  });
  return bytes;
}

const CALL_NAMES: Readonly<Record<number, string>> = {
  9: "mmap",
  10: "mprotect",
  11: "munmap",
  17: "pread64",
  18: "pwrite64",
  25: "mremap",
  26: "msync",
  28: "madvise",
  77: "ftruncate",
  149: "mlock",
  150: "munlock",
  151: "mlockall",
  152: "munlockall",
  216: "remap_file_pages",
  325: "mlock2",
  329: "pkey_mprotect",
  330: "pkey_alloc",
  331: "pkey_free",
  462: "mseal",
};

/** `mprotect` for 10; the number itself for a call without a name here. */
export function callName(number: number): string {
  return CALL_NAMES[number] ?? String(number);
}

/** For reading: `mprotect(0x10003000, 0x2000, 0x1)`. */
export function describe({ kind, args }: Operation): string {
  const shown = args.map((value) => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`);
  if (kind !== "call") return `${kind}(${shown.join(", ")})`;
  return `${callName(Number(args[0]))}(${shown.slice(1).join(", ")})`;
}
