/**
 * What the debugger's views show, as plain rows: the line mode prints each row's `text`, a screen may lay the parts
 * out itself. Addresses are in bytes of the thread's memory, ranges half-open.
 */

import type { AccessKind } from "../../mmu/access-kind.js";

export interface Row {
  /** The whole row as one aligned line, without colour or line end. */
  readonly text: string;
}

export interface InstructionRow extends Row {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** `mov eax, [rbp-0x4]`; `(bad)` where the bytes are none. */
  readonly instruction: string;
  /** `main+0x1f`. */
  readonly symbol: string | undefined;
  /** A symbol begins here: it is worth a line of its own. */
  readonly label: string | undefined;
  /** The next instruction of the thread. */
  readonly current: boolean;
  /** An enabled break is here. */
  readonly breakpoint: boolean;
  /** A source line begins here. */
  readonly source: { readonly file: string; readonly line: number } | undefined;
  /** Where it leads (`-> puts@plt`), whether a branch is taken, or what address it uses (`[0x7ffe…] = 0x2a`). */
  readonly note: string | undefined;
}

export interface SourceRow extends Row {
  /** From 1. */
  readonly line: number;
  readonly code: string;
  readonly current: boolean;
  readonly breakpoint: boolean;
}

export interface RegisterRow extends Row {
  readonly name: string;
  readonly value: bigint;
  /** Another value than in the rows given as `before`. */
  readonly changed: boolean;
  /** What the value may mean: a symbol, the names of flags, an area, a text. */
  readonly meaning: string;
}

export interface VectorRow extends Row {
  /** `st0`, `xmm3`, `mxcsr`, `fctrl`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One protection key. */
export interface KeyRow extends Row {
  readonly key: number;
  readonly rights: "none" | "read" | "read and write";
  /** AD and WD of PKRU. */
  readonly accessDisabled: boolean;
  readonly writeDisabled: boolean;
  /** Allocated by pkey_alloc(2); key 0 always is. */
  readonly allocated: boolean;
  /** Areas that have it, and their bytes. */
  readonly areas: number;
  readonly areaBytes: number;
}

export interface StackRow extends Row {
  readonly address: number;
  readonly value: bigint;
  /** Registers that point here. */
  readonly registers: readonly string[];
  readonly meaning: string;
}

/** 16 bytes of memory; fewer where readable memory begins or ends. */
export interface MemoryRow extends Row {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** How the thread's next instruction, or the fault it stands at, uses an area. */
export type AreaMark = "executed" | "read" | "written" | "faulting";

export interface AreaRow extends Row {
  readonly start: number;
  readonly end: number;
  /** `rw-p`. */
  readonly permissions: string;
  readonly key: number;
  /** `sealed`, or which seals; empty: none. */
  readonly seal: string;
  /** `at instruction 1,234, RIP 0x401020 <main+0x20>, thread 1000`; empty where nobody sealed it. */
  readonly sealedBy: string;
  readonly name: string;
  readonly marks: readonly AreaMark[];
}

/** One entry of a page-table walk, top down. */
export interface WalkRow extends Row {
  /** `PML4[0]`; `page` in the last one, the byte itself. */
  readonly table: string;
  readonly level: 1 | 2 | 3 | 4;
  readonly index: number;
  /** All 64 bits. */
  readonly hex: string;
  /** Every bit by its name in the SDM. */
  readonly bits: readonly { readonly name: string; readonly set: boolean }[];
  readonly frame: number;
  /** Of the leaf. */
  readonly key: number | undefined;
}

/** What an access would meet. */
export interface AccessRow extends Row {
  readonly access: AccessKind;
  readonly name: "read" | "write" | "execute";
  readonly allowed: boolean;
  /** Which bits of the tables, the area or the key decide. */
  readonly why: string;
}

export interface ThreadRow extends Row {
  readonly pid: number;
  readonly tid: number;
  readonly name: string;
  readonly rip: number;
  readonly symbol: string | undefined;
  /** "running" (the processor is at it), "ready", or what it waits for. */
  readonly state: string;
  readonly chosen: boolean;
}

export interface FileRow extends Row {
  readonly descriptor: number;
  readonly path: string;
  /** `O_RDWR|O_APPEND`. */
  readonly flags: string;
  readonly position: number;
  readonly closeOnExec: boolean;
}

export interface TraceRow extends Row {
  readonly instruction: number;
  readonly tid: number;
  readonly failed: boolean;
}

export interface FrameRow extends Row {
  readonly level: number;
  readonly address: number;
  /** Of the frame (CFA), in bytes. */
  readonly frame: number;
  readonly symbol: string | undefined;
  readonly source: { readonly file: string; readonly line: number } | undefined;
}
