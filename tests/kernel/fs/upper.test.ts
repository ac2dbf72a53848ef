import { firstIdentities } from "../../../kernel/fs/file-system.js";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { NodeHostFiles } from "../../../cli/node-host-files.js";
import { BufferHost } from "../../../debug/buffer-host.js";
import { userCredentials } from "../../../kernel/credentials.js";
import type { FsContext } from "../../../kernel/fs/fs-context.js";
import { HostLower } from "../../../kernel/fs/host-lower.js";
import { DirectoryInode, RegularInode, SymlinkInode, type Inode } from "../../../kernel/fs/inode.js";
import { S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK } from "../../../kernel/fs/mode.js";
import { makeLink, makeNode, removeDirectory, rename, unlink } from "../../../kernel/fs/names.js";
import { startOf } from "../../../kernel/fs/namespace.js";
import { openPath } from "../../../kernel/fs/open.js";
import {
  O_CREAT,
  O_RDWR,
  O_TMPFILE_BIT,
  O_DIRECTORY,
  O_TRUNC,
  O_WRONLY,
  RENAME_EXCHANGE,
} from "../../../kernel/fs/open-flags.js";
import { buildTree, keepChanges } from "../../../kernel/fs/tree-setup.js";
import { walk, type WalkStart } from "../../../kernel/fs/walk.js";
import { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { PhysicalMemory } from "../../../mmu/physical-memory.js";
import { tar } from "./tar-archive.js";
import { TarFiles } from "../../../kernel/fs/tar-files.js";
import { TarImage } from "../../../kernel/fs/tar-image.js";
import { ArraySource } from "../../../kernel/fs/byte-source.js";

const root = userCredentials(0, 0);
const lower = tar([
  { name: "etc/passwd", content: "root:x:0" },
  { name: "etc/hosts", content: "127.0.0.1" },
  { name: "etc/same", type: "1", link: "etc/hosts" },
  { name: "usr/bin/tool", content: "t".repeat(10_000), mode: 0o4755, uid: 5 },
  { name: "usr/share/doc/", type: "5", mode: 0o755 },
  { name: "usr/share/doc/read", content: "me" },
  { name: "bin", type: "2", link: "usr/bin" },
]);

/** A tree that a task may work in. */
class Tree {
  readonly fs: FsContext;
  readonly start: WalkStart;
  private clock = 1_700_000_000_000_000_000n;

  constructor(
    readonly files: NodeHostFiles | null,
    upper: string | null,
  ) {
    const frames = new FrameAllocator(new PhysicalMemory(16 << 20));
    const archive = new HostLower(new TarFiles(new TarImage(new ArraySource(lower))), 0, false);
    const namespace = buildTree({
      context: { frames, identities: firstIdentities(), now: () => (this.clock += 1n) },
      host: new BufferHost(),
      root: archive,
      ...(upper === null || !files ? {} : { upper: new HostLower(files, files.addRoot(upper), true) }),
    });
    if ("errno" in namespace) throw new Error("no tree");
    keepChanges(namespace, true);
    this.fs = { namespace, cwd: namespace.root, root: namespace.root, umask: 0o022 };
    this.start = startOf(this.fs, root);
  }

  inode(path: string): Inode | number {
    const found = walk(this.start, path, false);
    return typeof found === "number" ? found : found.location.dentry.inode;
  }

  write(path: string, text: string, at = 0, flags = O_CREAT): number {
    const file = openPath(this.fs, root, this.fs.cwd, path, flags | O_RDWR, 0o644);
    if (typeof file === "number") return file;
    if ("fifo" in file) return -1;
    file.hold();
    const result = file.write(Buffer.from(text), at);
    file.release();
    return result;
  }

  /** Everything, as far as a program can tell; inodes by number so that links show. */
  all(): Record<string, unknown> {
    const out: Record<string, unknown> = {};
    const numbers = new Map<Inode, string>();
    const visit = (path: string): void => {
      const inode = this.inode(path);
      if (typeof inode === "number") throw new Error(`${path}: ${inode}`);
      const { mode, uid, gid, links, size, modified, deviceNumber } = inode;
      const first = numbers.get(inode) ?? path;
      numbers.set(inode, first);
      const isDirectory = inode instanceof DirectoryInode;
      let content: unknown = null;
      if (inode instanceof RegularInode) {
        const bytes = new Uint8Array(size);
        expect(inode.read(0, bytes)).toBe(size);
        content = Buffer.from(bytes).toString("latin1");
      }
      if (inode instanceof SymlinkInode) content = inode.readLink();
      out[path] = {
        mode,
        uid,
        gid,
        links,
        first,
        content,
        deviceNumber,
        ...(isDirectory ? {} : { size, modified }),
      };
      if (!isDirectory || /^\/(dev|proc|sys)$/.test(path)) return;
      const entries = inode.entries();
      if (typeof entries === "number") throw new Error(`${path}: ${entries}`);
      for (const name of entries.map((entry) => entry.name).sort())
        visit(`${path === "/" ? "" : path}/${name}`);
    };
    visit("/");
    return out;
  }
}

let outer: string;
let upper: string;
let open: NodeHostFiles[];

beforeEach(() => {
  outer = fs.mkdtempSync(join(tmpdir(), "sealab-upper-"));
  upper = join(outer, "upper");
  fs.mkdirSync(upper);
  open = [];
});

afterEach(() => {
  for (const files of open) files.closeAll();
  fs.rmSync(outer, { recursive: true });
});

function tree(): Tree {
  const files = new NodeHostFiles();
  open.push(files);
  return new Tree(files, upper);
}

describe("what comes back", () => {
  test("an empty directory becomes a layer", () => {
    const before = new Tree(null, null).all();
    expect(tree().all()).toEqual(before);
    expect(tree().all()).toEqual(before);
    expect(fs.readdirSync(upper).sort()).toEqual(["files", "journal"]);
  });

  test("files, links, nodes, attributes, removals", () => {
    const first = tree();
    const { start } = first;
    first.write("/etc/new", "new");
    first.write("/etc/passwd", "ROOT");
    first.write("/etc/same", "!", 3);
    first.write("/usr/bin/tool", "", 0, O_TRUNC);
    expect(makeNode(first.fs, start, "/etc/pipe", S_IFIFO | 0o600)).toBe(0);
    expect(makeNode(first.fs, start, "/etc/null", S_IFCHR | 0o666, { device: { major: 1, minor: 3 } })).toBe(
      0,
    );
    expect(makeNode(first.fs, start, "/etc/sym", S_IFLNK | 0o777, { target: "/\xff\n" })).toBe(0);
    expect(makeNode(first.fs, start, "/etc/d\xe9\n", S_IFDIR | 0o1777)).toBe(0);
    expect(rename(start, "/usr/share", start, "/etc/moved", 0)).toBe(0);
    expect(unlink(start, "/etc/moved/doc/read")).toBe(0);
    (first.inode("/bin") as Inode).setOwner(12, 34);
    (first.inode("/etc/hosts") as Inode).setPermissions(0o600);
    (first.inode("/etc") as Inode).setTimes({ seconds: -5, nanoseconds: 1 }, { seconds: 7, nanoseconds: 9 });
    const all = first.all();
    expect(tree().all()).toEqual(all);
    expect(tree().all()).toEqual(all);
    expect(all["/etc/hosts"]).toMatchObject({
      content: "127!0.0.1",
      mode: 0o100600,
      links: 2,
      first: "/etc/hosts",
    });
    expect(all["/etc/same"]).toMatchObject({ first: "/etc/hosts" });
    expect(fs.readdirSync(outer)).toEqual(["upper"]);
  });

  test("a file without a name gets kept when it gets one", () => {
    const first = tree();
    const file = openPath(first.fs, root, first.fs.cwd, "/etc", O_TMPFILE_BIT | O_DIRECTORY | O_RDWR, 0o600);
    if (typeof file === "number" || "fifo" in file) throw new Error("no O_TMPFILE");
    file.hold();
    file.write(Buffer.from("unnamed"), 0);
    expect(makeLink(first.start, file.location, "/etc/named")).toBe(0);
    file.write(Buffer.from("!"), 7);
    file.release();
    expect(tree().all()["/etc/named"]).toMatchObject({ content: "unnamed!", links: 1 });
  });

  test("a removed file that is still open has its bytes, and they go with it", () => {
    const first = tree();
    first.write("/etc/gone", "bytes");
    const file = openPath(first.fs, root, first.fs.cwd, "/etc/gone", O_RDWR, 0);
    if (typeof file === "number" || "fifo" in file) throw new Error("not opened");
    file.hold();
    expect(unlink(first.start, "/etc/gone")).toBe(0);
    const bytes = new Uint8Array(5);
    file.read(bytes, 0);
    expect(Buffer.from(bytes).toString()).toBe("bytes");
    expect(fs.readdirSync(join(upper, "files"))).toHaveLength(1);
    file.release();
    expect(fs.readdirSync(join(upper, "files"))).toHaveLength(0);
  });
});

test("random changes: with an upper layer, with one that is opened anew, and in memory, all the same", () => {
  let seed = 7;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return (seed >>> 8) % below;
  };
  const names = ["a", "b", "etc", "usr", "hosts", "same", "passwd", "share", "doc", "read", "bin", "tool"];
  const path = (): string =>
    Array.from({ length: 1 + random(3) }, () => `/${names[random(names.length)]!}`).join("");
  const memory = new Tree(null, null);
  let kept = tree();
  for (let step = 0; step < 800; step++) {
    const [a, b, what, n] = [path(), path(), random(12), random(9000)];
    const text = String.fromCharCode(97 + random(26)).repeat(1 + random(5000));
    const act = (on: Tree): number => {
      const { start } = on;
      const attributes = (change: (inode: Inode) => number): number => {
        const inode = on.inode(a);
        return typeof inode === "number" ? inode : change(inode);
      };
      switch (what) {
        case 0:
          return makeNode(on.fs, start, a, S_IFDIR | 0o755);
        case 1:
          return makeNode(on.fs, start, a, S_IFLNK | 0o777, { target: b });
        case 2:
          return unlink(start, a);
        case 3:
          return removeDirectory(start, a);
        case 4:
          return rename(start, a, start, b, 0);
        case 5:
          return rename(start, a, start, b, RENAME_EXCHANGE);
        case 6: {
          const found = walk(start, a, false);
          return typeof found === "number" ? found : makeLink(start, found.location, b);
        }
        case 7:
          return on.write(a, text, n, O_CREAT);
        case 8:
          return on.write(a, text, 0, O_CREAT | O_TRUNC);
        case 9:
          return attributes((inode) => inode.setPermissions(n & 0o777));
        case 10:
          return attributes((inode) => inode.setOwner(n, n + 1));
        default:
          return attributes((inode) => (inode instanceof RegularInode ? inode.truncate(n) : 0));
      }
    };
    expect([step, a, b, act(kept)]).toEqual([step, a, b, act(memory)]);
    if (step % 100 === 99) kept = tree();
    if (step % 50 === 49) expect(withoutTimes(kept.all())).toEqual(withoutTimes(memory.all()));
  }
});

/** Setting up takes time of the clock, so that only the order of times is the same. */
function withoutTimes(all: Record<string, unknown>): unknown {
  return Object.fromEntries(
    Object.entries(all).map(([path, node]) => [path, { ...(node as object), modified: undefined }]),
  );
}

describe("a run that was killed", () => {
  test("at any byte of the journal leaves a layer that is as it was some changes earlier", () => {
    const first = tree();
    for (let i = 0; i < 8; i++) first.write(`/etc/f${i}`, `${i}`);
    rename(first.start, "/etc/f1", first.start, "/etc/g1", 0);
    const journal = fs.readFileSync(join(upper, "journal"));
    const saved = join(outer, "saved");
    fs.cpSync(upper, saved, { recursive: true });
    const firstLine = journal.indexOf(10) + 1;
    let files = 0;
    for (let end = firstLine; end <= journal.length; end += 37) {
      fs.rmSync(upper, { recursive: true });
      fs.cpSync(saved, upper, { recursive: true });
      fs.writeFileSync(join(upper, "journal"), journal.subarray(0, end));
      const now = Object.keys(tree().all()).filter((name) => /\/etc\/[fg]\d/.test(name)).length;
      expect(now).toBeGreaterThanOrEqual(files);
      files = now;
    }
    expect(files).toBe(8);
  });

  test("while it wrote the journal anew leaves the old one", () => {
    tree().write("/etc/new", "kept");
    fs.writeFileSync(join(upper, "journal.new"), "half a li");
    expect(tree().all()["/etc/new"]).toMatchObject({ content: "kept" });
  });
});

test.each([
  ["is neither empty nor an upper layer", () => fs.writeFileSync(join(upper, "something"), "")],
  ["is not an upper layer of this version", () => fs.writeFileSync(join(upper, "journal"), "other\n")],
  [
    "line 3 of its journal is broken",
    () => fs.writeFileSync(join(upper, "journal"), '["sealab-upper",1]\n[]\n{}\n'),
  ],
  [
    "line 2 of its journal is broken",
    () => fs.writeFileSync(join(upper, "journal"), '["sealab-upper",1]\n[["name",1,"../x",2]]\n'),
  ],
])("a directory that %s is refused", (reason, prepare) => {
  prepare();
  const before = fs.readdirSync(upper);
  expect(() => tree()).toThrow(reason);
  expect(fs.readdirSync(upper)).toEqual(before);
});

test("what cannot be written for want of space is told, and the layer stays whole", () => {
  const first = tree();
  const { store } = (
    first.fs.namespace.mounts[0]!.fileSystem as unknown as { upper: { journal: { store: HostLower } } }
  ).upper.journal;
  const { write } = store;
  first.write("/etc/one", "1");
  store.write = () => -28;
  expect(first.write("/etc/two", "2")).toBe(-28);
  expect(first.write("/etc/one", "x", 0, O_WRONLY)).toBe(-28);
  store.write = write;
  first.write("/etc/three", "3");
  const all = tree().all();
  expect(all["/etc/one"]).toMatchObject({ content: "1" });
  expect(all["/etc/three"]).toMatchObject({ content: "3" });
});
