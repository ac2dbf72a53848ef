import { describe, expect, test } from "vitest";
import { userCredentials } from "../../../kernel/credentials.js";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EXDEV } from "../../../kernel/errno.js";
import { absolutePath } from "../../../kernel/fs/mount.js";
import { makeNode } from "../../../kernel/fs/names.js";
import { S_IFDIR, S_IFLNK } from "../../../kernel/fs/mode.js";
import { RESOLVE_BENEATH, RESOLVE_IN_ROOT, walk } from "../../../kernel/fs/walk.js";
import { makeTree } from "./tree.js";
import type { TestTree } from "./tree.js";

function pathOf(tree: TestTree, path: string, follow = true): string | number {
  const found = walk(tree.start(), path, follow);
  return typeof found === "number" ? found : absolutePath(found.location);
}

function directory(tree: TestTree, path: string, mode = 0o755): void {
  expect(makeNode(tree.fs, tree.start(), path, S_IFDIR | mode)).toBe(0);
}

function symlink(tree: TestTree, path: string, target: string): void {
  expect(makeNode(tree.fs, tree.start(), path, S_IFLNK | 0o777, { target })).toBe(0);
}

describe("walk", () => {
  test("dots, slashes, the root's parent", () => {
    const tree = makeTree();
    directory(tree, "/a");
    directory(tree, "/a/b");
    expect(pathOf(tree, "//a/./b/../b//")).toBe("/a/b");
    expect(pathOf(tree, "/../../a")).toBe("/a");
    expect(pathOf(tree, "/")).toBe("/");
    expect(pathOf(tree, "")).toBe(-ENOENT);
    expect(pathOf(tree, "/none/../a")).toBe(-ENOENT);
    expect(pathOf(tree, `/${"x".repeat(256)}`)).toBe(-ENAMETOOLONG);
  });

  test("links: relative, absolute, in the middle, at the end", () => {
    const tree = makeTree();
    directory(tree, "/a");
    directory(tree, "/a/b");
    symlink(tree, "/a/up", "../a/b");
    symlink(tree, "/abs", "/a");
    expect(pathOf(tree, "/abs/up")).toBe("/a/b");
    expect(pathOf(tree, "/abs/up", false)).toBe("/a/up");
    expect(pathOf(tree, "/abs/up/", false)).toBe("/a/b");
    expect(pathOf(tree, "/a/up/..")).toBe("/a");
  });

  test("forty links are followed, forty-one are not", () => {
    const tree = makeTree();
    directory(tree, "/end");
    symlink(tree, "/l1", "end");
    for (let i = 2; i <= 41; i++) symlink(tree, `/l${i}`, `l${i - 1}`);
    expect(pathOf(tree, "/l40")).toBe("/end");
    expect(pathOf(tree, "/l41")).toBe(-ELOOP);
  });

  test("search permission is asked of every directory", () => {
    const tree = makeTree();
    directory(tree, "/shut", 0o700);
    directory(tree, "/shut/in");
    const user = tree.start(userCredentials(1000, 1000));
    expect(walk(user, "/shut/in", true)).toBe(-EACCES);
    expect(walk(user, "/shut/none", true)).toBe(-EACCES);
    expect(typeof walk(user, "/shut", true)).toBe("object");
  });

  test("a file is no directory", () => {
    const tree = makeTree();
    tree.fs.namespace.addFile("/f", new Uint8Array(3));
    expect(pathOf(tree, "/f/")).toBe(-ENOTDIR);
    expect(pathOf(tree, "/f/x")).toBe(-ENOTDIR);
    expect(pathOf(tree, "/f/..")).toBe(-ENOTDIR);
  });

  test("RESOLVE_BENEATH refuses to leave, RESOLVE_IN_ROOT stays", () => {
    const tree = makeTree();
    directory(tree, "/in");
    directory(tree, "/in/d");
    symlink(tree, "/in/out", "../outside");
    symlink(tree, "/in/abs", "/d");
    const base = walk(tree.start(), "/in", true);
    if (typeof base === "number") throw new Error("no base");
    const confined = (resolve: number) => ({ ...tree.start(), base: base.location, resolve });
    expect(walk(confined(RESOLVE_BENEATH), "../in", true)).toBe(-EXDEV);
    expect(walk(confined(RESOLVE_BENEATH), "out", true)).toBe(-EXDEV);
    expect(walk(confined(RESOLVE_BENEATH), "/in", true)).toBe(-EXDEV);
    const inRoot = walk(confined(RESOLVE_IN_ROOT), "abs", true);
    expect(typeof inRoot === "number" ? inRoot : absolutePath(inRoot.location)).toBe("/in/d");
    expect(walk(confined(RESOLVE_IN_ROOT), "out", true)).toBe(-ENOENT);
  });
});
