// One number for all that dist/ is made from.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const ROOMS = ["mmu", "cpu", "kernel", "syscalls", "userland", "debug", "cli"];
const FILES = [
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "scripts/build.mjs",
  "scripts/code-cache.mjs",
  "scripts/iced-for-browsers.mjs",
];

/** Written after a build: the hash of what it was made from. */
export const stamp = join(root, "dist", ".sources");

function sourcesOf(room) {
  return readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)));
}

/** SHA-256, in hex, of every source file's path and content. */
export function sourceHash() {
  const hash = createHash("sha256");
  for (const path of [...FILES, ...ROOMS.flatMap(sourcesOf).sort()]) {
    hash.update(`${path}\0`);
    hash.update(readFileSync(join(root, path)));
  }
  return hash.digest("hex");
}

/** Whether dist/ was built from the sources as they are. */
export function isBuilt() {
  try {
    return readFileSync(stamp, "utf8") === sourceHash();
  } catch {
    return false;
  }
}
