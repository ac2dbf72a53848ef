/** What a page's entry in /proc/PID/pagemap says, by the bits of its upper byte; soft-dirty and the frame are left out. */
const WORDS: readonly (readonly [bit: number, word: string])[] = [
  [0x80, "present"],
  [0x40, "swapped"],
  [0x20, "file"],
  [0x04, "guard"],
  [0x02, "wp"],
  [0x01, "exclusive"],
];

/** Words that an answer of `pagemap` has. */
export const PAGE_WORDS: ReadonlySet<string> = new Set([...WORDS.map(([, word]) => word), "none"]);

/** `512 present exclusive, 3 none`: runs of pages that are alike. @param bytes two hexadecimal digits a page */
export function pagesText(bytes: string): string {
  const runs: string[] = [];
  let last = "";
  let count = 0;
  const close = (): void => {
    if (count > 0) runs.push(`${count} ${last}`);
  };
  for (const digits of bytes.match(/../g) ?? []) {
    const bits = parseInt(digits, 16);
    const words = WORDS.filter(([bit]) => (bits & bit) !== 0).map(([, word]) => word);
    const text = words.length === 0 ? "none" : words.join(" ");
    if (text !== last) {
      close();
      [last, count] = [text, 0];
    }
    count++;
  }
  close();
  return runs.join(", ");
}

const FIGURES = ["Total", "Free", "Rsvd", "Surp"] as const;

/** Words that an answer of `pool` has before its numbers. */
export const POOL_WORDS: readonly string[] = FIGURES.map((name) => name.toLowerCase());

/** HugePages_* of /proc/meminfo as they have changed since a run first asked; `same` where none has. */
export class PoolFigures {
  private first: ReadonlyMap<string, number> | null = null;

  since(meminfo: string): string {
    const now = new Map(
      FIGURES.map((name) => [
        name,
        // Promises may be below 0 for a while.
        Number(
          BigInt.asIntN(64, BigInt(new RegExp(`^HugePages_${name}: +(\\d+)$`, "m").exec(meminfo)?.[1] ?? 0)),
        ),
      ]),
    );
    this.first ??= now;
    const changes = [...now].flatMap(([name, count]) => {
      const by = count - this.first!.get(name)!;
      return by === 0 ? [] : [`${name.toLowerCase()} ${by > 0 ? "+" : ""}${by}`];
    });
    return changes.length === 0 ? "same" : changes.join(" ");
  }
}
