import { errnoName } from "../../kernel/errno.js";
import { ARENA, ARENA_END } from "./generate.js";
import { RECORD_WORDS, type Kind } from "./interpreter.js";
import type { Operation } from "./operation.js";
import { pagemapText, PoolFigures } from "./page-answers.js";
import { WIDE_ARENA, WIDE_ARENA_END } from "./places.js";

const FAULTING: ReadonlySet<Kind> = new Set(["load", "store", "fetch"]);
/** Their results are the bytes of text they left. */
const TEXTS: ReadonlySet<Kind> = new Set(["maps", "figures", "meminfo", "pagemap"]);
/** Words of a record that tell what a call left in memory. */
const LEFT: Partial<Readonly<Record<Kind, readonly number[]>>> = {
  mincore: [5, 6, 7, 8, 9, 10],
  vm: [5],
  mem: [5],
};

/** What the program wrote, a line for each operation, without what may differ between two machines that agree. */
export function readAnswers(operations: readonly Operation[], output: Uint8Array): string[] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  let textAt = operations.length * RECORD_WORDS * 8;
  if (output.length < textAt) return ["no answer"];
  const pool = new PoolFigures();
  return operations.map(({ kind, args }, i) => {
    const word = (n: number): bigint => view.getBigUint64((i * RECORD_WORDS + n) * 8, true);
    const pkru = word(4).toString(16);
    let line: string;
    if (TEXTS.has(kind)) {
      const bytes = Number(BigInt.asIntN(64, word(0)));
      const text = output.subarray(textAt, textAt + Math.max(bytes, 0));
      textAt += text.length;
      line = bytes < 0 ? result(kind, 0, word(0)) : textAnswer(kind, text, pool);
    } else if (FAULTING.has(kind) && word(1) !== 0n) {
      const at = word(3);
      const code = codeOf(word(1));
      const key = code === "4" ? ` key ${String(word(2) & 0xffffffffn)}` : "";
      line = `signal ${String(word(1) & 0xffffffffn)} code ${code} error 0x${(word(2) >> 32n).toString(16)} at 0x${at.toString(16)}${key}`;
    } else {
      line = result(kind, kind === "call" ? Number(args[0]) : 0, word(0));
    }
    const left = LEFT[kind];
    if (left !== undefined) line += ` ${left.map((n) => hex(word(n))).join("")}`;
    if (kind === "ioctl") line += ` ${[5, 6, 7, 8, 9].map((n) => `0x${word(n).toString(16)}`).join(" ")}`;
    return `${line} pkru ${pkru}`;
  });
}

/** A poisoned page is BUS_MCEERR_AR or, where a kernel knows no memory errors, BUS_ADRERR. */
function codeOf(word: bigint): string {
  const code = word >> 32n;
  return (word & 0xffffffffn) === 7n && code === 4n ? "2" : String(code);
}

/** Bytes in the order of memory. */
function hex(word: bigint): string {
  return word.toString(16).padStart(16, "0").match(/../g)!.reverse().join("");
}

function textAnswer(kind: Kind, bytes: Uint8Array, pool: PoolFigures): string {
  if (kind === "pagemap") return pagemapText(bytes);
  const text = new TextDecoder("latin1").decode(bytes);
  return kind === "meminfo" ? pool.since(text) : areas(text, kind === "figures" ? FIGURES : FIELDS);
}

/** mmap, mremap and the like give addresses. */
const ADDRESSED: ReadonlySet<number> = new Set([9, 25]);

function result(kind: Kind, number: number, value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  if (signed < 0n && signed > -4096n && kind !== "brk") return errnoName(Number(-signed));
  const isAddress = ADDRESSED.has(number) || kind === "shm" || kind === "shmat";
  return isAddress && !isArena(Number(value)) ? "elsewhere" : `0x${value.toString(16)}`;
}

function isArena(address: number): boolean {
  return (address >= ARENA && address < ARENA_END) || (address >= WIDE_ARENA && address < WIDE_ARENA_END);
}

/** Soft-dirty tracking is an option of the kernel that the host may lack. */
const LEFT_OUT = new Set(["sd"]);

/** Lines of an area that say what it is. */
const FIELDS = /^(VmFlags|ProtectionKey):/;
/**
 * And of which pages it has. LazyFree comes in batches, Referenced is as the processor likes it; clean and dirty pages
 * are told as one.
 */
const FIGURES =
  /^(VmFlags|ProtectionKey|Rss|Pss|Shared_Clean|Shared_Dirty|Private_Clean|Private_Dirty|Anonymous|AnonHugePages|ShmemPmdMapped|FilePmdMapped|Shared_Hugetlb|Private_Hugetlb|Swap|SwapPss|Locked|THPeligible):/;

function areas(smaps: string, wanted: RegExp): string {
  const lines: string[] = [];
  let shown = false;
  let clean = 0;
  for (const line of smaps.split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) ([0-9a-f]+) \S+ \d+ *(.*)$/.exec(line);
    if (head) {
      const [, start, end, perms, offset, name] = head as unknown as string[];
      shown = isArena(parseInt(start!, 16));
      if (shown) lines.push(`\n    ${start!}-${end!} ${perms!} ${offset!} ${name!}`);
    } else if (shown && wanted.test(line)) {
      const [what, ...values] = line.split(/[: ]+/);
      const kept = values.filter((value) => value !== "" && value !== "kB" && !LEFT_OUT.has(value));
      if (/_Clean$/.test(what!)) clean = Number(kept[0]);
      else if (/_Dirty$/.test(what!)) lines.push(` ${what!.slice(0, -6)} ${String(clean + Number(kept[0]))}`);
      else if (what === "VmFlags") lines.push(` [${kept.join(" ")}]`);
      else if (what === "ProtectionKey" || kept[0] !== "0") lines.push(` ${what!} ${kept.join(" ")}`);
    }
  }
  return lines.join("");
}
