import { mkdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** 1 January 2026, as sealab's own clock starts. */
const THEN = 1_767_225_600;

/** Fills a directory with what the workloads read; the same each time, times included. */
export function makeFixture(folder: string): void {
  let seed = 1;
  const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
  const files: Record<string, string | Buffer> = {
    "lines.txt":
      Array.from(
        { length: 2000 },
        (_, i) => `${random() % 9973} line ${i} ${(random() * 7919).toString(36)}`,
      ).join("\n") + "\n",
    "bytes.bin": Buffer.from(Array.from({ length: 100_000 }, () => random() & 0xff)),
    "a.txt": "alpha\nbeta\ngamma\ndelta\n",
    "b.txt": "alpha\nBETA\ngamma\nepsilon\n",
    "table.csv": Array.from({ length: 300 }, (_, i) => `${i},${random() % 50},name${random() % 7}\n`).join(
      "",
    ),
  };
  const folders = ["tree", "tree/deep", "tree/deep/er"];
  for (const path of folders) mkdirSync(join(folder, path), { recursive: true });
  for (const path of ["tree/a.txt", "tree/deep/b.txt", "tree/deep/er/c.dat"]) files[path] = path;
  for (const [path, content] of Object.entries(files)) {
    writeFileSync(join(folder, path), content);
    utimesSync(join(folder, path), THEN, THEN);
  }
  for (const path of folders.reverse()) utimesSync(join(folder, path), THEN, THEN);
}
