import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

const CACHE = join(import.meta.dirname, "..", "..", ".cache", "programs");
const LONGEST_MS = 120_000;

/** A C file, and the headers that stand beside it. */
function textOf(source: string): readonly Buffer[] {
  const folder = dirname(source);
  const headers = readdirSync(folder).filter((name) => name.endsWith(".h"));
  return [source, ...headers.sort().map((name) => join(folder, name))].map((path) => readFileSync(path));
}

/**
 * A C file as a program, compiled only where nobody has compiled the same text with the same options before.
 * @param options before the source's name
 * @param libraries behind it
 * @returns the program's path, whose last part is `name`; undefined where there is no such compiler
 */
export function compileOnce(
  source: string,
  name: string,
  compiler: string,
  options: readonly string[],
  libraries: readonly string[] = [],
): string | undefined {
  const hash = createHash("sha256").update(JSON.stringify([source, name, compiler, options, libraries]));
  for (const text of textOf(source)) hash.update(text);
  const folder = join(CACHE, "compiled", hash.digest("hex").slice(0, 16));
  const out = join(folder, name);
  // A debugger warns of a program that is older than its source.
  if (existsSync(out) && statSync(out).mtimeMs >= statSync(source).mtimeMs) return out;
  mkdirSync(folder, { recursive: true });
  // Another test may compile, or run, the same program at this moment: it comes to its place whole.
  const apart = `${out}.${randomUUID()}`;
  try {
    const args = [...options, source, "-o", apart, ...libraries];
    execFileSync(compiler, args, { stdio: "ignore", timeout: LONGEST_MS });
  } catch {
    return undefined;
  }
  renameSync(apart, out);
  return out;
}
