import { errnoName } from "../../kernel/errno.js";
import { defaultSealing } from "../../kernel/mm/sealing/models.js";
import type { AreaSnapshot, PathEntry, Provenance, Refusal } from "../../kernel/refusal.js";
import { pkruDeniesAccess, pkruDeniesWrite } from "../../mmu/page-table-entry.js";
import { entryHex, entryName, entryText } from "../page-table-text.js";
import { PLAIN, wrap, type Style } from "./style.js";

export interface ExplainOptions {
  readonly style?: Style;
  /** Columns to fill; 100 unless told. */
  readonly columns?: number;
  /** What came of it where that is no error number: `SIGSEGV SEGV_PKUERR`. */
  readonly outcome?: string;
  /** What stands at an address of code: `generate+0x1f`. */
  readonly symbolAt?: (address: number) => string | undefined;
}

const LABEL_COLUMNS = 9;

/** `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** The protection as `rwx`, `r--`, `---`. */
export function protectionText(prot: number): string {
  return `${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}`;
}

/** `5ea10000-5ea14000 rwx, 4 pages, key 1, sealed`. */
export function areaText(area: AreaSnapshot): string {
  const pages = (area.end - area.start) / 4096;
  const parts = [
    `${area.start.toString(16)}-${area.end.toString(16)} ${protectionText(area.prot)}`,
    `${grouped(pages)} page${pages === 1 ? "" : "s"}`,
  ];
  if (area.key !== 0) parts.push(`key ${area.key}`);
  if (area.sealed) parts.push(area.seals ?? "sealed");
  if (area.name !== "") parts.push(area.name);
  return parts.join(", ");
}

/** `PKRU 0x55555558 denies writes through key 1`. */
export function pkruText(pkru: number, key: number): string {
  const value = `PKRU ${`0x${(pkru >>> 0).toString(16)}`}`;
  if (pkruDeniesAccess(pkru, key)) return `${value} denies reads and writes through key ${key}`;
  if (pkruDeniesWrite(pkru, key)) return `${value} denies writes through key ${key}`;
  return `${value} permits reads and writes through key ${key}`;
}

/**
 * A refusal in words, a line each, without indentation: the rule, the area and who sealed it, the key and who wrote
 * PKRU, the page-table path, what stays done, and where the rule comes from.
 */
export function refusalLines(refusal: Refusal, options: ExplainOptions = {}): string[] {
  const style = options.style ?? PLAIN;
  const columns = options.columns ?? 100;
  const where = (place: Provenance): string => placeText(place, options.symbolAt);
  const lines: string[] = [];
  const add = (label: string, text: string): void => {
    const [first, ...rest] = wrap(text, columns - LABEL_COLUMNS);
    lines.push(style.label(label.padEnd(LABEL_COLUMNS)) + first!);
    for (const line of rest) lines.push(" ".repeat(LABEL_COLUMNS) + line);
  };

  add("why", sentence(refusal.text));
  add(
    "rule",
    `${style.strong(refusal.rule)} → ${options.outcome ?? errnoName(refusal.errno)} ${style.faint(`(${refusal.source})`)}`,
  );
  const { area, address, key, pkru, sealing } = refusal;
  if (sealing !== undefined && sealing.model !== defaultSealing.name)
    add("model", `${sealing.model}, rule ${sealing.rule}`);
  if (address !== undefined) add("address", `0x${address.toString(16)}`);
  if (area !== undefined) add("area", areaText(area));
  if (area?.sealedBy !== undefined) add("sealed", sealerText(area.sealedBy, options.symbolAt));
  if (key !== undefined && pkru !== undefined) add("key", pkruText(pkru, key));
  else if (key !== undefined) add("key", String(key));
  if (pkru !== undefined && refusal.pkruWrittenBy !== undefined)
    add("PKRU", `written ${where(refusal.pkruWrittenBy)}`);
  if (refusal.path !== undefined && refusal.path.length > 0) {
    pathLines(refusal.path).forEach((line, i) => add(i === 0 ? "tables" : "", line));
  }
  if (refusal.applied !== undefined) add("stays", refusal.applied);
  return lines;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

/** Who sealed an area: where the system did it, at whose behest. */
export function sealerText(place: Provenance, symbolAt: ExplainOptions["symbolAt"]): string {
  if (place.by === undefined) return placeText(place, symbolAt);
  return `by ${place.by}, at instruction ${grouped(place.instruction)}, thread ${place.tid}`;
}

export function placeText(place: Provenance, symbolAt: ExplainOptions["symbolAt"]): string {
  const symbol = symbolAt?.(place.rip);
  const rip = `0x${place.rip.toString(16)}${symbol === undefined ? "" : ` <${symbol}>`}`;
  const by = place.by === undefined ? "" : ` by the kernel (${place.by})`;
  return `at instruction ${grouped(place.instruction)}${by}, RIP ${rip}, thread ${place.tid}`;
}

/** The upper tables in one line, the leaf (or the entry where the walk ended) in another. */
function pathLines(path: readonly PathEntry[]): string[] {
  const last = path[path.length - 1]!;
  const names = path.map(entryName).join(" → ");
  return [names, `${entryName(last)} = ${entryHex(last.low, last.high)}: ${entryText(last)}`];
}
