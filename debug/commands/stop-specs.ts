/** What `catch`, `to` and `back` can name: `syscall mseal entry`, `signal SIGSEGV`, `fault pkey`, `refusal munmap.sealed` … */

import { signalName } from "../../kernel/signals/numbers.js";
import { syscallTable } from "../../syscalls/index.js";
import type { AreaChange } from "../../kernel/mm/environment.js";
import { nearNames } from "../dwarf/near-names.js";
import type { Happening } from "../stops/happening.js";
import type { StopSpec } from "../stops/stop-spec.js";
import { CommandError } from "./command-error.js";
import type { Context } from "./context.js";
import { placeOf } from "./expression.js";
import { parseExpression } from "./parse-expression.js";

/** What was named, and what beside the kind it must be. */
export interface Named {
  readonly what: StopSpec;
  readonly label: string;
  /** Of a fault: which bits of its error code. */
  readonly also?: (happening: Happening) => boolean;
}

const KINDS = [
  "syscall",
  "signal",
  "fault",
  "refusal",
  "pkru",
  "area",
  "entry",
  "fork",
  "vfork",
  "clone",
  "exec",
  "exit",
] as const;
const ALIASES: Readonly<Record<string, (typeof KINDS)[number]>> = {
  sys: "syscall",
  sc: "syscall",
  call: "syscall",
  sig: "signal",
  refused: "refusal",
  rule: "refusal",
  wrpkru: "pkru",
  map: "area",
  pte: "entry",
};

export const SPEC_HELP: readonly string[] = [
  "syscall [NAME|NUMBER…] [entry|exit]   system calls; both entry and exit unless told",
  "signal [NAME…]                        a signal, before it is delivered",
  "fault [KIND] [mended]                 an exception: pf ud gp de …, or of page faults",
  "                                      read write execute pkey missing; mended: also",
  "                                      those that the kernel serves (a page comes in)",
  "refusal [RULE]                        the kernel says no, as munmap.sealed or munmap",
  "pkru                                  PKRU is written, by WRPKRU or by the kernel",
  "area [ADDR[,LENGTH]] [CHANGE…]        map unmap protect seal name move grow",
  "entry [ADDR[,LENGTH]]                 a page-table entry changes",
  "fork vfork clone exec exit            of processes and threads",
];

/** @throws CommandError naming what was expected */
export function parseSpec(context: Context, words: readonly string[]): Named {
  const [first = "", ...rest] = words;
  const kind = kindOf(first);
  switch (kind) {
    case "syscall":
      return syscall(rest);
    case "signal": {
      const signals = rest.map(signalNumber);
      const what: StopSpec = { kind, ...(signals.length === 0 ? {} : { signals }) };
      return { what, label: ["signal", ...signals.map(signalName)].join(" ") };
    }
    case "fault":
      return fault(rest);
    case "refusal": {
      if (rest.length > 1) throw new CommandError(`refusal: expected one rule, as munmap.sealed`);
      const rule = rest[0];
      return { what: { kind, ...(rule === undefined ? {} : { rule }) }, label: words.join(" ") };
    }
    case "pkru":
      if (rest.length > 0) throw new CommandError("pkru: expected nothing behind it");
      return { what: { kind }, label: "pkru" };
    case "area":
      return area(context, rest);
    case "entry":
      return { what: { kind, ...rangeOf(context, rest.join(" ")) }, label: words.join(" ") };
    default:
      if (rest.length > 0) throw new CommandError(`${kind}: expected nothing behind it`);
      return { what: { kind: "process", events: [kind] }, label: kind };
  }
}

function kindOf(text: string): (typeof KINDS)[number] {
  const lower = text.toLowerCase();
  const found = ALIASES[lower] ?? KINDS.find((kind) => kind === lower) ?? only(lower);
  if (found === undefined)
    throw new CommandError(`${text === "" ? "" : `${text}: `}expected one of ${KINDS.join(" ")}`);
  return found;
}

function only(text: string): (typeof KINDS)[number] | undefined {
  const matching = text.length < 2 ? [] : KINDS.filter((kind) => kind.startsWith(text));
  return matching.length === 1 ? matching[0] : undefined;
}

export function syscallNumber(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  const known = syscallTable.named(text);
  if (known !== undefined) return known.number;
  const near = nearNames(
    text,
    [...iterate()].map(({ name }) => name),
  );
  throw new CommandError(
    `no system call ${text}${near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`}`,
  );
}

function* iterate(): Generator<{ name: string }> {
  for (const definition of syscallTable) yield definition;
}

function syscall(words: readonly string[]): Named {
  let at: "entry" | "exit" | "both" = "both";
  const numbers: number[] = [];
  for (const word of words.flatMap((text) => text.split(",")).filter((text) => text !== "")) {
    if (word === "entry" || word === "exit" || word === "both") at = word;
    else numbers.push(syscallNumber(word));
  }
  const names = numbers.map((number) => syscallTable.get(number)?.name ?? String(number));
  const label = ["syscall", ...names, ...(at === "both" ? [] : [at])].join(" ");
  return { what: { kind: "syscall", at, ...(numbers.length === 0 ? {} : { numbers }) }, label };
}

/** A signal by name, with SIG or without, or by number. @throws CommandError */
export function signalNumber(text: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 64) return Number(text);
  const wanted = text.toUpperCase().replace(/^(SIG)?/, "SIG");
  const names = Array.from({ length: 64 }, (_, i) => signalName(i + 1));
  const index = names.indexOf(wanted);
  if (index >= 0) return index + 1;
  const near = nearNames(wanted, names);
  throw new CommandError(`no signal ${text}${near.length === 0 ? "" : `; did you mean ${near.join(", ")}?`}`);
}

const VECTORS: Readonly<Record<string, number>> = {
  de: 0,
  db: 1,
  bp: 3,
  ud: 6,
  gp: 13,
  ss: 12,
  pf: 14,
  mf: 16,
  ac: 17,
  xm: 19,
};
const PAGE_FAULT = 14;
/** Page faults by what their error code says. */
const PAGE_FAULTS: Readonly<Record<string, (code: number) => boolean>> = {
  read: (code) => (code & 0x12) === 0,
  write: (code) => (code & 2) !== 0,
  execute: (code) => (code & 0x10) !== 0,
  fetch: (code) => (code & 0x10) !== 0,
  pkey: (code) => (code & 0x20) !== 0,
  missing: (code) => (code & 1) === 0,
};

function fault(words: readonly string[]): Named {
  const vectors: number[] = [];
  const tests: ((code: number) => boolean)[] = [];
  let mended = false;
  for (const word of words) {
    const name = word.toLowerCase().replace(/^#/, "");
    const vector = VECTORS[name];
    const test = PAGE_FAULTS[name];
    if (name === "mended") mended = true;
    else if (vector !== undefined) vectors.push(vector);
    else if (test !== undefined) {
      if (!vectors.includes(PAGE_FAULT)) vectors.push(PAGE_FAULT);
      tests.push(test);
    } else {
      const known = [...Object.keys(VECTORS), ...Object.keys(PAGE_FAULTS), "mended"];
      throw new CommandError(`fault ${word}: expected one of ${known.join(" ")}`);
    }
  }
  const what: StopSpec = {
    kind: "fault",
    ...(vectors.length === 0 ? {} : { vectors }),
    ...(mended ? { mended } : {}),
  };
  const label = ["fault", ...words].join(" ");
  if (tests.length === 0) return { what, label };
  return {
    what,
    label,
    also: (happening) =>
      happening.kind === "fault" &&
      (happening.vector !== PAGE_FAULT || tests.every((test) => test(happening.errorCode))),
  };
}

const CHANGES: readonly AreaChange["kind"][] = ["map", "unmap", "protect", "seal", "name", "move", "grow"];

function area(context: Context, words: readonly string[]): Named {
  const changes = CHANGES.filter((change) => words.includes(change));
  const rest = words.filter((word) => !CHANGES.some((change) => change === word));
  const what: StopSpec = {
    kind: "area",
    ...rangeOf(context, rest.join(" ")),
    ...(changes.length === 0 ? {} : { changes }),
  };
  return { what, label: ["area", ...words].join(" ") };
}

/** `ADDR` or `ADDR,LENGTH`; nothing: anywhere. */
function rangeOf(context: Context, text: string): { start?: number; end?: number } {
  if (text === "") return {};
  const { start, end } = parseRange(context, text, 1, false);
  return { start, end };
}

/** What is stored where, as `*(int *) ADDR`, `page[3]`: as in gdb it stands for its own bytes. */
function lvalueOf(context: Context, text: string): { start: number; end: number } | null {
  if (text.trim() === "") return null;
  const place = placeOf(parseExpression(text), context.scope());
  if (place === null || place.cell.size === 0) return null;
  const start = Number(BigInt.asUintN(64, place.address));
  if (start + place.cell.size > 2 ** 47) throw new CommandError(`${text}: not in user space`);
  return { start, end: start + place.cell.size };
}

/**
 * `ADDR` or `ADDR,LENGTH`; of a variable alone its own bytes.
 * @param ownBytes of `*(int *) ADDR` too; otherwise it is the address that is read there
 * @throws CommandError
 */
export function parseRange(
  context: Context,
  text: string,
  length: number,
  ownBytes = true,
): { start: number; end: number } {
  const comma = text.lastIndexOf(",");
  const whole = ownBytes && comma < 0 ? lvalueOf(context, text) : null;
  if (whole !== null) return whole;
  const place = (comma < 0 ? text : text.slice(0, comma)).trim();
  const start = context.address(place);
  let size = length;
  if (comma >= 0) size = context.count(text.slice(comma + 1).trim(), 1);
  else if (/^[A-Za-z_]\w*$/.test(place)) {
    const view = context.view();
    const local = context.scope(view).local(place);
    const [symbol] = view.modules.find(place, view.task.mm);
    const own = local?.type?.size ?? 0;
    if (own > 0) size = own;
    else if (symbol?.kind === "object" && symbol.size > 0) size = symbol.size;
  }
  if (start + size > 2 ** 47) throw new CommandError(`${text}: the range leaves user space`);
  return { start, end: start + size };
}
