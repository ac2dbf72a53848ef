import type { Program } from "../../../../userland/index.js";
import { FAULT } from "../../../../userland/runtime/faults.js";
import { finishForms, flushWhenFull, SCRATCH_MIDDLE, startForms } from "../generated.js";
import type { Field, FormsProgram, Printed } from "../layout.js";

/** Some scratch memory: bytes [offset, offset + length) from SCRATCH_MIDDLE. */
export interface Memory {
  readonly offset: number;
  readonly length: number;
}

/** What a case prints: 64-bit registers by name, the status flags under a mask, and memory. */
export interface Outputs {
  readonly registers?: readonly string[];
  readonly flags?: number;
  readonly memory?: readonly Memory[];
  /** What ended an attempt: signal, si_code, error code, and how far RIP was from where the attempt began. */
  readonly fault?: boolean;
}

/** The address of a byte of scratch memory; it fits in 31 bits. */
export function scratch(offset: number): number {
  return SCRATCH_MIDDLE + offset;
}

/**
 * Collects cases that are written out one by one. A body keeps R14 and gives RSP back; every other register is its
 * own, and what is in them before it is not defined.
 */
export class HandCases {
  readonly program: Program;
  readonly #printed: Printed[] = [];

  constructor() {
    this.program = startForms();
  }

  add(title: string, body: string | (() => void), outputs: Outputs): this {
    if (typeof body === "string") this.program.code(body);
    else body();
    this.print(title, outputs);
    return this;
  }

  /** As {@link add}, with a body that may fault. */
  attempt(title: string, body: string, outputs: Outputs): this {
    const { program } = this;
    const begin = program.unique("begin");
    program.attempt(() => program.label(begin).code(body));
    // Without a fault the record holds the last one's RIP.
    const fine = program.unique("fine");
    program.code(`
      pushfq
      lea rsi, [${begin}]
      xor ebp, ebp
      cmp dword ptr [${FAULT.record}], 0
      je ${fine}
      mov rbp, [${FAULT.record}+24]
      sub rbp, rsi
      ${fine}:
      popfq
    `);
    this.print(title, { ...outputs, fault: true });
    return this;
  }

  private print(title: string, outputs: Outputs): void {
    const { program } = this;
    const fields: Field[] = [];
    let at = 0;
    const field = (name: string, bytes: number): number => {
      fields.push({ name, bytes, closeness: "exact" });
      at += bytes;
      return at - bytes;
    };
    for (const register of outputs.registers ?? [])
      program.code(`mov [r14+${field(register, 8)}], ${register}`);
    if (outputs.fault) program.code(`mov [r14+${field("rip", 2)}], bp`);
    if (outputs.flags !== undefined) {
      program.code(`pushfq\n pop rax\n and eax, ${outputs.flags}\n mov [r14+${field("flags", 2)}], ax`);
    }
    if (outputs.fault) {
      for (const [name, offset] of [
        ["signal", 0],
        ["si_code", 4],
        ["error code", 32],
      ] as const) {
        const [test, skip] = [program.unique("test"), program.unique("skip")];
        program.code(`
          ${test}:
          xor eax, eax
          cmp dword ptr [${FAULT.record}], 0
          je ${skip}
          mov eax, [${FAULT.record}+${offset}]
          ${skip}:
          mov [r14+${field(name, 2)}], ax
        `);
      }
    }
    for (const { offset, length } of outputs.memory ?? []) {
      const to = field(`[${offset}..${offset + length}]`, length);
      program.code(
        `mov esi, ${scratch(offset)}\n lea rdi, [r14+${to}]\n mov ecx, ${length}\n cld\n rep movsb`,
      );
    }
    program.code(`lea r14, [r14+${at}]`);
    if (this.#printed.length % 8 === 0) flushWhenFull(program);
    this.#printed.push({ title, fields, cases: 1, describe: () => "its one case" });
  }

  finish(): FormsProgram {
    return { elf: finishForms(this.program), printed: this.#printed };
  }
}
