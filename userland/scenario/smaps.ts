import { ATTRIBUTES } from "./pattern.js";
import { PAGE } from "./layout.js";

/** An area as /proc/PID/smaps tells of it. */
export interface Area {
  /** Half-open range in bytes. */
  readonly start: bigint;
  readonly end: bigint;
  /** `rw-p`. */
  readonly permissions: string;
  readonly name: string;
  readonly flags: ReadonlySet<string>;
  /** By field: `Rss` to `8 kB`. */
  readonly fields: ReadonlyMap<string, string>;
}

export function readSmaps(text: string): Area[] {
  const areas: Area[] = [];
  let fields = new Map<string, string>();
  let flags = new Set<string>();
  for (const line of text.split("\n")) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+\s*(.*)$/.exec(line);
    if (head !== null) {
      [fields, flags] = [new Map(), new Set()];
      const [start, end] = [BigInt(`0x${head[1]!}`), BigInt(`0x${head[2]!}`)];
      areas.push({ start, end, permissions: head[3]!, name: head[4]!, flags, fields });
      continue;
    }
    const field = /^(\w+):\s*(.*?)\s*$/.exec(line);
    if (field === null) continue;
    fields.set(field[1]!, field[2]!);
    if (field[1] === "VmFlags") for (const flag of field[2]!.split(" ")) flags.add(flag);
  }
  return areas;
}

/** `rw-p 4 sealed key=1, hole 2`: the areas of a range, cut to it. */
export function areasText(areas: readonly Area[], start: bigint, bytes: number): string {
  const end = start + BigInt(bytes);
  const parts: string[] = [];
  let at = start;
  const pages = (count: bigint): string => String(count / BigInt(PAGE));
  for (const area of areas) {
    if (area.end <= start || area.start >= end) continue;
    const from = area.start > start ? area.start : start;
    const to = area.end < end ? area.end : end;
    if (from > at) parts.push(`hole ${pages(from - at)}`);
    parts.push([area.permissions, pages(to - from), ...attributes(area)].join(" "));
    at = to;
  }
  if (at < end) parts.push(`hole ${pages(end - at)}`);
  return parts.join(", ");
}

function attributes(area: Area): string[] {
  const words: string[] = [];
  for (const [flag, word] of Object.entries(ATTRIBUTES)) {
    if (area.flags.has(flag)) words.push(word);
    const key = area.fields.get("ProtectionKey");
    if (flag === "sl" && key !== undefined && key !== "0") words.push(`key=${key}`);
  }
  if (/^\[\S+\]$/.test(area.name)) words.push(area.name);
  return words;
}
