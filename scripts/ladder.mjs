// npm run ladder [-- PATTERN...]: every program of the ladder in sealab and on the host, and a table of what differs.
// Options, before the patterns and in this order: --cli FILE (another build), --with "OPTIONS" (of sealab run),
// --verbose (both outputs where they differ).
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, ".cache", "ladder");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `campaign-${process.pid}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: ["tests/programs/ladder/campaign.ts"],
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  packages: "external",
  logLevel: "warning",
  outfile,
});
const { campaign } = await import(pathToFileURL(outfile).href);
process.exitCode = await campaign(root, process.argv.slice(2));
