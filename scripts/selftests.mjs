// npm run selftests -- DIR: built test programs (Linux's selftests, the Linux Test Project's) in sealab and on this
// machine, and a table of where they differ. See docs/selftests.md.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../", import.meta.url));
const folder = join(root, ".cache", "selftests");
mkdirSync(folder, { recursive: true });
const outfile = join(folder, `campaign-${process.pid}.mjs`);
await build({
  absWorkingDir: root,
  entryPoints: ["scripts/selftests/campaign.ts"],
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
