/** Modules of the user's own, in JavaScript or TypeScript, and what is wrong with those that cannot be loaded. */

import { existsSync, readFileSync } from "node:fs";
import nodeModule, { createRequire } from "node:module";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { importModule } from "./import-module.js";

const require = createRequire(import.meta.url);
const STRIPPER = "@swc/wasm-typescript";

/** What the stripper throws: its own records, no errors. Lines from 1, columns from 0. */
interface SyntaxMistake {
  readonly message: string;
  readonly startLine: number;
  readonly startColumn: number;
}

/** A module cannot be loaded; the message names file and line where they are known. */
export class ModuleProblem extends Error {}

/** @throws ModuleProblem */
export async function importFile(file: string): Promise<unknown> {
  const path = resolve(file);
  if (!existsSync(path)) throw new ModuleProblem("there is no such file");
  if (/ts$/.test(path)) {
    const mistake = syntaxMistake(path);
    if (mistake !== null) throw new ModuleProblem(mistake);
    readTypeScript();
  }
  try {
    return await importModule(pathToFileURL(path).href);
  } catch (error) {
    throw new ModuleProblem(problemOf(error, path));
  }
}

/** Has imports of TypeScript give its JavaScript, where Node does not do so itself (22.18 and later do). */
function readTypeScript(): void {
  if ((process.features as { typescript?: unknown }).typescript) return;
  const register = (nodeModule as { register?: (url: string) => void }).register;
  if (register === undefined) throw new ModuleProblem("this Node reads no TypeScript; 20.6 and later do");
  // Hooks run in a thread of their own: all that they need is in their text. Types become blanks, so that lines stay.
  const hooks = `
    import { readFile } from "node:fs/promises";
    import { createRequire } from "node:module";
    const { transformSync } = createRequire(${JSON.stringify(import.meta.url)})(${JSON.stringify(STRIPPER)});
    export async function load(url, context, next) {
      const { protocol, pathname } = new URL(url);
      if (protocol !== "file:" || !/\\.[cm]?ts$/.test(pathname)) return next(url, context);
      const { code } = transformSync(await readFile(new URL(url), "utf8"), { mode: "strip-only" });
      return { format: pathname.endsWith(".cts") ? "commonjs" : "module", source: code, shortCircuit: true };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
}

/** The first mistake of a file, or of one that it imports by a relative path: `FILE:LINE:COLUMN: TEXT`. */
function syntaxMistake(path: string, seen = new Set<string>()): string | null {
  if (seen.has(path) || !existsSync(path)) return null;
  seen.add(path);
  const source = readFileSync(path, "utf8");
  const { transformSync } = require(STRIPPER) as typeof import("@swc/wasm-typescript");
  try {
    transformSync(source, { mode: "strip-only", filename: path });
  } catch (error) {
    const { message, startLine, startColumn } = error as SyntaxMistake;
    return `${shown(path)}:${startLine}:${startColumn + 1}: ${message}`;
  }
  for (const [, imported] of source.matchAll(/\b(?:from|import)\s*["'](\.[^"']+)["']/g)) {
    const mistake = syntaxMistake(resolve(dirname(path), imported!), seen);
    if (mistake !== null) return mistake;
  }
  return null;
}

function problemOf(error: unknown, path: string): string {
  if (!(error instanceof Error)) return `it threw ${String(error)}`;
  // Node says nowhere where a module's syntax is wrong.
  if (error instanceof SyntaxError) {
    const mistake = syntaxMistake(path);
    if (mistake !== null) return mistake;
  }
  const message = `${error.name}: ${error.message}`.split("\n")[0]!;
  const missing = /^Cannot find (?:module|package) '(.+?)' imported from (.+)$/.exec(error.message);
  if (missing !== null) return `${shown(missing[2]!)}: it imports ${shown(missing[1]!)}, which is not there`;
  const place = /(file:\/\/[^\s)]+?):(\d+)/.exec(error.stack ?? "");
  if (place === null || place[1] === import.meta.url) return message;
  return `${shown(fileURLToPath(place[1]!))}:${place[2]!}: ${message}`;
}

/** A path as the user would write it, where it lies below the current directory. */
function shown(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith("..") ? path : below;
}
