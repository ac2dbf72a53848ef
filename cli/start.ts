#!/usr/bin/env node
/**
 * The command: runs the bundle of cli/main.ts with what V8 compiled of it when it was built (scripts/code-cache.mjs).
 * To compile it anew takes longer than many a program runs; so it is done only where another Node made the cache.
 */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Script } from "node:vm";

const bundle = new URL("chunks/main.cjs", import.meta.url);
const cache = new URL("chunks/main.cache", import.meta.url);

const script = new Script(readFileSync(bundle, "utf8"), {
  filename: "sealab",
  ...(existsSync(cache) ? { cachedData: readFileSync(cache) } : {}),
});
type Bundle = (require: NodeJS.Require, url: string, importModule: (url: string) => Promise<unknown>) => void;
(script.runInThisContext() as Bundle)(createRequire(bundle), bundle.href, (url) => import(url));
