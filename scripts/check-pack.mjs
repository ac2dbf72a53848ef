// Packs the package, installs the tarball in an empty directory elsewhere and uses it there: the command, the library
// from JavaScript, and its types from TypeScript.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../", import.meta.url));
const elsewhere = mkdtempSync(join(tmpdir(), "sealab-pack-"));
const shell = process.platform === "win32";

function run(command, args, cwd) {
  return execFileSync(command, args, { cwd, shell, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}

function expect(what, actual, wanted) {
  if (!actual.includes(wanted))
    throw new Error(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(actual)}`);
  process.stdout.write(`ok: ${what}\n`);
}

const PROGRAM = `import { Machine, BufferHost, type SyscallStop } from "sealab";
import { findSample } from "sealab/userland";

const host = new BufferHost();
const machine = Machine.create({ host });
machine.load(findSample("hello")!.build(), { argv: ["hello"] });
const stop: SyscallStop | null = machine.untilSyscall("write");
const end = machine.run();
console.log(stop?.name, end.reason, host.text(1).trim());
`;

const HOOK = `import type { HookContext } from "sealab";
export default ({ operation }: HookContext): boolean => operation === "munmap";
`;

const TEST = `import { expect, it } from "vitest";
import { Machine } from "sealab";
import { Program, SYS } from "sealab/userland";
import "sealab/vitest";

it("a seal holds", () => {
  const machine = Machine.create();
  const program = new Program().label("_start").syscall(SYS.mmap, 0x5ea10000, 4096, 3, 0x32, -1, 0);
  program.syscall(SYS.mseal, 0x5ea10000, 4096, 0).syscall(SYS.munmap, 0x5ea10000, 4096).exit(0);
  machine.load(program.build());
  expect(machine.untilSyscall("munmap")).toBeRefused({ by: "munmap.sealed", errno: "EPERM" });
  expect(machine).toBeSealed(0x5ea10000);
  expect(() => expect(machine).toBeSealed(0x7000)).toThrow();
});
`;

try {
  // The build is there already; --ignore-scripts keeps npm pack from making it again.
  const packed = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", elsewhere], root),
  );
  const [{ filename, size, entryCount }] = Array.isArray(packed) ? packed : Object.values(packed);
  process.stdout.write(`${filename}: ${(size / 1024).toFixed(0)} KiB, ${entryCount} files\n`);
  writeFileSync(join(elsewhere, "package.json"), '{ "private": true, "type": "module" }\n');
  run(
    "npm",
    ["install", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error", `./${filename}`],
    elsewhere,
  );

  expect("npx sealab --version", run("npx", ["--no-install", "sealab", "--version"], elsewhere), "sealab ");
  expect(
    "npx sealab run",
    run("npx", ["--no-install", "sealab", "run", "--sample", "hello"], elsewhere),
    "hello",
  );
  expect("npx sealab demo", run("npx", ["--no-install", "sealab", "demo"], elsewhere), "EPERM");

  writeFileSync(join(elsewhere, "hook.ts"), HOOK);
  const hooked = ["--no-install", "sealab", "run", "--sealing", "./hook.ts", "--sample", "jit-heap"];
  expect("a hook in TypeScript", run("npx", hooked, elsewhere), "attacker: munmap: ok");

  writeFileSync(join(elsewhere, "program.ts"), PROGRAM);
  writeFileSync(join(elsewhere, "seal.test.ts"), TEST);
  symlinkSync(join(root, "node_modules", "vitest"), join(elsewhere, "node_modules", "vitest"), "junction");
  const tsc = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const compilerOptions = {
    strict: true,
    module: "nodenext",
    target: "es2022",
    skipLibCheck: true,
    types: [],
  };
  writeFileSync(
    join(elsewhere, "tsconfig.json"),
    JSON.stringify({ compilerOptions, files: ["program.ts", "seal.test.ts"] }),
  );
  run(process.execPath, [tsc, "-p", "."], elsewhere);
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  expect("sealab/vitest", run(process.execPath, [vitest, "run", "--root", "."], elsewhere), "seal.test.ts");
  expect("import from sealab", run(process.execPath, ["program.js"], elsewhere), "write exited hello");
  const asBrowser = run(process.execPath, ["--conditions=browser", "program.js"], elsewhere);
  expect("the browser's build of it", asBrowser, "write exited hello");
} finally {
  rmSync(elsewhere, { recursive: true, force: true });
}
