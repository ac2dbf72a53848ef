// Runs TypeScript of the repository that is no part of the package: bundles it and imports the bundle.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

/** The repository. */
export const root = fileURLToPath(new URL("../", import.meta.url));

/** What the module `entry` (a path in the repository) exports. */
export async function bundled(entry) {
  const folder = join(root, ".cache", "bundled");
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${entry.replaceAll(/[^a-z0-9]+/gi, "-")}-${process.pid}.mjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    packages: "external",
    logLevel: "warning",
    outfile,
  });
  return await import(pathToFileURL(outfile).href);
}
