import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ArraySource } from "../../../kernel/fs/byte-source.js";
import type { HostStat } from "../../../kernel/fs/host-files.js";
import { TarFiles } from "../../../kernel/fs/tar-files.js";
import { TarImage } from "../../../kernel/fs/tar-image.js";
import { pax, tar, type Member } from "./tar-archive.js";

function open(archive: Uint8Array): TarFiles {
  return new TarFiles(new TarImage(new ArraySource(archive)));
}

function content(files: TarFiles, path: string): string {
  const handle = files.open(0, path, false);
  if (handle < 0) return `errno ${-handle}`;
  const bytes = new Uint8Array((files.stat(0, path) as HostStat).size);
  files.read(handle, 0, bytes);
  return Buffer.from(bytes).toString("latin1");
}

describe("members", () => {
  const files = open(
    tar([
      { name: "./", type: "5", mode: 0o750, uid: 3 },
      { name: "etc/", type: "5", mode: 0o711, uid: 1, gid: 2, modified: 99 },
      { name: "etc/passwd", content: "root", mode: 0o4755, uid: 7, gid: 8, modified: 1234 },
      { name: "etc/link", type: "2", link: "../outside" },
      { name: "etc/hard", type: "1", link: "./etc/passwd" },
      { name: "dev/null", type: "3", device: [1, 3] },
      { name: "dev/sda", type: "4", device: [8, 0] },
      { name: "pipe", type: "6" },
      { name: "old", type: "\0", content: "v7", format: "v7" },
      { name: "olddir/", type: "\0", format: "v7" },
      { name: "b".repeat(90), prefix: "p/".repeat(20) + "q", content: "prefixed" },
      { name: "././@LongLink", type: "L", content: `${"n".repeat(200)}\0`, format: "gnu" },
      { name: "n".repeat(100), content: "long", format: "gnu" },
      { name: "././@LongLink", type: "K", content: `${"t".repeat(150)}\0`, format: "gnu" },
      { name: "longlink", type: "2", link: "t".repeat(100), format: "gnu" },
      {
        name: "PaxHeaders/x",
        type: "x",
        content: pax({
          path: "pax/na\xc3\xafve",
          size: "5",
          mtime: "12.5",
          uid: "70000",
          "SCHILY.xattr.user.a": "b",
        }),
      },
      { name: "short", content: "12345", size: 0 },
      { name: "x", type: "x", content: pax({ linkpath: "z".repeat(120) }) },
      { name: "paxlink", type: "2", link: "cut" },
      { name: "etc/twice", content: "first" },
      { name: "etc/twice", content: "second", mode: 0o600 },
    ]),
  );

  test("have their mode, owner and time", () => {
    expect(files.stat(0, "etc/passwd")).toMatchObject({
      mode: 0o104755,
      uid: 7,
      gid: 8,
      size: 4,
      links: 2,
      modified: { seconds: 1234, nanoseconds: 0 },
    });
    expect(files.stat(0, "etc")).toMatchObject({ mode: 0o040711, uid: 1, gid: 2, links: 2 });
    expect(files.stat(0, "")).toMatchObject({ mode: 0o040750, uid: 3 });
    expect(files.stat(0, "dev/null")).toMatchObject({ mode: 0o020644, deviceNumber: { major: 1, minor: 3 } });
    expect(files.stat(0, "dev/sda")).toMatchObject({ mode: 0o060644, deviceNumber: { major: 8, minor: 0 } });
    expect(files.stat(0, "pipe")).toMatchObject({ mode: 0o010644 });
    expect(files.stat(0, "olddir")).toMatchObject({ mode: 0o040644 });
  });

  test("have their content", () => {
    expect(content(files, "etc/passwd")).toBe("root");
    expect(content(files, "old")).toBe("v7");
    expect(content(files, `${"p/".repeat(20)}q/${"b".repeat(90)}`)).toBe("prefixed");
  });

  test("a hard link is the same file", () => {
    expect(files.stat(0, "etc/hard")).toEqual(files.stat(0, "etc/passwd"));
  });

  test("a symbolic link is not followed", () => {
    expect(files.readLink(0, "etc/link")).toBe("../outside");
    expect(files.stat(0, "etc/link/x")).toBeLessThan(0);
  });

  test("long names, GNU's and pax's", () => {
    expect(content(files, "n".repeat(200))).toBe("long");
    expect(files.readLink(0, "longlink")).toBe("t".repeat(150));
    expect(files.readLink(0, "paxlink")).toBe("z".repeat(120));
    expect(files.stat(0, "pax/na\xc3\xafve")).toMatchObject({
      size: 5,
      uid: 70000,
      modified: { seconds: 12, nanoseconds: 500_000_000 },
    });
    expect(content(files, "pax/na\xc3\xafve")).toBe("12345");
  });

  test("the last of a name counts", () => {
    expect(content(files, "etc/twice")).toBe("second");
    expect(files.stat(0, "etc/twice")).toMatchObject({ mode: 0o100600, links: 1 });
  });
});

test("members below a symbolic link go where it leads, inside", () => {
  const files = open(
    tar([
      { name: "usr/lib/", type: "5" },
      { name: "lib", type: "2", link: "usr/lib" },
      { name: "lib/libc.so", content: "c" },
      { name: "usr/up", type: "2", link: "../../../lib" },
      { name: "usr/up/libm.so", content: "m" },
    ]),
  );
  expect(content(files, "usr/lib/libc.so")).toBe("c");
  expect(content(files, "usr/lib/libm.so")).toBe("m");
});

test("only headers are read before a file is", () => {
  const archive = tar([
    { name: "big", content: new Uint8Array(8 << 20) },
    { name: "small", content: "s" },
  ]);
  let read = 0;
  const source = {
    size: archive.length,
    read: (offset: number, destination: Uint8Array) => {
      read += destination.length;
      return new ArraySource(archive).read(offset, destination);
    },
  };
  const files = new TarFiles(new TarImage(source));
  expect(read).toBeLessThan(100_000);
  expect(content(files, "small")).toBe("s");
  expect(read).toBeLessThan(100_000);
});

const good: Member = { name: "a", content: "x".repeat(600) };
test.each<readonly [string, Uint8Array, RegExp]>([
  ["nothing", new Uint8Array(), /^offset 0: not a tar archive/],
  ["a text", Buffer.from("no archive\n".repeat(100)), /^offset 0: not a tar header/],
  ["a broken checksum", tar([good]).map((byte, i) => (i === 3 ? 65 : byte)), /^offset 0: not a tar header/],
  [
    "a broken second header",
    tar([good, good]).map((byte, i) => (i === 1540 ? 65 : byte)),
    /^offset 1536: not a tar header/,
  ],
  [
    "a cut content",
    tar([good]).subarray(0, 900),
    /^offset 0: cut short: this member has 600 bytes, the archive 388/,
  ],
  ["a cut header", tar([good]).subarray(0, 200), /^offset 0: cut short within a header/],
  ["a name that leads out", tar([{ name: "a/../../b" }]), /^offset 0: the name "a\/..\/..\/b" leads out/],
  [
    "a hard link to nothing",
    tar([{ name: "b", type: "1", link: "none" }]),
    /^offset 0: a hard link to "none"/,
  ],
  ["a member below a file", tar([good, { name: "a/b" }]), /^offset 1536: a member below "a"/],
  [
    "links in a circle",
    tar([{ name: "l", type: "2", link: "l" }, { name: "l/x" }]),
    /^offset 512: too many symbolic links/,
  ],
  [
    "a broken pax record",
    tar([{ name: "x", type: "x", content: "99 path=a\n" }, good]),
    /^offset 512: a broken pax record/,
  ],
  ["a sparse member", tar([{ name: "s", type: "S", format: "gnu" }]), /^offset 0: a sparse member/],
])("%s is refused, with the offset", (_what, archive, message) => {
  expect(() => open(archive)).toThrow(message);
});

test("random damage never does more than throw", () => {
  const archive = tar([
    good,
    { name: "d/", type: "5" },
    { name: "x", type: "x", content: pax({ path: "p" }) },
    good,
  ]);
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed % below;
  };
  for (let i = 0; i < 3000; i++) {
    const broken = archive.slice(0, random(2) === 0 ? archive.length : random(archive.length));
    for (let n = random(4); n >= 0; n--) if (broken.length > 0) broken[random(broken.length)] = random(256);
    try {
      open(broken);
    } catch (error) {
      expect((error as Error).name).toBe("TarError");
    }
  }
});

function hasTar(): boolean {
  try {
    return execFileSync("tar", ["--version"], { encoding: "utf8" }).includes("GNU tar");
  } catch {
    return false;
  }
}

test.skipIf(!hasTar()).each(["ustar", "gnu", "posix", "v7", "oldgnu"])(
  "what GNU tar makes of a tree, as %s",
  (format) => {
    const outer = fs.mkdtempSync(join(tmpdir(), "sealab-tar-"));
    onTestFinished(() => fs.rmSync(outer, { recursive: true }));
    const tree = join(outer, "tree");
    fs.mkdirSync(join(tree, "d", "e"), { recursive: true });
    fs.writeFileSync(join(tree, "d", "file"), "content", { mode: 0o640 });
    fs.linkSync(join(tree, "d", "file"), join(tree, "d", "hard"));
    fs.symlinkSync("file", join(tree, "d", "sym"));
    if (format !== "v7" && format !== "ustar") fs.writeFileSync(join(tree, "n".repeat(180)), "long");
    execFileSync("tar", [`--format=${format}`, "-C", tree, "-cf", join(outer, "t.tar"), "."]);
    const files = open(fs.readFileSync(join(outer, "t.tar")));
    const walk = (path: string): void => {
      const real = fs.lstatSync(join(tree, path));
      const ours = files.stat(0, path) as HostStat;
      expect([path, ours.mode, ours.uid, ours.gid]).toEqual([path, real.mode, real.uid, real.gid]);
      expect(ours.modified.seconds).toBe(Math.floor(real.mtimeMs / 1000));
      if (real.isSymbolicLink()) expect(files.readLink(0, path)).toBe(fs.readlinkSync(join(tree, path)));
      if (real.isFile()) expect(content(files, path)).toBe(fs.readFileSync(join(tree, path), "latin1"));
      if (!real.isDirectory()) expect([path, ours.links]).toEqual([path, real.nlink]);
      if (!real.isDirectory()) return;
      const names = (files.list(0, path) as { name: string }[]).map(({ name }) => name);
      expect(names.sort()).toEqual(fs.readdirSync(join(tree, path)).sort());
      for (const name of names) walk(path === "" ? name : `${path}/${name}`);
    };
    walk("");
  },
);
