/** How two answers for a field are compared, where a CPU's own answer is not the only right one. */
export type Closeness =
  | "exact"
  /** Four 32-bit floats, each within 2^-11 of the other: RCPPS, RSQRTPS. */
  | "reciprocal"
  /** An 80-bit float, within a few units in the last place: the transcendental x87 instructions. */
  | "transcendental";

/** Some bytes that every case of a shape prints. */
export interface Field {
  /** `rax`, `flags`, `[rdi]` … */
  readonly name: string;
  readonly bytes: number;
  readonly closeness: Closeness;
}

/** One instruction with its operands, run over some values: each case prints the fields one after the other. */
export interface Printed {
  /** The instruction form, where the shape was generated from one. */
  readonly form?: string;
  readonly title: string;
  readonly fields: readonly Field[];
  readonly cases: number;
  /** The values that went into a case, for a message. */
  describe(index: number): string;
}

/** A program, and what it prints on descriptor 1. */
export interface FormsProgram {
  readonly elf: Uint8Array;
  readonly printed: readonly Printed[];
}

/** Programs whose outputs are recorded together, and the forms that they are about. */
export interface FormsGroup {
  readonly name: string;
  build(): FormsProgram;
}

export interface Counts {
  /** Different instruction forms; 0 where cases were written by hand. */
  readonly forms: number;
  readonly shapes: number;
  readonly cases: number;
  /** Bytes on descriptor 1. */
  readonly bytes: number;
}

export function caseBytes(printed: Printed): number {
  return printed.fields.reduce((sum, field) => sum + field.bytes, 0);
}

export function count(printed: readonly Printed[]): Counts {
  let cases = 0;
  let bytes = 0;
  for (const one of printed) {
    cases += one.cases;
    bytes += one.cases * caseBytes(one);
  }
  const forms = new Set(printed.flatMap(({ form }) => form ?? []));
  return { forms: forms.size, shapes: printed.length, cases, bytes };
}
