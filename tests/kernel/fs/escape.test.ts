import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeHost } from "../../../cli/node-host.js";
import type { MachineOptions } from "../../../debug/machine-options.js";
import { Machine } from "../../../debug/machine.js";
import { tar, type Member } from "./tar-archive.js";

const program = fs.readFileSync(new URL("../../recorded/files/escape.elf", import.meta.url));
const SECRET = "CANARY: nobody inside may read or change this\n";

let outer: string;
let shown: string;
let host: NodeHost;
let output: string;

beforeEach(() => {
  outer = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "sealab-escape-")));
  shown = join(outer, "shown");
  fs.mkdirSync(join(shown, "dir", "sub"), { recursive: true });
  fs.mkdirSync(join(outer, "upper"));
  fs.writeFileSync(join(outer, "canary"), SECRET, { mode: 0o640 });
  fs.writeFileSync(join(shown, "file"), "inside");
  for (const [name, target] of Object.entries(links())) fs.symlinkSync(target, join(shown, name));
  host = new NodeHost({ seed: 0 });
  output = "";
  host.write = (_fd, bytes) => void (output += Buffer.from(bytes).toString("latin1"));
});

afterEach(() => {
  host.close();
  fs.rmSync(outer, { recursive: true });
});

function links(): Record<string, string> {
  return {
    rel: "../canary",
    abs: join(outer, "canary"),
    up: "..",
    upup: "../../../../../../../..",
    hostroot: "/",
    self: "/proc/self/root/..",
    loop: "loop",
    "dir/deep": "../../canary",
  };
}

/** What is outside of the directory that is shown: names, and all that can be told of the canary but its last reading. */
function outside(): unknown {
  const canary = join(outer, "canary");
  const { mode, uid, gid, nlink, size, mtimeNs, ino } = fs.statSync(canary, { bigint: true });
  const names = fs.readdirSync(outer).sort();
  return { names, text: fs.readFileSync(canary, "latin1"), mode, uid, gid, nlink, size, mtimeNs, ino };
}

function run(options: MachineOptions, base: string): void {
  const before = outside();
  const machine = Machine.create({ memoryBytes: 64 << 20, host, ...options });
  machine.load(program, { path: "/escape", argv: ["/escape", base, join(outer, "canary")] });
  const end = machine.run(200_000_000);
  expect(end).toMatchObject({ reason: "exited", status: { code: 0 } });
  expect(output).toMatch(/^tried \d{4,}\n$/);
  expect(outside()).toEqual(before);
}

const root = (): number => host.fileSource.addRoot(shown);

test("a root that is a directory, copy-on-write", () => {
  run({ root: root() }, "/");
  expect(fs.readdirSync(shown).sort()).toEqual(
    [...Object.keys(links()).filter((name) => !name.includes("/")), "dir", "file"].sort(),
  );
});

test.each(["cow", "ro", "rw"] as const)("a mount, %s", (mode) => {
  run({ mounts: [{ root: root(), guest: "/m", mode }] }, "/m");
});

test("the program says so when it gets there", () => {
  const machine = Machine.create({
    memoryBytes: 64 << 20,
    host,
    mounts: [{ root: host.fileSource.addRoot(outer), guest: "/m", mode: "cow" }],
  });
  machine.load(program, { path: "/escape", argv: ["/escape", "/m/shown", join(outer, "canary")] });
  machine.run(200_000_000);
  expect(output).toContain("ESCAPE openat /m/shown/../canary\n");
});

test("a root that is an archive", () => {
  const members: Member[] = [
    { name: "dir/sub/", type: "5", mode: 0o755 },
    { name: "file", content: "inside" },
    ...Object.entries(links()).map(([name, link]) => ({ name, type: "2", link })),
  ];
  run({ root: tar(members) }, "/");
});

test("an upper layer in a directory, also when it is used again", () => {
  const upper = host.fileSource.addRoot(join(outer, "upper"));
  run({ root: root(), upper }, "/");
  output = "";
  run({ root: root(), upper }, "/");
  const kept = fs.readdirSync(join(outer, "upper"), { recursive: true, encoding: "utf8" });
  for (const name of kept) {
    expect(name).toMatch(/^(journal|files|files\/\d+)$/);
    expect(fs.lstatSync(join(outer, "upper", name)).isSymbolicLink()).toBe(false);
  }
});
