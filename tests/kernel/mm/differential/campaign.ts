import { closeForks, generate, generateForks } from "./generate.js";
import { describe, type Operation } from "./operation.js";
import { runInSealab, runNatively } from "./run.js";

/** Seeds FIRST to LAST (not included) on this machine and in sealab; prints each difference, made small. */
const [first = "0", last = "100", most = "5", forks = ""] = process.argv.slice(2);

interface Difference {
  readonly index: number;
  readonly host: string;
  readonly sealab: string;
}

function compare(operations: readonly Operation[]): Difference | null {
  const host = runNatively(operations);
  const sealab = runInSealab(operations);
  const index = Array.from({ length: Math.max(host.length, sealab.length) }).findIndex(
    (_, i) => host[i] !== sealab[i],
  );
  return index < 0 ? null : { index, host: host[index] ?? "", sealab: sealab[index] ?? "" };
}

/** Leaves out what is not needed for a difference of the same kind of operation. */
function shrink(operations: readonly Operation[], difference: Difference): readonly Operation[] {
  const kindOf = (list: readonly Operation[], at: Difference): string => {
    if (at.sealab.startsWith("sealab:") || at.host.startsWith("native:")) return at.sealab.slice(0, 12);
    const one = list[at.index];
    return one === undefined ? "" : one.kind + (one.kind === "call" ? String(one.args[0]) : "");
  };
  const kind = kindOf(operations, difference);
  const whole = difference.sealab.startsWith("sealab:") || difference.host.startsWith("native:");
  const upTo = (list: readonly Operation[], index: number) =>
    whole ? list : (closeForks(list.slice(0, index + 1)) ?? list);
  let smallest = upTo(operations, difference.index);
  for (let step = smallest.length >> 1; step >= 1; step >>= 1) {
    for (let at = smallest.length - 1 - step; at >= 0; at -= step) {
      const tried = closeForks([...smallest.slice(0, at), ...smallest.slice(at + step)]);
      if (tried === null) continue;
      const found = compare(tried);
      if (found !== null && kindOf(tried, found) === kind) smallest = upTo(tried, found.index);
    }
  }
  return smallest;
}

let found = 0;
for (let seed = Number(first); seed < Number(last) && found < Number(most); seed++) {
  const operations = forks === "forks" ? generateForks(seed) : generate(seed);
  const difference = compare(operations);
  if (difference === null) continue;
  found++;
  const small = shrink(operations, difference);
  const answers = runNatively(small);
  const ours = runInSealab(small);
  console.log(
    `\nseed ${String(seed)}: at ${String(difference.index)} ${difference.host.slice(0, 80)} / ${difference.sealab.slice(0, 200)}`,
  );
  small.forEach((operation, i) => {
    const same = answers[i] === ours[i];
    console.log(
      `  ${describe(operation)} = ${answers[i] ?? ""}${same ? "" : `\n  SEALAB: ${ours[i] ?? ""}`}`,
    );
  });
}
console.log(`seeds ${first} to ${last}: ${String(found)} with a difference`);
process.exitCode = found > 0 ? 1 : 0;
