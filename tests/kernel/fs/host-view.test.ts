import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeHostFiles } from "../../../cli/node-host-files.js";
import { ENOENT, EROFS } from "../../../kernel/errno.js";
import { makeNode, removeDirectory, rename, unlink } from "../../../kernel/fs/names.js";
import { S_IFDIR, S_IFLNK } from "../../../kernel/fs/mode.js";
import { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } from "../../../kernel/fs/open-flags.js";
import { bytes, makeTree, opened, readAll } from "./tree.js";
import type { TestTree } from "./tree.js";

let outer: string;
let host: string;
let files: NodeHostFiles;

beforeEach(() => {
  outer = fs.mkdtempSync(join(tmpdir(), "sealab-view-"));
  host = join(outer, "shown");
  fs.mkdirSync(join(host, "sub"), { recursive: true });
  fs.writeFileSync(join(host, "file"), "host bytes");
  fs.writeFileSync(join(host, "sub", "inner"), "inner");
  fs.writeFileSync(join(outer, "secret"), "secret");
  fs.symlinkSync("../secret", join(host, "relative"));
  fs.symlinkSync(join(outer, "secret"), join(host, "absolute"));
  fs.symlinkSync("..", join(host, "sub", "parent"));
  files = new NodeHostFiles();
});

afterEach(() => {
  files.closeAll();
  fs.rmSync(outer, { recursive: true });
});

function view(mode: "cow" | "ro" | "rw"): TestTree {
  return makeTree([{ root: files.addRoot(host), guest: "/view", mode }], files);
}

/** Everything below the host directory, with contents. */
function snapshot(): Record<string, string> {
  const all: Record<string, string> = {};
  for (const name of fs.readdirSync(host, { recursive: true }) as string[]) {
    const stat = fs.lstatSync(join(host, name));
    all[name] = stat.isFile() ? fs.readFileSync(join(host, name), "latin1") : `${stat.mode}`;
  }
  return all;
}

describe("a copy-on-write view", () => {
  test("shows the host's files and keeps every change to itself", () => {
    const before = snapshot();
    const tree = view("cow");
    const start = tree.start();
    const file = opened(tree.open("/view/file", O_RDWR));
    expect(readAll(file)).toBe("host bytes");
    expect(file.write(bytes("GUEST"), 0)).toBe(5);
    expect(readAll(file)).toBe("GUESTbytes");
    expect(opened(tree.open("/view/new", O_CREAT | O_RDWR)).write(bytes("n"), 0)).toBe(1);
    expect(unlink(start, "/view/sub/inner")).toBe(0);
    expect(tree.open("/view/sub/inner", O_RDONLY)).toBe(-ENOENT);
    expect(rename(start, "/view/sub", start, "/view/moved", 0)).toBe(0);
    expect(makeNode(tree.fs, start, "/view/sub", S_IFDIR | 0o755)).toBe(0);
    expect(unlink(start, "/view/moved/parent")).toBe(0);
    expect(removeDirectory(start, "/view/moved")).toBe(0);
    opened(tree.open("/view/file", O_RDWR | O_TRUNC)).write(bytes("x"), 0);
    expect(snapshot()).toEqual(before);
  });

  test("a truncated file does not get its host bytes back", () => {
    const tree = view("cow");
    const file = opened(tree.open("/view/file", O_RDWR | O_TRUNC));
    file.write(bytes("z"), 8);
    expect(readAll(file)).toBe("\0\0\0\0\0\0\0\0z");
  });

  test("a directory moved keeps what the host has in it", () => {
    const tree = view("cow");
    const start = tree.start();
    expect(rename(start, "/view/sub", start, "/view/moved", 0)).toBe(0);
    expect(readAll(opened(tree.open("/view/moved/inner", O_RDONLY)))).toBe("inner");
    expect(tree.open("/view/sub/inner", O_RDONLY)).toBe(-ENOENT);
  });

  test("host links lead to guest places only", () => {
    const tree = view("cow");
    expect(tree.open("/view/relative", O_RDONLY)).toBe(-ENOENT);
    expect(tree.open("/view/absolute", O_RDONLY)).toBe(-ENOENT);
    expect(readAll(opened(tree.open("/view/sub/parent/file", O_RDONLY)))).toBe("host bytes");
    tree.fs.namespace.addFile("/secret", bytes("the guest's"));
    expect(readAll(opened(tree.open("/view/relative", O_RDONLY)))).toBe("the guest's");
    expect(files.open(0, "sub/parent/file", false)).toBeLessThan(0);
    expect(files.open(0, "../secret", false)).toBeLessThan(0);
    expect(files.open(0, "absolute", false)).toBeLessThan(0);
  });
});

test("a read-only view refuses changes with EROFS", () => {
  const tree = view("ro");
  const start = tree.start();
  expect(tree.open("/view/file", O_RDWR)).toBe(-EROFS);
  expect(tree.open("/view/new", O_CREAT | O_RDWR)).toBe(-EROFS);
  expect(unlink(start, "/view/file")).toBe(-EROFS);
  expect(readAll(opened(tree.open("/view/file", O_RDONLY)))).toBe("host bytes");
});

test("a read-write view changes the host", () => {
  const tree = view("rw");
  const start = tree.start();
  const file = opened(tree.open("/view/file", O_RDWR));
  expect(file.write(bytes("GUEST"), 0)).toBe(5);
  expect(fs.readFileSync(join(host, "file"), "latin1")).toBe("GUESTbytes");
  expect(opened(tree.open("/view/new", O_CREAT | O_RDWR, 0o640)).write(bytes("made"), 0)).toBe(4);
  expect(fs.readFileSync(join(host, "new"), "latin1")).toBe("made");
  expect(rename(start, "/view/sub", start, "/view/moved", 0)).toBe(0);
  expect(readAll(opened(tree.open("/view/moved/inner", O_RDONLY)))).toBe("inner");
  expect(makeNode(tree.fs, start, "/view/link", S_IFLNK | 0o777, { target: "file" })).toBe(0);
  expect(fs.readlinkSync(join(host, "link"))).toBe("file");
  expect(unlink(start, "/view/file")).toBe(0);
  expect(fs.existsSync(join(host, "file"))).toBe(false);
  // Whoever has it open still reads it.
  expect(readAll(file)).toBe("GUESTbytes");
  fs.writeFileSync(join(host, "new"), "changed outside");
  expect(readAll(opened(tree.open("/view/new", O_RDONLY)))).toBe("changed outside");
});

test("rw: what was written to a new file is there for mappings too", () => {
  const tree = view("rw");
  const file = opened(tree.open("/view/new", O_CREAT | O_RDWR));
  file.write(bytes("a".repeat(5000)), 0);
  const page = new Uint8Array(4096);
  file.pages!.read(4096, page);
  expect(Buffer.from(page.subarray(0, 904)).toString()).toBe("a".repeat(904));
  file.release();
});
