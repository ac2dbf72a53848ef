/** How a case ended, as a test program says it. */
export type Verdict = "ok" | "fail" | "skip";

/** What one run of a test program said. */
export interface Outcome {
  /** How it ended: "exit 0", "signal SIGKILL" or "timeout". */
  readonly end: string;
  /** The cases it told of, in order: "VERDICT NAME", with what changes from run to run taken out of the names. */
  readonly cases: readonly string[];
}

/** Words that open a line about a case in the formats other than TAP. */
const WORDS: readonly (readonly [RegExp, Verdict])[] = [
  [/^\s*\[\s*(?:OK|RUN OK|PASS|PASSED)\s*\]/, "ok"],
  [/^\s*\[\s*(?:FAIL|FAILED)\s*\]/, "fail"],
  [/^\s*\[\s*(?:SKIP|SKIPPED)\s*\]/, "skip"],
  [/\bTPASS\b/, "ok"],
  [/\b(?:TFAIL|TBROK)\b/, "fail"],
  [/\bTCONF\b/, "skip"],
  [/^test\s+\d+ PASSED/, "ok"],
];

/** The lines about cases in a test program's output: TAP's, the bracketed ones, and those of the Linux Test Project. */
export function casesOf(output: string): string[] {
  return output.split("\n").flatMap((line) => caseOf(line) ?? []);
}

function caseOf(line: string): string | null {
  const tap = /^\s*(not )?ok\b\s*\d*\s*(.*)$/.exec(line);
  if (tap !== null) {
    const skipped = /#\s*(?:SKIP|XFAIL)\b/i.test(line);
    const name = tap[2]!.replace(/#\s*(?:SKIP|XFAIL)\b/i, "");
    return `${skipped ? "skip" : tap[1] ? "fail" : "ok"} ${steady(name)}`;
  }
  const found = WORDS.find(([pattern]) => pattern.test(line));
  if (found === undefined) return null;
  const name = steady(line.replace(found[0], "").replace(/^\s*\S+\.c:\d+:\s*/, ""));
  // The Linux Test Project has process numbers and times all over its lines.
  return `${found[1]} ${/\bT[A-Z]{4}\b/.test(line) ? name.replace(/\d+/g, "N") : name}`;
}

/** A case's name without addresses, process numbers and times. */
function steady(name: string): string {
  return name
    .replace(/\b0x[0-9a-f]+\b/gi, "N")
    .replace(/\b\d{2,}(?:\.\d+)?\b/g, "N")
    .replace(/[0-9a-f]{8,}/gi, "N")
    .replace(/\(\d+\)/g, "(N)")
    .replace(/\/tmp\/\S+/g, "/tmp/N")
    .replace(/\b\w*[A-Za-z0-9]{6}(?=\s|$)/g, (word) => (/\d/.test(word) && /[A-Z]/.test(word) ? "N" : word))
    .replace(/^[\s-]+|\s+$/g, "")
    .replace(/\s+/g, " ");
}

/** How many cases ended so. */
export function count(outcome: Outcome, verdict: Verdict): number {
  return outcome.cases.filter((each) => each.startsWith(`${verdict} `)).length;
}

/** What one outcome has and the other has not, as lines; none where they agree. */
export function differences(here: Outcome, there: Outcome): string[] {
  const lines: string[] = [];
  if (here.end !== there.end) lines.push(`ended with ${here.end}, there with ${there.end}`);
  const left = tally(here.cases);
  const right = tally(there.cases);
  for (const name of new Set([...left.keys(), ...right.keys()])) {
    const [ours, theirs] = [left.get(name) ?? 0, right.get(name) ?? 0];
    if (ours !== theirs) lines.push(`${name}: ${ours} times, there ${theirs}`);
  }
  return lines;
}

function tally(cases: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of cases) counts.set(each, (counts.get(each) ?? 0) + 1);
  return counts;
}
