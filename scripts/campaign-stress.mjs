// npm run campaign:stress [-- FIRST LAST [INSTRUCTIONS]]: the chaos of tests/kernel/threads/ for a range of seeds.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, ".cache", "stress");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `campaign-${process.pid}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: ["scripts/campaign-stress.ts"],
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
  outfile,
});
await import(pathToFileURL(outfile).href);
