import { compileScenario } from "../../userland/scenario/index.js";
import { ARENA, ARENA_END } from "./generate.js";
import { FD } from "./interpreter.js";
import { callName, type Operation } from "./operation.js";

const MMAP = 9;
const MMAP_DESCRIPTOR = 5;
/** How a scenario makes the descriptors that a mapping may be of. */
const FILES: ReadonlyMap<number, string> = new Map([
  [FD.file, "memfd 16"],
  [FD.odd, "memfd 40"],
  [FD.source, "memfd 64"],
  [FD.zero, 'open "/dev/zero" rw'],
]);
/** Calls that take no descriptor and no memory of the interpreter's own. */
const PLAIN: ReadonlySet<number> = new Set([
  9, 10, 11, 25, 26, 28, 149, 150, 151, 152, 216, 325, 329, 330, 331, 462,
]);

/**
 * A list of operations as a scenario for `sealab check`.
 * @returns null for one that a scenario cannot say: copies by the kernel, several processes, brk
 */
export function scenarioOf(list: readonly Operation[], comments: readonly string[]): string | null {
  const files = new Set<number>();
  const lines: string[] = [];
  for (const operation of list) {
    const line = lineOf(operation, files);
    if (line === null) return null;
    lines.push(line);
  }
  const made = [...files].map((fd) => `f${String(fd)} = ${FILES.get(fd)!}`);
  const text = `${[...comments.map((comment) => `# ${comment}`), ...made, ...lines].join("\n")}\n`;
  return "scenario" in compileScenario(text) ? text : null;
}

function lineOf({ kind, args }: Operation, files: Set<number>): string | null {
  const hex = (value: number | bigint | undefined): string =>
    `0x${BigInt.asUintN(64, BigInt(value ?? 0)).toString(16)}`;
  switch (kind) {
    case "load":
      return `read ${hex(args[0])} qword`;
    case "store":
      return `write ${hex(args[0])} ${hex(args[1])} qword`;
    case "fetch":
      return `call ${hex(args[0])}`;
    case "pkru":
      return `wrpkru ${hex(args[0])}`;
    case "maps":
      return `maps ${hex(ARENA)} ${String((ARENA_END - ARENA) / 4096)}`;
    case "call": {
      const number = Number(args[0]);
      if (!PLAIN.has(number)) return null;
      const words = args.map((value, i) => (i === 0 ? callName(number) : hex(value)));
      const fd = Number(args[MMAP_DESCRIPTOR]);
      if (number === MMAP && fd >= 0) {
        if (!FILES.has(fd)) return null;
        files.add(fd);
        words[MMAP_DESCRIPTOR] = `f${String(fd)}`;
      }
      return `syscall ${words.join(" ")}`;
    }
    default:
      return null;
  }
}
