import { createRequire, syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeHostFiles } from "../../../cli/node-host-files.js";

/**
 * Somebody on the host swaps a directory, or a file, for a symbolic link that leads out, between any two of the calls
 * that NodeHostFiles makes for one operation.
 */
const fs = createRequire(import.meta.url)("node:fs") as typeof import("node:fs");
const CALLS = Object.keys(fs).filter((name) => /^[a-z].*Sync$/.test(name)) as (keyof typeof fs)[];
const original = new Map(CALLS.map((name) => [name, fs[name]]));

let outer: string;
let files: NodeHostFiles;
let root: number;

beforeEach(() => {
  outer = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "sealab-races-")));
  for (const directory of ["shown/dir/sub", "outside/sub"])
    fs.mkdirSync(join(outer, directory), { recursive: true });
  fs.writeFileSync(join(outer, "shown/dir/file"), "inside");
  fs.symlinkSync("inside", join(outer, "shown/dir/link"));
  fs.writeFileSync(join(outer, "outside/file"), "CANARY");
  fs.writeFileSync(join(outer, "outside/only-there"), "CANARY");
  fs.symlinkSync("CANARY", join(outer, "outside/link"));
  files = new NodeHostFiles();
  root = files.addRoot(join(outer, "shown"));
});

afterEach(() => {
  files.closeAll();
  fs.rmSync(outer, { recursive: true });
});

function outside(): unknown {
  return fs
    .readdirSync(join(outer, "outside"), { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => {
      const { mode, uid, size, nlink, mtimeMs } = fs.lstatSync(join(outer, "outside", name));
      return [name, mode, uid, size, nlink, mtimeMs];
    });
}

const SWAPS: Readonly<Record<string, () => void>> = {
  "a directory": () => {
    fs.renameSync(join(outer, "shown/dir"), join(outer, "shown/aside"));
    fs.symlinkSync("../outside", join(outer, "shown/dir"));
  },
  "a file": () => {
    fs.rmSync(join(outer, "shown/dir/file"), { force: true });
    fs.symlinkSync("../../outside/file", join(outer, "shown/dir/file"));
  },
  "an inner directory": () => {
    fs.rmdirSync(join(outer, "shown/dir/sub"));
    fs.symlinkSync("../../outside", join(outer, "shown/dir/sub"));
  },
};

function readAll(path: string): string {
  const handle = files.open(root, path, false);
  if (handle < 0) return "";
  const bytes = new Uint8Array(64);
  const count = files.read(handle, 0, bytes);
  files.close(handle);
  return Buffer.from(bytes.subarray(0, Math.max(0, count))).toString("latin1");
}

const NOW = { seconds: 1, nanoseconds: 0 };
const OPERATIONS: Readonly<Record<string, () => unknown>> = {
  stat: () => (files.stat(root, "dir/file") as { size?: number }).size,
  "stat what is only outside": () => typeof files.stat(root, "dir/only-there"),
  list: () => files.list(root, "dir"),
  "list below": () => files.list(root, "dir/sub"),
  readLink: () => files.readLink(root, "dir/link"),
  read: () => readAll("dir/file"),
  "read below": () => readAll("dir/sub/file"),
  write: () => {
    const handle = files.open(root, "dir/file", true);
    if (handle < 0) return;
    files.write(handle, 0, new Uint8Array(100));
    files.setSize(handle, 3);
    files.close(handle);
  },
  create: () => files.create(root, "dir/made", 0o644),
  makeDirectory: () => files.makeDirectory(root, "dir/made", 0o755),
  makeSymlink: () => files.makeSymlink(root, "dir/made", "x"),
  link: () => files.link(root, "dir/file", "dir/made"),
  "link below": () => files.link(root, "dir/file", "dir/sub/made"),
  removeFile: () => files.removeFile(root, "dir/file"),
  removeDirectory: () => files.removeDirectory(root, "dir/sub"),
  rename: () => files.rename(root, "dir/file", "dir/sub/made"),
  setPermissions: () => files.setPermissions(root, "dir/file", 0o777),
  setOwner: () => files.setOwner(root, "dir/file", process.getuid!(), process.getgid!()),
  setTimes: () => files.setTimes(root, "dir/file", NOW, NOW),
};

/** Runs `act` with `swap` made just before its `at`-th call on files; whether there was such a call. */
function withSwap(at: number, swap: () => void, act: () => void): boolean {
  let calls = 0;
  let inside = false;
  const writable = fs as unknown as Record<string, unknown>;
  for (const [name, real] of original) {
    const call = real as (...args: unknown[]) => unknown;
    const wrapped = (...args: unknown[]): unknown => {
      if (!inside && calls++ === at) {
        inside = true;
        swap();
      }
      return call(...args);
    };
    writable[name] = Object.assign(wrapped, real);
  }
  syncBuiltinESMExports();
  try {
    act();
  } finally {
    for (const [name, real] of original) writable[name] = real;
    syncBuiltinESMExports();
  }
  return calls > at;
}

function fresh(anchored: boolean, warm: boolean): void {
  files.closeAll();
  fs.rmSync(join(outer, "shown"), { recursive: true });
  fs.mkdirSync(join(outer, "shown/dir/sub"), { recursive: true });
  fs.writeFileSync(join(outer, "shown/dir/file"), "inside");
  fs.symlinkSync("inside", join(outer, "shown/dir/link"));
  files = new NodeHostFiles(anchored);
  root = files.addRoot(join(outer, "shown"));
  if (warm) for (const path of ["dir/file", "dir/sub/x"]) files.stat(root, path);
}

/** The answers of an operation with the swap before its first call on files, its second, and so on. */
function answers(operation: string, swap: string, anchored: boolean): unknown[] {
  const all: unknown[] = [];
  // Once without anything known of the directories, once with all of them held open.
  for (const warm of [false, true]) {
    for (let at = 0, more = true; more; at++) {
      fresh(anchored, warm);
      more = withSwap(at, SWAPS[swap]!, () => all.push(OPERATIONS[operation]!()));
    }
  }
  return all;
}

describe.skipIf(process.platform !== "linux")("races on the host's side, which Linux lets us win", () => {
  const cases = Object.keys(OPERATIONS).flatMap((operation) =>
    Object.keys(SWAPS).map((swap) => [operation, swap] as const),
  );

  test.each(cases)("%s while %s is swapped", (operation, swap) => {
    const before = outside();
    const given = answers(operation, swap, true);
    expect(given.length).toBeGreaterThan(3);
    expect(JSON.stringify(given)).not.toMatch(/CANARY|only-there|object/);
    expect(outside()).toEqual(before);
  });

  test("without held descriptors some of it would be lost", () => {
    expect(JSON.stringify(answers("read", "a directory", false))).toMatch(/CANARY/);
  });
});
