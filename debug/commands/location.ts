/** Places in the program as users name them: FUNCTION, FUNCTION+8, FILE:LINE, LINE, *EXPRESSION, 0x401000. */

import type { PlacedSymbol } from "../dwarf/modules.js";
import { nearNames } from "../dwarf/near-names.js";
import { hex, type View } from "../views/view.js";
import { placeName } from "../views/sources.js";
import { CommandError } from "./command-error.js";
import { evaluate, type Scope } from "./expression.js";
import { parseExpression } from "./parse-expression.js";
import { unknown } from "./scope.js";

export interface Location {
  readonly addresses: readonly number[];
  /** As lists show it: `main`, `prog.c:12`. */
  readonly label: string;
}

/**
 * Where a breakpoint goes. Of a function it is behind what sets up its frame, as gdb has it; `*main` is its first
 * instruction.
 * @throws CommandError
 */
export function findLocation(view: View, text: string, scope: Scope): Location {
  const { mm } = view.task;
  const { modules } = view;
  if (text === "") throw new CommandError("expected where: FUNCTION, FILE:LINE, LINE or *ADDRESS");
  if (text.startsWith("*")) {
    const address = addressFrom(text.slice(1), scope);
    return { addresses: [address], label: `*${view.nameAt(address) ?? hex(address)}` };
  }
  const line = /^(?:(.+):)?(\d+)$/.exec(text);
  if (line !== null) return findLine(view, line[1], Number(line[2]));
  if (/^[+-]\d+$/.test(text)) {
    const here = modules.lineAt(view.place, mm);
    if (here === undefined) throw noLines();
    return findLine(view, undefined, here.line + Number(text));
  }
  const inFile = /^(.+\.\w+):([A-Za-z_]\w*)$/.exec(text);
  const name = inFile?.[2] ?? text;
  if (/^[A-Za-z_.][\w.$@]*$/.test(name)) {
    const found = modules.find(name, mm).filter(({ kind }) => kind !== "object");
    const [symbol] = found;
    if (symbol !== undefined)
      return { addresses: found.slice(0, 1).map((one) => bodyOf(view, one)), label: name };
    const stub = modules.find(`${name}@plt`, mm)[0];
    if (stub !== undefined) return { addresses: [stub.address], label: stub.name };
    const [object] = modules.find(name, mm);
    if (object !== undefined) throw new CommandError(`${name} is data: watch ${name}, or break *&${name}`);
    throw unknown(view, name);
  }
  return { addresses: [addressFrom(text, scope)], label: text };
}

function bodyOf(view: View, symbol: PlacedSymbol): number {
  return view.modules.bodyOf(symbol);
}

function findLine(view: View, file: string | undefined, line: number): Location {
  const { modules } = view;
  const { mm } = view.task;
  const path = file ?? modules.lineAt(view.place, mm)?.file ?? mainFile(view);
  if (path === undefined) throw noLines();
  if (modules.sourceFiles(path, mm).length === 0) {
    const names = modules.allSourceFiles(mm).map((name) => name.slice(name.lastIndexOf("/") + 1));
    const near = nearNames(path.slice(path.lastIndexOf("/") + 1), new Set(names));
    const hint = near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`;
    if (names.length === 0) throw noLines();
    throw new CommandError(`no source file ${path}${hint}`);
  }
  const found = modules.findLine(path, line, mm);
  if (found === null)
    throw new CommandError(`${placeName({ file: path, line })}: no code from this line or below it`);
  return {
    // A function's first line stands for its body, as its name does.
    addresses: found.map(({ start }) => {
      const symbol = modules.symbolAt(start, mm);
      return symbol?.address === start ? modules.bodyOf(symbol) : start;
    }),
    label: placeName({ file: path, line: found[0]!.line }),
  };
}

/** The source of `main`, which a line without a file is of while none is current. */
export function mainFile(view: View): string | undefined {
  const [main] = view.modules.find("main", view.task.mm);
  return main && view.modules.lineAt(main.address, view.task.mm)?.file;
}

export function noLines(): CommandError {
  return new CommandError("this code has no source lines (compile it with -g)");
}

/** An expression that is an address of user space. A data symbol stands for where it is. */
export function addressFrom(text: string, scope: Scope): number {
  const places: Scope = {
    register: (name) => scope.register(name),
    // Unlike in a value, where a variable stands for what is in it.
    name: (name) => located(name, scope),
    addressOf: (name) => scope.addressOf(name),
    variable: (name) => scope.variable(name),
    type: (name) => scope.type(name),
    memory: (address, cell) => scope.memory(address, cell),
  };
  const value = BigInt.asUintN(64, evaluate(parseExpression(text), places));
  if (value >= 1n << 47n)
    throw new CommandError(`${hex(value)}: not an address of user space (below 0x800000000000)`);
  return Number(value);
}

function located(name: string, scope: Scope): bigint {
  try {
    return scope.addressOf(name);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // What happened here has addresses of its own: `addr`, `address`, `result`.
    return scope.name(name);
  }
}
