// node code-cache.mjs FOLDER: writes main.cache beside FOLDER's main.cjs: what V8 compiles of it to run a small program.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

const folder = resolve(process.argv[2]);
const bundle = pathToFileURL(join(folder, "main.cjs"));
const script = new Script(readFileSync(bundle, "utf8"), { filename: "sealab" });
process.argv.splice(2, Infinity, "run", "--sample", "hello");
script.runInThisContext()(createRequire(bundle), bundle.href, (url) => import(url));
process.on("exit", () => writeFileSync(join(folder, "main.cache"), script.createCachedData()));
