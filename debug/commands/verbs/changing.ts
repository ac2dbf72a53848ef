import type { Happening } from "../../stops/happening.js";
import { REGISTER_NAMES } from "../../registers.js";
import { hex } from "../../views/view.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { placeOf, wrapped } from "../expression.js";
import { parseExpression, type Cell } from "../parse-expression.js";
import { argumentIndex, argumentNames } from "../scope.js";
import { signalNumber, syscallNumber } from "../stop-specs.js";
import { callText } from "../stop-text.js";
import { lines, type Outcome, type Verb } from "../verb.js";
import { moving } from "./moving.js";

const WRITABLE: ReadonlySet<string> = new Set([
  ...REGISTER_NAMES,
  "rip",
  "rflags",
  "pkru",
  "fs_base",
  "gs_base",
  "mxcsr",
]);
const SAME: Readonly<Record<string, string>> = { pc: "rip", sp: "rsp", fp: "rbp", eflags: "rflags" };

/** Carries out what the session may refuse with a RangeError. */
function attempt(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(error.message);
    throw error;
  }
}

function setRegister(context: Context, name: string, value: bigint): Outcome {
  if (context.frame > 0)
    throw new CommandError(`$${name}: registers are set in the innermost frame (frame 0)`);
  const whole = SAME[name] ?? name;
  if (!WRITABLE.has(whole))
    throw new CommandError(`$${name}: expected one of ${[...WRITABLE].map((one) => `$${one}`).join(" ")}`);
  attempt(() => context.session.writeRegister(whole, BigInt.asUintN(64, value)));
  return lines();
}

function setMemory(context: Context, address: bigint, { size }: Cell, value: bigint): Outcome {
  const bytes = new Uint8Array(size);
  let rest = wrapped(value, { size, signed: false });
  for (let i = 0; i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
  const at = Number(BigInt.asUintN(64, address));
  const written = at < 2 ** 47 ? context.session.writeMemory(at, bytes) : 0;
  if (written < size)
    throw new CommandError(`${hex(BigInt.asUintN(64, address))}: no memory can be written there`);
  return lines();
}

function entryOf({ last }: Context, verb: string): Extract<Happening, { kind: "syscall-entry" }> {
  const found = last.happenings.find((happening) => happening.kind === "syscall-entry");
  if (found?.kind !== "syscall-entry")
    throw new CommandError(`${verb}: only at a system call's entry (to syscall entry)`);
  return found;
}

/** `arg1 = 4096`, `len = 4096`: an argument of the call at whose entry it stands. */
function setArgument(context: Context, name: string, value: bigint): Outcome {
  const { number } = entryOf(context, `set ${name}`);
  const index = /^arg[0-5]$/.test(name) ? Number(name[3]) : argumentIndex(number, name);
  if (index < 0) {
    const names = [...argumentNames(number), "arg0 to arg5"];
    throw new CommandError(`set ${name}: expected one of ${names.join(" ")}`);
  }
  attempt(() => context.session.setArgument(index, BigInt.asUintN(64, value)));
  return showCall(context);
}

function showCall(context: Context): Outcome {
  const view = context.view();
  const { number, name } = entryOf(context, "set");
  const { rdi, rsi, rdx, r10, r8, r9 } = view.registers;
  return lines(`call ${callText(view, number, name, [rdi, rsi, rdx, r10, r8, r9])}`);
}

function assign(context: Context, argument: string): Outcome {
  const text = argument.replace(/^var(?:iable)?\s+/, "");
  const match = /^(.*?[^=!<>])=(?!=)(.*)$/.exec(text);
  if (match === null || match[2]!.trim() === "")
    throw new CommandError(
      "set: expected $REGISTER = VALUE, *(int *) ADDR = VALUE, SYMBOL = VALUE, argN = VALUE, call = NAME",
    );
  const left = match[1]!.trim();
  const right = match[2]!.trim();
  if (left === "call") {
    entryOf(context, "set call");
    attempt(() => context.session.setCall(syscallNumber(right)));
    return lines(`call ${right} instead`);
  }
  if (left === "signal") {
    attempt(() => context.session.setSignal(right === "0" ? 0 : signalNumber(right)));
    return lines();
  }
  const value = resultValue(context, right);
  if (left.startsWith("$")) return setRegister(context, left.slice(1), value);
  if (/^[A-Za-z_]\w*$/.test(left)) {
    const view = context.view();
    const atEntry = context.last.happenings.some(({ kind }) => kind === "syscall-entry");
    const [symbol] = view.modules.find(left, view.task.mm);
    const entry = context.last.happenings.find((one) => one.kind === "syscall-entry");
    const isArgument = entry?.kind === "syscall-entry" && argumentIndex(entry.number, left) >= 0;
    if (
      /^arg[0-5]$/.test(left) ||
      isArgument ||
      (atEntry && symbol === undefined && context.scope(view).local(left) === undefined)
    )
      return setArgument(context, left, value);
    const scope = context.scope(view);
    const address = scope.addressOf(left);
    const whole = scope.local(left)?.type?.size ?? symbol?.size ?? 0;
    const size = [1, 2, 4, 8].includes(whole) ? whole : 0;
    if (size === 0) throw new CommandError(`${left}: of what size? set *(int *) &${left} = …`);
    return setMemory(context, address, { size, signed: false }, value);
  }
  const place = placeOf(parseExpression(left), context.scope());
  if (place === null)
    throw new CommandError(`${left}: cannot be set; expected $REGISTER, *(TYPE *) ADDR or a symbol`);
  const { type, bits } = place;
  if (
    bits !== null ||
    ["structure", "array", "float"].includes(type?.kind ?? "") ||
    !SIZES.has(place.cell.size)
  )
    throw new CommandError(
      `${left}: ${bits === null ? (type?.name ?? "it") : "a bit field"} cannot be set as a whole number`,
    );
  return setMemory(context, place.address, place.cell, value);
}

const SIZES: ReadonlySet<number> = new Set([1, 2, 4, 8]);

/** A result as one writes it: `-EPERM`, `EPERM` is not its own negative. */
function resultValue(context: Context, text: string): bigint {
  return context.value(text);
}

export const CHANGING: readonly Verb[] = [
  {
    name: "set",
    group: "changing",
    usage: "PLACE = VALUE",
    help: "Write a register, memory, or at a call's entry an argument.",
    more: [
      "PLACE is $rax, $pkru …, SYMBOL, *(int *) ADDR, {u8} ADDR; at a system call's entry",
      "arg0 to arg5 or an argument's name, and `call` (another call is made); at a signal",
      "`signal`. What was known of the future is forgotten; the past can still be gone to.",
    ],
    run: ({ context, argument }) => assign(context, argument),
  },
  {
    name: "skip",
    group: "changing",
    usage: "[RESULT]",
    help: "At a call's entry: it is not made, and returns RESULT (0 unless told).",
    run({ context, argument }) {
      const { name } = entryOf(context, "skip");
      const result = argument === "" ? 0n : resultValue(context, argument);
      attempt(() => context.session.skipCall(BigInt.asIntN(64, result)));
      return lines(`${name} is not made and returns ${result}`);
    },
  },
  {
    name: "force",
    group: "changing",
    usage: "RESULT",
    help: "At a call's entry or exit: it returns RESULT, as -EPERM.",
    run({ context, argument }) {
      const found = context.last.happenings.find(
        ({ kind }) => kind === "syscall-entry" || kind === "syscall-exit",
      );
      if (found?.kind !== "syscall-entry" && found?.kind !== "syscall-exit")
        throw new CommandError("force: only at a system call's entry or exit (to syscall)");
      if (argument === "") throw new CommandError("force: expected a result, as 0 or -EPERM");
      const result = resultValue(context, argument);
      attempt(() => context.session.forceResult(BigInt.asIntN(64, result)));
      return lines(`${found.name} returns ${result}`);
    },
  },
  {
    name: "signal",
    group: "changing",
    usage: "SIGNAL|0",
    help: "At a signal: go on with another one, or with none.",
    run({ context, argument }) {
      if (argument === "") throw new CommandError("signal: expected a signal's name, or 0 for none");
      attempt(() => context.session.setSignal(argument === "0" ? 0 : signalNumber(argument)));
      return moving(context, { kind: "continue" });
    },
  },
  {
    name: "send",
    aliases: ["queue-signal"],
    group: "changing",
    usage: "SIGNAL",
    help: "Send the program a signal from outside, as Ctrl-C does.",
    run({ context, argument }) {
      if (argument === "") throw new CommandError("send: expected a signal's name, as SIGINT");
      context.session.sendSignal(signalNumber(argument));
      return lines();
    },
  },
];
