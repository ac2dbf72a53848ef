import type { AreaSnapshot, Refusal } from "../../kernel/refusal.js";
import type { Parting } from "./comparison.js";

const [READ, WRITE, EXEC] = [1, 2, 4];
const VM_SHARED = 8;

/**
 * What somebody who has taken control gains where a call is permitted that a seal refuses elsewhere; null where no seal
 * refuses it. Judged by the memory as the refusal found it.
 */
export function gainOf({ text, call, steps, bySeal }: Parting): string | null {
  if (!bySeal || call === null) return null;
  const refusal = steps.find((step) => step?.refusal?.sealing !== undefined)?.refusal;
  const area = refusal?.area ?? null;
  const what = area === null ? "memory" : kindOf(area);
  switch (call) {
    case "munmap":
    case "brk":
    case "shmdt":
      return `a hole in the place of ${what}, to be filled with memory of one's own`;
    case "mmap":
    case "remap_file_pages":
      return `memory of one's own in the place of ${what}`;
    case "mremap":
      return `${what} is moved away or cut, and its place is free`;
    case "mprotect":
    case "pkey_mprotect":
      return protectGain(text, what, refusal ?? null, area);
    case "madvise":
    case "process_madvise":
      return area !== null && isFile(area)
        ? `${what} as its file has it: what was changed since, relocations too, is undone`
        : `zeroes in the place of ${what}`;
    case "msync":
      return `what is cached of ${what} is dropped`;
    default:
      // A forced write, by whatever call.
      return refusal?.rule.startsWith("force.") === true
        ? `${what} of one's own, whatever its protection`
        : null;
  }
}

function isFile({ name, flags }: AreaSnapshot): boolean {
  return name.startsWith("/") && (flags & VM_SHARED) === 0;
}

/** What memory holds, as far as its protection tells. */
function kindOf({ prot }: AreaSnapshot): string {
  if ((prot & EXEC) !== 0) return (prot & WRITE) !== 0 ? "writable code" : "code";
  if ((prot & WRITE) !== 0) return "writable data";
  return (prot & READ) !== 0 ? "read-only data" : "memory without rights";
}

function protectGain(text: string, what: string, refusal: Refusal | null, area: AreaSnapshot | null): string {
  const gains: string[] = [];
  const has = area?.prot ?? 0;
  if (text.includes("PROT_WRITE") && (has & WRITE) === 0) gains.push(`writes to ${what}`);
  if (text.includes("PROT_EXEC") && (has & EXEC) === 0) gains.push(`execution of ${what}`);
  const key = area?.key ?? 0;
  const asked = /, (\d+)\)$/.exec(text);
  if (refusal?.syscall === "pkey_mprotect" && key !== 0 && asked !== null && Number(asked[1]) !== key)
    gains.push(`${what} without the guard of key ${key}`);
  return gains.length === 0 ? `other rights on ${what}` : gains.join(", ");
}
