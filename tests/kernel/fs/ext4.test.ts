import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../../../debug/seeded-random.js";
import { bareKernel } from "../bare-kernel.js";
import { Files, someProgram, sum } from "./ext4-machine.js";
import { complaints, hasE2fsprogs, makeImage, run, withDirectory } from "./ext4-tools.js";

/** Where an image is in the machine, and where its file system and a tmpfs of the same content are mounted. */
const IMAGE = "/image";
const DISK = "/mnt/disk";
const MEMORY = "/mnt/memory";

function machineWith(image: Uint8Array): Files {
  let now = 1_790_000_000_000_000_000n;
  const machine = bareKernel({ memoryBytes: 128 << 20, now: () => (now += 1_000_003n) });
  machine.add("/program", someProgram());
  machine.start("/program");
  machine.add(IMAGE, image);
  const files = new Files(machine.kernel, machine.tree);
  files.attach(IMAGE);
  return files;
}

function mounted(image: Uint8Array, type: string): Files {
  const files = machineWith(image);
  expect(files.mount(type, "/dev/loop0", DISK)).toBe(0);
  return files;
}

/** Something done to files, the same below any directory; what comes of it. */
type Operation = (files: Files, top: string) => number;

function operations(seed: number, count: number, fallocates: boolean): Operation[] {
  const random = new SeededRandom(seed);
  const below = (limit: number): number => random.next() % limit;
  const pick = <T>(from: readonly T[]): T => from[below(from.length)]!;
  const DIRECTORIES = ["", "/a", "/b", "/a/c", "/a/c/d"];
  const name = (): string =>
    `${pick(DIRECTORIES)}/${pick(["f", "g", "h", "some-longer-name"])}${below(12)}${below(8) === 0 ? "x".repeat(below(200)) : ""}`;
  const known: string[] = [];
  const file = (): string => (known.length > 0 && below(4) > 0 ? pick(known) : name());
  const one = (): Operation => {
    const [path, other, place] = [file(), name(), pick(DIRECTORIES.slice(1))];
    const offset = below(3) === 0 ? below(300_000) : below(20_000);
    const length = 1 + below(below(3) === 0 ? 60_000 : 5000);
    const byte = below(256);
    switch (below(16)) {
      case 0:
        return (files, top) => files.mkdir(`${top}${place}`);
      case 1:
        return (files, top) => files.rmdir(`${top}${place}`);
      case 2:
        return (files, top) => files.unlink(top + path);
      case 3:
        return (files, top) => files.rename(top + path, top + other);
      case 4:
        return (files, top) => files.rename(`${top}${place}`, top + other);
      case 5:
        return (files, top) => files.link(top + path, top + other);
      case 6:
        return (files, top) => files.symlink(top + other, "t".repeat(1 + (length % 200)));
      case 7:
      case 8:
        return (files, top) => files.truncate(top + path, offset);
      case 9:
        return fallocates
          ? (files, top) => files.punch(top + path, offset, length)
          : (files, top) => files.chmod(top + path, 0o600 + (byte & 0o77));
      case 10:
        return fallocates
          ? (files, top) => files.allocate(top + path, offset, length)
          : (files, top) => files.truncate(top + path, length);
      case 11:
        return (files, top) => files.store(top + path, offset % 10_000, byte);
      case 12:
        return (files, top) => files.rename(top + path, top + other, 2);
      default: {
        known.push(path);
        const bytes = new Uint8Array(length).map((_, i) => byte + i * 7);
        return (files, top) => files.write(top + path, offset, bytes);
      }
    }
  };
  return Array.from({ length: count }, one);
}

const KINDS: readonly (readonly [type: string, options: string])[] = [
  ["ext4", "-t ext4 -b 1024"],
  ["ext4", "-t ext4 -b 4096"],
  ["ext4", "-t ext4 -b 2048 -O ^metadata_csum,uninit_bg,^flex_bg"],
  ["ext4", "-t ext4 -b 1024 -O orphan_file,metadata_csum_seed,^64bit -g 1024"],
  ["ext4", "-t ext4 -b 1024 -O meta_bg,^resize_inode,^has_journal -I 128"],
  ["ext3", "-t ext3 -b 1024"],
  ["ext2", "-t ext2 -b 1024"],
  ["ext2", "-t ext2 -b 4096 -O ^filetype"],
  ["ext2", "-t ext2 -r 0"],
];

describe.skipIf(!hasE2fsprogs)("ext2, ext3 and ext4 (skipped without e2fsprogs)", () => {
  it.each(KINDS)(
    "%s (%s): random operations as on tmpfs, clean for e2fsck, the same for debugfs",
    (type, options) =>
      withDirectory((directory) => {
        const image = makeImage(directory, 10 << 20, `${options} -N 600`);
        const files = mounted(image, type);
        expect(files.mount("tmpfs", "none", MEMORY)).toBe(0);
        expect(files.chmod(MEMORY, 0o755)).toBe(0);
        const all = operations(type.length + options.length, 500, options.includes("ext4"));
        all.forEach((operation, i) => {
          const expected = operation(files, MEMORY);
          expect([i, operation(files, DISK)]).toEqual([i, expected]);
          // A journal or not, between two calls all is well on disk.
          if (i % 200 === 199) expect(complaints(directory, files.read(IMAGE))).toBe("");
          if (i === 250) {
            expect(files.listing(DISK)).toEqual(files.listing(MEMORY));
            expect(files.unmount(DISK)).toBe(0);
            expect(files.mount(type, "/dev/loop0", DISK)).toBe(0);
          }
        });
        const listing = files.listing(MEMORY);
        expect(listing.length).toBeGreaterThan(20);
        expect(files.listing(DISK)).toEqual(listing);
        expect(files.unmount(DISK)).toBe(0);
        const after = files.read(IMAGE);
        expect(complaints(directory, after)).toBe("");
        const path = join(directory, "after");
        writeFileSync(path, after);
        expect(run("dumpe2fs", ["-h", path]).output).toMatch(/Filesystem state: +clean/);
        for (const line of listing) {
          const file = /^(\S+) 100\d+ \d+ \d+ ([0-9a-f]+)$/.exec(line);
          if (file === null) continue;
          const out = join(directory, "out");
          run("debugfs", ["-R", `dump ${file[1]} ${out}`, path]);
          expect([file[1], sum(new Uint8Array(readFileSync(out)))]).toEqual([file[1], file[2]]);
        }
      }),
  );

  it("finds names by a hash index, and gives it up when one is added", () =>
    withDirectory((directory) => {
      const names = Array.from({ length: 900 }, (_, i) => `a-name-that-takes-some-room-${i}`);
      for (const options of ["-t ext4 -b 1024", "-t ext2 -b 1024"]) {
        const files = withNames(directory, options, names);
        const type = options.includes("ext4") ? "ext4" : "ext2";
        expect(files.mount(type, "/dev/loop0", DISK)).toBe(0);
        expect(files.listing(DISK).length).toBe(names.length);
        expect(files.unlink(`${DISK}/${names[400]}`)).toBe(0);
        expect(complaints(directory, files.read(IMAGE))).toBe("");
        expect(files.write(`${DISK}/one more`, 0, Uint8Array.of(1, 2, 3))).toBe(3);
        expect(complaints(directory, files.read(IMAGE))).toBe("");
        expect(files.unmount(DISK)).toBe(0);
        expect(files.mount(type, "/dev/loop0", DISK)).toBe(0);
        expect(files.listing(DISK).length).toBe(names.length);
        expect(files.unmount(DISK)).toBe(0);
        expect(complaints(directory, files.read(IMAGE))).toBe("");
      }
    }));

  it("is full for write, and for a store through a mapping where a hole was", () =>
    withDirectory((directory) => {
      for (const [type, options] of [
        ["ext4", "-t ext4 -b 1024 -m 0"],
        ["ext2", "-t ext2 -b 1024 -m 0"],
      ] as const) {
        const files = mounted(makeImage(directory, 2 << 20, options), type);
        const hole = `${DISK}/hole`;
        expect(files.write(hole, 0, new Uint8Array(1024).fill(97))).toBe(1024);
        expect(files.truncate(hole, 8192)).toBe(0);
        const kib = new Uint8Array(1024).fill(98);
        let written = 0;
        while (files.write(`${DISK}/filler`, written * 1024, kib) === 1024) written++;
        expect(files.write(`${DISK}/filler`, written * 1024, kib)).toBe(-28);
        expect(written).toBeGreaterThan(600);
        expect(files.store(hole, 10, 99)).toBe(-28);
        expect(files.mkdir(`${DISK}/directory`)).toBe(-28);
        expect(files.unlink(`${DISK}/filler`)).toBe(0);
        expect(files.store(hole, 5000, 99)).toBe(0);
        expect(files.unmount(DISK)).toBe(0);
        expect(complaints(directory, files.read(IMAGE))).toBe("");
      }
    }));

  it("has a writer write its pages when there are many", () =>
    withDirectory((directory) => {
      const files = mounted(makeImage(directory, 16 << 20, "-t ext4 -b 4096 -O ^has_journal"), "ext4");
      const held = files.open(`${DISK}/file`, 0o102);
      if (typeof held === "number") throw new Error();
      const part = new Uint8Array(65536).map((_, i) => i * 3);
      for (let at = 0; at < 8 << 20; at += part.length) expect(held.write(part, at)).toBe(part.length);
      expect(held.pages!.dirty.size).toBeLessThan(1100);
      expect(held.sync()).toBe(0);
      expect(held.pages!.dirty.size).toBe(0);
      held.release();
      expect(files.unmount(DISK)).toBe(0);
      expect(complaints(directory, files.read(IMAGE))).toBe("");
    }));

  it("replays a journal as e2fsck does", () =>
    withDirectory((directory) => {
      // With checksums, and without.
      for (const [options, open] of [
        ["-t ext4 -b 1024", "jo -c"],
        ["-t ext3 -b 1024", "jo"],
      ] as const) {
        const path = join(directory, "image");
        makeImage(directory, 8 << 20, options);
        const block = join(directory, "block");
        writeFileSync(block, new Uint8Array(1024).fill(0x5a));
        // One block of zeroes is to be 5a after the replay, another one is revoked.
        run("debugfs", ["-w", path], `${open}\njw -b 7000 ${block}\njw -b 7001 ${block}\njw -r 7001\njc\n`);
        const image = new Uint8Array(readFileSync(path));
        expect(run("dumpe2fs", ["-h", path]).output).toMatch(/needs_recovery/);
        expect(run("e2fsck", ["-fy", path]).status).toBeLessThan(4);
        const expected = new Uint8Array(readFileSync(path));
        const files = mounted(image, options.includes("ext4") ? "ext4" : "ext3");
        expect(files.unmount(DISK)).toBe(0);
        const after = files.read(IMAGE);
        for (const each of [7000, 7001])
          expect(after.subarray(each * 1024, each * 1024 + 1024)).toEqual(
            expected.subarray(each * 1024, each * 1024 + 1024),
          );
        expect(after[7000 * 1024]).toBe(0x5a);
        expect(complaints(directory, after)).toBe("");
      }
    }));

  it("keeps a file that is open and has no name, also on disk", () =>
    withDirectory((directory) => {
      const files = mounted(makeImage(directory, 4 << 20, "-t ext4 -b 1024"), "ext4");
      expect(files.write(`${DISK}/file`, 0, new Uint8Array(5000))).toBe(5000);
      const held = files.open(`${DISK}/file`);
      if (typeof held === "number") throw new Error();
      expect(files.unlink(`${DISK}/file`)).toBe(0);
      expect(held.read(new Uint8Array(5000), 0)).toBe(5000);
      const crashed = files.read(IMAGE);
      const path = join(directory, "crashed");
      writeFileSync(path, crashed);
      expect(run("e2fsck", ["-fy", path]).output).toMatch(/Clearing orphaned inode/);
      const again = mounted(crashed, "ext4");
      expect(again.unmount(DISK)).toBe(0);
      expect(complaints(directory, again.read(IMAGE))).toBe("");
      held.release();
      expect(files.unmount(DISK)).toBe(0);
      expect(complaints(directory, files.read(IMAGE))).toBe("");
    }));

  it("is not led astray by a damaged disk", () =>
    withDirectory((directory) => {
      for (const [type, options] of [
        ["ext2", "-t ext2 -b 1024 -N 64"],
        ["ext4", "-t ext4 -b 1024 -N 64 -O ^metadata_csum,^has_journal"],
      ] as const) {
        const files = mounted(makeImage(directory, 1 << 20, options), type);
        const all = operations(5, 60, false);
        for (const operation of all) operation(files, DISK);
        expect(files.unmount(DISK)).toBe(0);
        const image = files.read(IMAGE);
        const random = new SeededRandom(77);
        const used = image.findLastIndex((byte) => byte !== 0);
        let mountable = 0;
        for (let trial = 0; trial < 20; trial++) {
          const damaged = image.slice();
          for (let i = 0; i < 40; i++) damaged[2048 + (random.next() % (used - 2048))] = random.next();
          const victim = machineWith(damaged);
          if (victim.mount(type, "/dev/loop0", DISK) !== 0) continue;
          mountable++;
          for (const operation of all) operation(victim, DISK);
          expect(victim.unmount(DISK)).toBe(0);
        }
        expect(mountable).toBeGreaterThan(3);
      }
    }));

  it("refuses what it does not know, and says what", () =>
    withDirectory((directory) => {
      const refused = (options: string, type: string): [number, string] => {
        const files = machineWith(makeImage(directory, 8 << 20, options));
        const reasons: string[] = [];
        files.kernel.events.on("refusal", (refusal) => reasons.push(refusal.text));
        return [files.mount(type, "/dev/loop0", DISK), reasons.join()];
      };
      expect(refused("-t ext4 -O inline_data", "ext4")).toEqual([
        -22,
        expect.stringContaining("inline_data"),
      ]);
      expect(refused("-t ext4 -O bigalloc", "ext4")).toEqual([-22, expect.stringContaining("bigalloc")]);
      expect(refused("-t ext4", "ext3")).toEqual([-22, expect.stringContaining("extent")]);
      expect(refused("-t ext2", "ext3")).toEqual([-22, expect.stringContaining("journal")]);
      const files = machineWith(new Uint8Array(1 << 20));
      expect(files.mount("ext4", "/dev/loop0", DISK)).toBe(-22);
      expect(files.mount("ext4", "/dev/null", DISK)).toBe(-15);
      expect(files.mount("ext4", "/dev/loop1", DISK)).toBe(-5);
      expect(files.mount("ext4", "", DISK)).toBe(-22);
      expect(files.mount("ext4", "/nothing", DISK)).toBe(-2);
    }));
});

/** A machine with an image whose root directory has these names and, if they are many, an index. */
function withNames(directory: string, options: string, names: readonly string[]): Files {
  const source = join(directory, "source");
  mkdirSync(source, { recursive: true });
  for (const name of names) writeFileSync(join(source, name), "");
  const path = join(directory, "image");
  makeImage(directory, 8 << 20, `${options} -N 2000 -d ${source}`);
  expect(run("e2fsck", ["-fyD", path]).status).toBeLessThan(4);
  expect(run("debugfs", ["-R", "htree_dump /", path]).output).toMatch(/Indirect levels/);
  return machineWith(new Uint8Array(readFileSync(path)));
}
