import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Script } from "node:vm";
import { expect, test } from "vitest";
import { cli, scratchDirectory, sealab } from "./command.js";

const directory = scratchDirectory();

test("V8 takes the code that the build kept for it", () => {
  const bundle = join(dirname(cli), "chunks", "main.cjs");
  const script = new Script(readFileSync(bundle, "utf8"), {
    filename: "sealab",
    cachedData: readFileSync(join(dirname(cli), "chunks", "main.cache")),
  });
  expect(script.cachedDataRejected).toBe(false);
});

test("what browsers take for sealab and sealab/userland needs nothing of Node", () => {
  const { exports } = JSON.parse(readFileSync(join(dirname(cli), "..", "package.json"), "utf8")) as {
    exports: Record<string, { browser?: string }>;
  };
  for (const part of [".", "./userland"]) {
    const bundle = readFileSync(join(dirname(cli), "..", exports[part]!.browser!), "utf8");
    expect(bundle).not.toMatch(/createRequire|\bfrom ?"node:|require\("/);
  }
});

test("sealab run loads iced-x86 and none of the libraries that only other commands need", () => {
  const preload = join(directory, "loaded.cjs");
  writeFileSync(
    preload,
    `process.on("exit", () => process.stderr.write(Object.keys(require("node:module")._cache).join("\\n")));`,
  );
  const env = { NODE_OPTIONS: `--require "${preload.replaceAll("\\", "/")}"` };
  const { stdout, stderr } = sealab(["run", "--sample", "hello"], { env });
  expect(stdout).toContain("hello");
  expect(stderr).toContain("iced-x86");
  for (const library of ["terminal-kit", "xterm", "swc", "esbuild"]) expect(stderr).not.toContain(library);
});
