import type { Argument } from "../../syscalls/argument.js";
import { caseOf } from "./arguments.js";

/*
 * What strace leaves out: arguments that a call has but does not look at, depending on the others. The rule is the
 * call's own (its manual page); what is not named here is shown.
 */

const O_CREAT = 0o100n;
/** O_TMPFILE without O_DIRECTORY. */
const O_TMPFILE = 0o20000000n;
const MREMAP_FIXED_OR_DONTUNMAP = 6n;

/** PR_*: how many arguments there are behind the option, where it is not all four. */
const PRCTL_ARGUMENTS: ReadonlyMap<bigint, number> = new Map([
  ...[1n, 2n, 4n, 8n, 14n, 15n, 16n, 19n, 23n, 24n, 25n, 26n, 29n, 36n, 37n, 40n].map(
    (option) => [option, 1] as const,
  ),
  ...[3n, 7n, 13n, 21n, 30n].map((option) => [option, 0] as const),
]);

/** FUTEX_*: how many of the six arguments there are. */
const FUTEX_ARGUMENTS: Readonly<Record<number, number>> = { 0: 4, 1: 3, 6: 4, 7: 2, 8: 2, 10: 6, 13: 4 };
const FUTEX_COMMAND = 127n;

/** How many of a call's arguments are printed. */
export function shownCount(name: string, args: readonly bigint[], definitions: readonly Argument[]): number {
  const all = definitions.length;
  const creates = (flags: bigint): boolean => (flags & (O_CREAT | O_TMPFILE)) !== 0n;
  switch (name) {
    case "open":
      return creates(args[1]!) ? all : 2;
    case "openat":
      return creates(args[2]!) ? all : 3;
    case "mremap":
      return (args[3]! & MREMAP_FIXED_OR_DONTUNMAP) !== 0n ? all : 4;
    case "prctl":
      return Math.min(all, 1 + (PRCTL_ARGUMENTS.get(args[0]!) ?? 4));
    case "futex":
      return FUTEX_ARGUMENTS[Number(args[1]! & FUTEX_COMMAND)] ?? all;
    default: {
      let count = all;
      while (count > 0 && isUnused(definitions[count - 1]!, args)) count--;
      return count;
    }
  }
}

function isUnused(argument: Argument, args: readonly bigint[]): boolean {
  return (argument.kind === "dependent" ? caseOf(argument, args) : argument).kind === "unused";
}
