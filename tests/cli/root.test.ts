import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { rootImage } from "../../cli/root-image.js";
import { parseArguments } from "../../cli/option-parser.js";
import { readRunOptions, RUN_OPTIONS } from "../../cli/run-options.js";
import { claimUpper } from "../../cli/upper-directory.js";
import { BufferHost } from "../../debug/buffer-host.js";
import { LoadError } from "../../debug/load-error.js";
import { Machine } from "../../debug/machine.js";
import { tar } from "../kernel/fs/tar-archive.js";

const scratch = mkdtempSync(join(tmpdir(), "sealab-root-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const program = readFileSync(new URL("../recorded/files/escape.elf", import.meta.url));
const archive = tar([
  { name: "bin/prog", content: program, mode: 0o755 },
  { name: "plain", content: "x" },
]);

function file(name: string, content: Uint8Array | string): string {
  const path = join(scratch, name);
  writeFileSync(path, content);
  return path;
}

describe("--root", () => {
  test("a directory is no archive", () => {
    expect(rootImage(scratch)).toBeNull();
  });

  test.each([
    ["a.tar", archive],
    ["a.tar.gz", gzipSync(archive)],
    ["anything", gzipSync(archive)],
  ])("%s is an archive, by what is in it", (name, content) => {
    const source = rootImage(file(name, content))!;
    const host = new BufferHost();
    const machine = Machine.create({ host, root: source, memoryBytes: 64 << 20 });
    expect(machine.fileKind("/plain")).toBe("file");
    machine.exec("/bin/prog", { argv: ["prog", "/none", "/none"] });
    expect(machine.run(1_000_000)).toMatchObject({ reason: "exited", status: { code: 1 } });
    expect(host.text(1)).toBe("no directory\n");
  });

  test.each([
    ["xz", "\xfd7zXZ\0", /decompress it first \(xz -d\)$/],
    ["zstd", "\x28\xb5\x2f\xfd", /decompress it first \(zstd -d\)$/],
    ["bzip2", "BZh9", /decompress it first \(bzip2 -d\)$/],
    ["broken gzip", "\x1f\x8bxxxxxxxxxxx", /gzip: /],
  ])("%s is refused in one line", (name, content, message) => {
    const path = file(name, Buffer.from(content, "latin1"));
    expect(() => rootImage(path)).toThrow(message);
    expect(() => rootImage(path)).toThrow(`--root: ${path}: `);
  });

  test("what is not there, and what is no tar", () => {
    expect(() => rootImage(join(scratch, "none"))).toThrow(/no such file or directory$/);
    const source = rootImage(file("text", "no archive\n".repeat(100)))!;
    const create = (): Machine => Machine.create({ root: source });
    expect(create).toThrow(LoadError);
    expect(create).toThrow("the root: not a usable tar archive: offset 0: not a tar header");
  });
});

describe("--upper", () => {
  test("needs a --root", () => {
    const parsed = (...args: string[]): unknown => readRunOptions(parseArguments(args, RUN_OPTIONS).options);
    expect(() => parsed("--upper", "x", "prog")).toThrow("--upper: there is no --root under it");
    expect(parsed("--upper", "x", "--root", "y", "prog")).toMatchObject({ upper: "x", root: "y" });
  });

  test("is made, and one run has it at a time", async () => {
    const upper = join(scratch, "new", "upper");
    const release = claimUpper(upper);
    expect(readFileSync(join(upper, "lock"), "utf8")).toBe(`${process.pid}\n`);
    release();
    expect(existsSync(join(upper, "lock"))).toBe(false);

    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    writeFileSync(join(upper, "lock"), `${other.pid}\n`);
    expect(() => claimUpper(upper)).toThrow(`--upper: ${upper}: in use by process ${other.pid}`);
    other.kill("SIGKILL");
    await once(other, "exit");
    claimUpper(upper)();
  });

  test("that is a file is refused", () => {
    mkdirSync(join(scratch, "d"));
    expect(() => claimUpper(file("notdir", ""))).toThrow(/^--upper: /);
  });
});
