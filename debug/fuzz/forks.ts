import type { Dice } from "./dice.js";
import { MAX_DEPTH } from "./interpreter.js";
import type { Operation } from "./operation.js";

/**
 * The same in up to three processes: forks, turns handed between parent, child and grandchild in the middle of their
 * operations, and ends.
 * @param last what every process does before it ends
 */
export function withForks(plain: readonly Operation[], dice: Dice, last: readonly Operation[]): Operation[] {
  const operations: Operation[] = [];
  let alive = 1;
  let running = 0;
  for (const [i, operation] of plain.entries()) {
    if (i > 3 && dice.chance(8)) {
      const deepest = alive - 1;
      if (running === deepest && alive < MAX_DEPTH && dice.chance(60)) {
        operations.push({ kind: "fork", args: [] });
        alive++;
        running++;
      } else if (running === deepest && alive > 1 && dice.chance(30)) {
        operations.push(...last, { kind: "exit", args: [] });
        alive--;
        running--;
      } else if (alive > 1) {
        const others = Array.from({ length: alive }, (_, depth) => depth).filter(
          (depth) => depth !== running,
        );
        running = dice.of(others);
        operations.push({ kind: "turn", args: [running] });
      }
    }
    operations.push(operation);
  }
  return closeForks(operations, last) ?? [];
}

/**
 * Ends every process that is still there, the youngest first.
 * @param last what each does before
 * @returns null when the turns make no sense: a part of a program that was cut too freely
 */
export function closeForks(
  operations: readonly Operation[],
  last: readonly Operation[] = [],
): Operation[] | null {
  let alive = 1;
  let running = 0;
  for (const { kind, args } of operations) {
    if (kind === "fork" || kind === "exit") {
      if (running !== alive - 1 || (kind === "fork" ? alive === MAX_DEPTH : alive === 1)) return null;
      alive += kind === "fork" ? 1 : -1;
      running = alive - 1;
    } else if (kind === "turn") {
      if (args[0] === running || Number(args[0]) >= alive) return null;
      running = Number(args[0]);
    }
  }
  const closed = [...operations];
  if (running < alive - 1) closed.push({ kind: "turn", args: [alive - 1] });
  for (; alive > 1; alive--) closed.push(...last, { kind: "exit", args: [] });
  closed.push(...last);
  return closed;
}
