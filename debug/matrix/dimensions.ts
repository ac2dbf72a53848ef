import { PKEY, PROT } from "../../userland/linux.js";

/** What is mapped. The order is the program's and the tables'. */
export const MEMORIES = ["private-anon", "shared-anon", "memfd", "private-file", "shared-file"] as const;
export type Memory = (typeof MEMORIES)[number];

export const PROTECTIONS = ["none", "r", "rw", "rx", "rwx", "x"] as const;
export type Protection = (typeof PROTECTIONS)[number];

export const PROT_BITS: Readonly<Record<Protection, number>> = {
  none: PROT.NONE,
  r: PROT.READ,
  rw: PROT.READ | PROT.WRITE,
  rx: PROT.READ | PROT.EXEC,
  rwx: PROT.READ | PROT.WRITE | PROT.EXEC,
  x: PROT.EXEC,
};

/** Key: none given, or one that PKRU denies all access through, or writes. */
export const KEYS = ["none", "ad", "wd"] as const;
export type Key = (typeof KEYS)[number];

export const KEY_WORDS: Readonly<Record<Key, string>> = {
  none: "none",
  ad: "access-disabled",
  wd: "write-disabled",
};

export const KEY_RIGHTS: Readonly<Record<Key, number>> = {
  none: 0,
  ad: PKEY.DISABLE_ACCESS,
  wd: PKEY.DISABLE_WRITE,
};

/** The state of some memory before a call. */
export interface State {
  readonly memory: Memory;
  readonly protection: Protection;
  readonly key: Key;
  readonly sealed: boolean;
}

/** All 180 states, in the order of the program's rows: the seal changes fastest. */
export const STATES: readonly State[] = MEMORIES.flatMap((memory) =>
  PROTECTIONS.flatMap((protection) =>
    KEYS.flatMap((key) => [false, true].map((sealed) => ({ memory, protection, key, sealed }))),
  ),
);

/** `private-anon r key=wd sealed`, as `--why` takes it. */
export function stateText({ memory, protection, key, sealed }: State): string {
  return `${memory} ${protection} key=${key} ${sealed ? "sealed" : "unsealed"}`;
}
