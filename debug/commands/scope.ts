import { errnoName } from "../../kernel/errno.js";
import { syscallTable } from "../../syscalls/index.js";
import type { Happening } from "../stops/happening.js";
import type { RegisterName } from "../registers.js";
import { globalVariable, localVariables, valueOf, type PlacedVariable } from "../views/locals.js";
import { hex, type View } from "../views/view.js";
import type { Type } from "../dwarf/types.js";
import { CommandError } from "./command-error.js";
import { wrapped, type Scope } from "./expression.js";
import type { Cell } from "./parse-expression.js";

const GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp".split(" ");
const ARGUMENTS = ["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const;

/** Names of numbers that the ABI has: PROT_READ, MAP_ANONYMOUS, EPERM. */
let constants: ReadonlyMap<string, bigint> | null = null;

function constantsOf(): ReadonlyMap<string, bigint> {
  if (constants !== null) return constants;
  const found = new Map<string, bigint>();
  for (const { args } of syscallTable)
    for (const argument of args) {
      const tables =
        argument.kind === "flags" || argument.kind === "choice"
          ? [argument.table]
          : argument.kind === "choice-and-flags"
            ? [argument.choices, argument.table]
            : [];
      for (const { entries } of tables) for (const [value, name] of entries) found.set(name, BigInt(value));
    }
  for (let errno = 1; errno < 134; errno++) found.set(errnoName(errno), BigInt(errno));
  return (constants = found);
}

/**
 * What expressions see: the view's thread, the program's symbols, the ABI's constants, and of what happened at this
 * stop its parts: `result`, `errno`, a call's arguments by name or as arg0 to arg5, `address`, `signal`, `before` …
 */
export class ViewScope implements Scope {
  private locals: readonly PlacedVariable[] | null = null;

  constructor(
    private readonly view: View,
    private readonly happening: Happening | undefined,
  ) {}

  register(name: string): bigint | undefined {
    const { registers } = this.view;
    if (name === "pc") return registers.rip;
    if (name === "sp") return registers.rsp;
    if (name === "fp") return registers.rbp;
    if (name === "eflags") return registers.rflags;
    if (name in registers) return registers[name as RegisterName];
    return partOf(name, (whole) => registers[whole as RegisterName]);
  }

  name(name: string): bigint {
    const told = this.told(name);
    if (told !== undefined) return told;
    const local = this.local(name);
    if (local !== undefined) return valueOf(this.view, local) ?? this.addressOf(name);
    const [symbol] = this.view.modules.find(name, this.view.task.mm);
    if (symbol !== undefined) {
      const whole = symbol.kind === "object" && [1, 2, 4, 8].includes(symbol.size);
      if (!whole) return BigInt(symbol.address);
      return this.memory(BigInt(symbol.address), { size: symbol.size, signed: symbol.size === 4 });
    }
    const constant = constantsOf().get(name);
    if (constant !== undefined) return constant;
    // gdb's users write registers without the dollar in their hurry.
    throw unknown(this.view, name, GENERAL.includes(name) ? `$${name}` : undefined);
  }

  addressOf(name: string): bigint {
    const local = this.local(name);
    if (local?.address === null)
      throw new CommandError(`${name}: where it is kept is not told (optimised code)`);
    if (local !== undefined) return BigInt(local.address);
    const [symbol] = this.view.modules.find(name, this.view.task.mm);
    if (symbol === undefined) throw unknown(this.view, name);
    return BigInt(symbol.address);
  }

  variable(name: string): { address: bigint; type: Type } | undefined {
    if (this.told(name) !== undefined) return undefined;
    const variable = this.local(name) ?? globalVariable(this.view, name);
    if (variable === undefined || variable.type === null || variable.address === null) return undefined;
    return { address: BigInt(variable.address), type: variable.type };
  }

  type(name: string): Type | undefined {
    for (const { variables } of this.view.modules.of(this.view.task.mm)) {
      const found = variables.types.find(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  memory(address: bigint, cell: Cell): bigint {
    const value = this.view.number(Number(BigInt.asUintN(64, address)), cell.size);
    if (value === null)
      throw new CommandError(`${hex(BigInt.asUintN(64, address))}: no memory can be read there`);
    return wrapped(value, cell);
  }

  /** The innermost variable of that name where the thread stands. */
  local(name: string): PlacedVariable | undefined {
    return (this.locals ??= localVariables(this.view)).findLast((one) => one.name === name);
  }

  /** A part of what happened, by name. */
  private told(name: string): bigint | undefined {
    const { happening } = this;
    if (happening === undefined) return undefined;
    const call = happening.kind === "syscall-entry" || happening.kind === "syscall-exit";
    if (call) {
      const index = /^arg[0-5]$/.test(name) ? Number(name[3]) : argumentIndex(happening.number, name);
      if (index >= 0) return this.view.registers[ARGUMENTS[index]!];
      if (name === "call") return BigInt(happening.number);
    }
    switch (happening.kind) {
      case "syscall-exit":
        if (name === "result") return happening.result;
        if (name === "errno")
          return happening.result < 0n && happening.result > -4096n ? -happening.result : 0n;
        return undefined;
      case "signal":
        return name === "signal"
          ? BigInt(happening.signal)
          : name === "code"
            ? BigInt(happening.info.code)
            : undefined;
      case "fault":
        if (name === "address") return BigInt(happening.address);
        if (name === "error") return BigInt(happening.errorCode);
        return name === "vector"
          ? BigInt(happening.vector)
          : name === "signal"
            ? BigInt(happening.signal ?? 0)
            : undefined;
      case "refusal": {
        const { errno, address, key } = happening.refusal;
        if (name === "errno") return BigInt(errno);
        if (name === "address" && address !== undefined) return BigInt(address);
        return name === "key" && key !== undefined ? BigInt(key) : undefined;
      }
      case "watch":
        if (name === "address") return BigInt(happening.address);
        if (name === "after") return littleEndian(happening.after);
        return name === "before" && happening.before !== null ? littleEndian(happening.before) : undefined;
      case "pkru":
        if (name === "before") return BigInt(happening.before);
        return name === "after" ? BigInt(happening.after) : undefined;
      case "area":
        if (name === "start") return BigInt(happening.change.start);
        return name === "end" ? BigInt(happening.change.end) : undefined;
      case "entry":
        if (name === "address") return BigInt(happening.address);
        if (name === "before") return BigInt(happening.before);
        return name === "after" ? BigInt(happening.after) : undefined;
      default:
        return undefined;
    }
  }
}

/** The man pages call a length one or the other. */
const SAME: Readonly<Record<string, string>> = { len: "length", length: "len" };

/** Which argument of a system call has that name; -1: none. */
export function argumentIndex(number: number, name: string): number {
  const names = argumentNames(number);
  const index = names.indexOf(name);
  return index >= 0 ? index : names.indexOf(SAME[name] ?? name);
}

export function argumentNames(number: number): readonly string[] {
  return syscallTable.get(number)?.args.map((argument) => argument.name) ?? [];
}

export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = Math.min(8, bytes.length) - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
}

/** The low part of a general register: `eax`, `ax`, `al`, `r8d`. */
function partOf(name: string, whole: (name: string) => bigint): bigint | undefined {
  const numbered = /^(r(?:8|9|1[0-5]))([dwb])$/.exec(name);
  if (numbered !== null) return BigInt.asUintN({ d: 32, w: 16, b: 8 }[numbered[2]!]!, whole(numbered[1]!));
  const named = GENERAL.find((register) => register.slice(1) === name.replace(/^e/, ""));
  if (named !== undefined && (name.startsWith("e") || name.length === 2))
    return BigInt.asUintN(name.length === 3 ? 32 : 16, whole(named));
  const low = GENERAL.find((register) => `${register.slice(1, register.endsWith("x") ? 2 : 3)}l` === name);
  return low === undefined ? undefined : BigInt.asUintN(8, whole(low));
}

/** What is said of a name that is none. */
export function unknown(view: View, name: string, better?: string): CommandError {
  const near = better === undefined ? view.modules.near(name, view.task.mm) : [better];
  const hint = near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`;
  return new CommandError(`no symbol ${name}${hint}`);
}
