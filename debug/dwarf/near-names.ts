/** Levenshtein distance, `limit` where it is at least that. */
export function distance(a: string, b: string, limit = Infinity): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, changed));
      least = Math.min(least, next[j]!);
    }
    if (least >= limit) return limit;
    row = next;
  }
  return row[b.length]!;
}

const MOST = 3;

/** Names that may have been meant, the nearest first; letters' case counts little, and longer names with it count. */
export function nearNames(wanted: string, names: Iterable<string>): string[] {
  const lower = wanted.toLowerCase();
  const limit = Math.min(4, Math.max(2, Math.floor(wanted.length / 2)));
  const found: { name: string; distance: number }[] = [];
  for (const name of names) {
    let away = distance(lower, name.toLowerCase(), limit);
    if (
      away >= limit &&
      name.length < 3 * wanted.length &&
      (wanted.length >= 4 ? name.toLowerCase().includes(lower) : name.toLowerCase().startsWith(lower))
    )
      away = limit;
    else if (away >= limit) continue;
    found.push({ name, distance: away });
  }
  found.sort(
    (a, b) => a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1),
  );
  return found.slice(0, MOST).map(({ name }) => name);
}
