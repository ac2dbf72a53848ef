// Builds dist/: the command line and the library as bundles that share chunks, and the type declarations.
import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { icedForBrowsers } from "./iced-for-browsers.mjs";
import { sourceHash, stamp } from "./source-hash.mjs";

const root = fileURLToPath(new URL("../", import.meta.url));
const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  logLevel: "warning",
};
const small = { minifySyntax: true, minifyWhitespace: true, legalComments: "none" };

/** The interpreter's WebAssembly, with the micro-ops' order it was made for, and the vDSO: so that no start makes them. */
async function generateParts() {
  const outfile = join(root, ".cache", "build", `parts-${process.pid}.mjs`);
  mkdirSync(join(root, ".cache", "build"), { recursive: true });
  await build({
    ...common,
    stdin: {
      contents: `import "./cpu/cpu.js";
        export { interpreterBytes } from "./cpu/interpreter-module.js";
        export { microOps } from "./cpu/ir/registry.js";
        export { vdsoImage } from "./userland/vdso-image.js";`,
      resolveDir: root,
      loader: "ts",
    },
    packages: "external",
    outfile,
  });
  const { interpreterBytes, microOps, vdsoImage } = await import(pathToFileURL(outfile).href);
  rmSync(outfile);
  const names = microOps().map((operation) => operation.name);
  return { interpreter: interpreterBytes(), names, vdso: vdsoImage() };
}

/** Puts the finished bytes in the generators' place. */
function embed({ interpreter, names, vdso }) {
  return {
    name: "embed-parts",
    setup(plugin) {
      plugin.onResolve({ filter: /\/vdso-image\.js$/ }, () => ({ path: "image", namespace: "vdso" }));
      plugin.onResolve({ filter: /^vdso-bytes$/ }, () => ({ path: "bytes", namespace: "vdso" }));
      plugin.onLoad({ filter: /^bytes$/, namespace: "vdso" }, () => ({ contents: vdso, loader: "binary" }));
      plugin.onLoad({ filter: /^image$/, namespace: "vdso" }, () => ({
        contents: `import bytes from "vdso-bytes";
          export const vdsoImage = () => bytes;`,
        loader: "js",
      }));
      plugin.onResolve({ filter: /\/wasm\/interpreter\.js$/ }, () => ({
        path: "generator",
        namespace: "interpreter",
      }));
      plugin.onResolve({ filter: /^interpreter-bytes$/ }, () => ({
        path: "bytes",
        namespace: "interpreter",
      }));
      plugin.onLoad({ filter: /^bytes$/, namespace: "interpreter" }, () => ({
        contents: interpreter,
        loader: "binary",
      }));
      plugin.onLoad({ filter: /^generator$/, namespace: "interpreter" }, () => ({
        contents: `import bytes from "interpreter-bytes";
          const names = ${JSON.stringify(names.join(" "))};
          export function generateInterpreter(operations) {
            if (operations.map((operation) => operation.name).join(" ") !== names) {
              throw new Error("the embedded interpreter was built for another order of micro-ops");
            }
            return bytes;
          }`,
        loader: "js",
      }));
    },
  };
}

/**
 * iced-x86 is a large CommonJS file. An import would have Node search all of it for the names it exports, which takes
 * longer than all the rest of a start: so it is required, and the names are listed here.
 */
function requireIced() {
  const names = Object.keys(createRequire(import.meta.url)("iced-x86")).filter(
    (name) => !name.startsWith("__"),
  );
  return {
    name: "require-iced",
    setup(plugin) {
      plugin.onResolve({ filter: /^iced-x86$/ }, () => ({ path: "iced-x86", namespace: "require" }));
      plugin.onLoad({ filter: /.*/, namespace: "require" }, () => ({
        contents: `import { createRequire } from "node:module";
          export const { ${names.join(", ")} } = createRequire(import.meta.url)("iced-x86");`,
        loader: "js",
      }));
    },
  };
}

/** An import of one of Node's modules reads all that it exports, which loads what hides behind: so they are required. */
const requireNode = {
  name: "require-node",
  setup(plugin) {
    plugin.onResolve({ filter: /^node:/ }, ({ path, namespace }) =>
      path === "node:module" || namespace === "node" ? { path, external: true } : { path, namespace: "node" },
    );
    plugin.onLoad({ filter: /.*/, namespace: "node" }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
};
/** The one that cli/start.ts hands over. */
const importByStart = {
  name: "import-by-start",
  setup(plugin) {
    plugin.onResolve({ filter: /\/import-module\.js$/ }, () => ({ path: "import", namespace: "start" }));
    plugin.onLoad({ filter: /.*/, namespace: "start" }, () => ({
      contents: "const given = importModule; export { given as importModule };",
      loader: "js",
    }));
  },
};
const banner =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);';

// Built aside and put in place at the end: who runs dist/ meanwhile finds it whole.
const hash = sourceHash();
const fresh = join(root, ".cache", "build", `dist-${process.pid}`);
const parts = embed(await generateParts());
await build({
  ...common,
  ...small,
  entryPoints: {
    cli: "cli/start.ts",
    index: "debug/index.ts",
    userland: "userland/index.ts",
    node: "cli/node-host.ts",
    vitest: "debug/vitest/index.ts",
  },
  outdir: fresh,
  splitting: true,
  chunkNames: "chunks/[name]-[hash]",
  packages: "external",
  banner: { js: banner },
  plugins: [parts, requireIced(), requireNode],
});
// The command line in one script, wrapped in a function, so that V8's code of it can be kept: see cli/start.ts.
await build({
  ...common,
  ...small,
  format: "cjs",
  entryPoints: { main: "cli/main.ts" },
  outdir: join(fresh, "chunks"),
  outExtension: { ".js": ".cjs" },
  packages: "external",
  banner: { js: "(function (require, bundleUrl, importModule) {" },
  footer: { js: "})" },
  define: { "import.meta.url": "bundleUrl" },
  plugins: [parts, requireIced(), requireNode, importByStart],
});
// The library once more, each part in one file that a browser takes as it is: an import of a Node module fails this
// build.
await build({
  ...common,
  ...small,
  platform: "browser",
  target: "es2022",
  entryPoints: { browser: "debug/index.ts", "browser-userland": "userland/index.ts" },
  outdir: fresh,
  plugins: [parts, icedForBrowsers],
});

const cached = spawnSync(process.execPath, ["scripts/code-cache.mjs", join(fresh, "chunks")], {
  cwd: root,
  stdio: ["ignore", "ignore", "inherit"],
});
if (cached.status !== 0) process.exit(1);

const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
const declarations = ["-p", "tsconfig.build.json", "--outDir", join(fresh, "types")];
const { status } = spawnSync(process.execPath, [tsc, ...declarations], { cwd: root, stdio: "inherit" });
if (status !== 0) process.exit(1);
writeFileSync(join(fresh, basename(stamp)), hash);
rmSync(join(root, "dist"), { recursive: true, force: true });
renameSync(fresh, join(root, "dist"));
