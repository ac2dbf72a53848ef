/** The one table of system calls: number, name, arguments, result and handler. */

import { IA32_CALLS, type BLOCKED, type NO_RESULT } from "../kernel/syscall-dispatch.js";
import type { Argument } from "./argument.js";
import type { SyscallCall } from "./call.js";

/**
 * What a handler gives: a result >= 0, or -errno (also the kernel-private -ERESTART*, see
 * kernel/restart.ts), as a number or, where it may pass 2^53, a bigint; BLOCKED after having
 * set `task.waiting`; NO_RESULT when it has itself put RAX right (sigreturn, execve, exit).
 */
export type HandlerResult = number | bigint | typeof BLOCKED | typeof NO_RESULT;

export type Handler = (call: SyscallCall) => HandlerResult;

/** How a successful result prints. */
export type ReturnKind = "number" | "address" | "fd" | "pid" | "octal" | "hex" | "none" | "seconds";

export interface Definition {
  readonly number: number;
  readonly name: string;
  readonly args: readonly Argument[];
  readonly returns?: ReturnKind;
  readonly handler: Handler;
}

/** Types a definition; every room file exports an array of these. */
export function define(definition: Definition): Definition {
  return definition;
}

/** A dense table by number; throws on a number or a name given twice. */
export class SyscallTable {
  private readonly byNumber: (Definition | undefined)[] = [];
  private readonly byName = new Map<string, Definition>();
  private ia32: ReadonlyMap<number, Definition> | null = null;

  /** @param ia32Of makes the calls of 32-bit programs, by numbers with IA32_CALLS added, when one is looked for */
  constructor(
    definitions: Iterable<Definition>,
    private readonly ia32Of: ((native: SyscallTable) => ReadonlyMap<number, Definition>) | null = null,
  ) {
    for (const definition of definitions) {
      if (this.byNumber[definition.number] !== undefined || this.byName.has(definition.name)) {
        throw new Error(`system call ${definition.name} (${definition.number}) is defined twice`);
      }
      this.byNumber[definition.number] = definition;
      this.byName.set(definition.name, definition);
    }
    // A hole would make the array slow to index.
    for (let i = 0; i < this.byNumber.length; i++) this.byNumber[i] ??= undefined;
  }

  get(number: number): Definition | undefined {
    return number < IA32_CALLS ? this.byNumber[number] : this.of32Bit(number);
  }

  private of32Bit(number: number): Definition | undefined {
    this.ia32 ??= this.ia32Of?.(this) ?? new Map<number, Definition>();
    return this.ia32.get(number);
  }

  named(name: string): Definition | undefined {
    return this.byName.get(name);
  }

  [Symbol.iterator](): Iterator<Definition> {
    return this.byName.values();
  }
}
