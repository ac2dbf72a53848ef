import { errnoName } from "../../kernel/errno.js";
import { ARENA, ARENA_END } from "./generate.js";
import { RECORD_WORDS } from "./interpreter.js";
import type { Operation } from "./operation.js";

const FAULTING = new Set(["load", "store", "fetch"]);

/** What the program wrote, a line for each operation, without what may differ between two machines that agree. */
export function readAnswers(operations: readonly Operation[], output: Uint8Array): string[] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let textAt = operations.length * RECORD_WORDS * 8;
  if (output.length < textAt) return ["no answer"];
  return operations.map(({ kind, args }, i) => {
    const word = (n: number): bigint => view.getBigUint64((i * RECORD_WORDS + n) * 8, true);
    const pkru = word(4).toString(16);
    let line: string;
    if (kind === "maps") {
      const bytes = Number(word(0));
      line = areas(new TextDecoder("latin1").decode(output.subarray(textAt, textAt + bytes)));
      textAt += bytes;
    } else if (FAULTING.has(kind) && word(1) !== 0n) {
      const at = word(3);
      const key = word(1) >> 32n === 4n ? ` key ${String(word(2) & 0xffffffffn)}` : "";
      line = `signal ${String(word(1) & 0xffffffffn)} code ${String(word(1) >> 32n)} error 0x${(word(2) >> 32n).toString(16)} at 0x${at.toString(16)}${key}`;
    } else {
      line = result(kind === "call" ? Number(args[0]) : 0, word(0), kind);
    }
    if (kind === "mincore") line += ` ${[5, 6, 7, 8, 9, 10].map((n) => hex(word(n))).join("")}`;
    return `${line} pkru ${pkru}`;
  });
}

/** Bytes in the order of memory. */
function hex(word: bigint): string {
  return word.toString(16).padStart(16, "0").match(/../g)!.reverse().join("");
}

function result(number: number, value: bigint, kind: string): string {
  const signed = BigInt.asIntN(64, value);
  if (signed < 0n && signed > -4096n && kind !== "brk") return errnoName(Number(-signed));
  const isAddress = number === 9 || number === 25;
  if (isAddress && (value < BigInt(ARENA) || value >= BigInt(ARENA_END))) return "elsewhere";
  return `0x${value.toString(16)}`;
}

/** Soft-dirty tracking is an option of the kernel that the host may lack. */
const LEFT_OUT = new Set(["sd"]);

function areas(smaps: string): string {
  const lines: string[] = [];
  let shown = false;
  for (const line of smaps.split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)$/.exec(line);
    if (head) {
      const [, start, end, perms, offset, name] = head as unknown as string[];
      shown = parseInt(start!, 16) >= ARENA && parseInt(start!, 16) < ARENA_END;
      if (shown) lines.push(`\n    ${start!}-${end!} ${perms!} ${offset!} ${name!}`);
    } else if (shown && /^(VmFlags|ProtectionKey):/.test(line)) {
      const [what, ...values] = line.split(/[: ]+/);
      const kept = values.filter((value) => value !== "" && value !== "kB" && !LEFT_OUT.has(value));
      lines.push(what === "VmFlags" ? ` [${kept.join(" ")}]` : ` ${what!} ${kept.join(" ")}`);
    }
  }
  return lines.join("");
}
