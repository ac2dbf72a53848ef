import * as numbers from "../../kernel/errno.js";
import type { AreaSnapshot, Refusal } from "../../kernel/refusal.js";
import { refusalLines } from "../explain/refusal-text.js";
import { PLAIN } from "../explain/style.js";
import { Machine } from "../machine.js";
import { areaDifferences, areaLines, expectedText, type AreaExpected } from "./area-expected.js";

/** What a refusal shall be; what is left out may be anything. */
export interface RefusalExpected {
  /** The rule, as `munmap.sealed`. */
  readonly by?: string | RegExp;
  /** Its name, as `EPERM`, or its number. */
  readonly errno?: string | number;
}

/** An answer as vitest's `expect.extend` wants it. */
export interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

/** What may be asked whether it was refused: what `untilSyscall` and `untilFault` give, or the refusal itself. */
interface Refusable {
  readonly name?: string;
  readonly result?: bigint | null;
  readonly refusal?: Refusal;
}

const isRefusal = (value: object): value is Refusal => "rule" in value && "source" in value;

/** A call or a fault was refused, by that rule and with that errno. */
export function toBeRefused(received: unknown, expected: RefusalExpected = {}): Verdict {
  if (typeof received !== "object" || received === null)
    return verdict(false, `expected a call or a fault that was refused, there was none: ${String(received)}`);
  const subject = received as Refusable;
  const refusal = isRefusal(received) ? received : subject.refusal;
  const what = subject.name ?? refusal?.syscall ?? "the access";
  const wanted = [
    expected.by === undefined ? "" : ` by ${expected.by}`,
    expected.errno === undefined ? "" : ` with ${errnoText(expected.errno)}`,
  ].join("");
  if (refusal === undefined) {
    const result = subject.result === undefined ? "" : `; it returned ${resultText(subject.result)}`;
    return verdict(false, `expected ${what} to be refused${wanted}${result}`);
  }
  const { by, errno } = expected;
  const byRule = by === undefined || (typeof by === "string" ? by === refusal.rule : by.test(refusal.rule));
  const pass = byRule && (errno === undefined || numberOf(errno) === refusal.errno);
  const reasons = refusalLines(refusal, { style: PLAIN, columns: 100 }).map((line) => `  ${line}`);
  const not = pass ? "not " : "";
  return verdict(
    pass,
    [
      `expected ${what} ${not}to be refused${wanted}; it was by ${refusal.rule} with ${errnoText(refusal.errno)}:`,
      ...reasons,
    ].join("\n"),
  );
}

/** The program has such an area. */
export function toHaveArea(received: unknown, expected: AreaExpected): Verdict {
  const areas = machineOf(received, "toHaveArea").areas();
  const pass = areas.some((area) => areaDifferences(area, expected).length === 0);
  const not = pass ? "not " : "";
  const nearest = pass ? undefined : nearestOf(areas, expected);
  const why =
    nearest === undefined ? "" : `; the nearest has ${areaDifferences(nearest, expected).join("; ")}`;
  return verdict(
    pass,
    `expected ${not}an area with ${expectedText(expected)}${why}. There are\n${areaLines(areas)}`,
  );
}

/**
 * An area is sealed; of a machine, all that is mapped from `start` to `end`, which must be mapped without a hole.
 * @param start in bytes; with a machine only
 * @param end one page unless told
 */
export function toBeSealed(received: unknown, start?: number, end?: number): Verdict {
  if (!(received instanceof Machine)) {
    const area = received as AreaSnapshot | null | undefined;
    if (area === null || area === undefined) return verdict(false, "expected a sealed area, there is none");
    const not = area.sealed ? "not " : "";
    return verdict(area.sealed, `expected the area ${not}to be sealed:\n${areaLines([area])}`);
  }
  if (start === undefined) throw new TypeError("toBeSealed: of a machine, which address?");
  const areas = received.areas();
  let pass = true;
  for (let at = start; at < (end ?? start + 1) && pass;) {
    const area = areas.find((each) => each.start <= at && at < each.end);
    pass = area?.sealed === true;
    at = area?.end ?? Infinity;
  }
  const range = `0x${start.toString(16)}${end === undefined ? "" : `-0x${end.toString(16)}`}`;
  return verdict(pass, `expected ${range} ${pass ? "not " : ""}to be sealed. There are\n${areaLines(areas)}`);
}

export const matchers = { toBeRefused, toHaveArea, toBeSealed };

function verdict(pass: boolean, message: string): Verdict {
  return { pass, message: () => message };
}

function machineOf(received: unknown, matcher: string): Machine {
  if (received instanceof Machine) return received;
  throw new TypeError(`${matcher}: not a Machine`);
}

function nearestOf(areas: readonly AreaSnapshot[], expected: AreaExpected): AreaSnapshot | undefined {
  const at = expected.at ?? expected.start;
  return at === undefined ? undefined : areas.find((area) => area.start <= at && at < area.end);
}

function numberOf(errno: string | number): number {
  if (typeof errno === "number") return errno;
  const number = (numbers as Readonly<Record<string, unknown>>)[errno];
  if (typeof number !== "number") throw new TypeError(`toBeRefused: no errno ${errno}`);
  return number;
}

function errnoText(errno: string | number): string {
  if (typeof errno === "string") return errno;
  const names = Object.entries(numbers).filter(
    ([name, number]) => /^E[A-Z0-9]+$/.test(name) && number === errno,
  );
  return names[0]?.[0] ?? `errno ${errno}`;
}

function resultText(result: bigint | null): string {
  if (result === null) return "nothing";
  return result < 0n && result > -4096n ? errnoText(Number(-result)) : `${result}`;
}
