import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { NodeHostFiles } from "../../../cli/node-host-files.js";
import { BufferHost, Machine } from "../../../debug/index.js";
import { Program, SYS } from "../../../userland/index.js";

const AT_FDCWD = -100;
const O_RDWR = 2;
const CLOSE = 3;
const MSYNC = 26;
const OPENAT = 257;
const MS_SYNC = 4;

let host: string;
let files: NodeHostFiles;

beforeEach(() => {
  host = fs.mkdtempSync(join(tmpdir(), "sealab-mapped-"));
  fs.writeFileSync(join(host, "file"), "host bytes");
  files = new NodeHostFiles();
});

afterEach(() => {
  files.closeAll();
  fs.rmSync(host, { recursive: true });
});

/** Runs a program that has mapped the file shared at RBX, its descriptor closed, in a view of the host's directory. */
function run(mode: "cow" | "rw", body: (program: Program) => void): string[] {
  const program = new Program().label("_start");
  program.within(".data", () => program.label("path").string("/view/file"));
  program.syscall(OPENAT, AT_FDCWD, "path", O_RDWR, 0).code("mov r12, rax");
  program.syscall(SYS.mmap, 0, 4096, 3, 1, "r12", 0).code("mov rbx, rax");
  program.syscall(CLOSE, "r12");
  body(program);
  program.exit(0);
  const machine = Machine.create({
    host: Object.assign(new BufferHost(), { fileSource: files }),
    memoryBytes: 16 << 20,
    mounts: [{ root: files.addRoot(host), guest: "/view", mode }],
  });
  const seen: string[] = [];
  machine.on("syscallExit", () => seen.push(fs.readFileSync(join(host, "file"), "latin1")));
  machine.load(program.build());
  expect(machine.run()).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
  seen.push(fs.readFileSync(join(host, "file"), "latin1"));
  return seen;
}

test("msync writes a shared mapping to the host, and again after the next store", () => {
  const seen = run("rw", (program) => {
    program.code("mov byte ptr [rbx], 0x48").syscall(MSYNC, "rbx", 4096, MS_SYNC);
    program.code("mov byte ptr [rbx+1], 0x4f").syscall(MSYNC, "rbx", 4096, MS_SYNC);
  });
  expect(seen.slice(3, 5)).toEqual(["Host bytes", "HOst bytes"]);
});

test("what a program leaves in a shared mapping is on the host after its end", () => {
  const store = (program: Program) => void program.code("mov byte ptr [rbx], 0x48");
  expect(run("rw", store).at(-1)).toBe("Host bytes");
});

test("munmap of the last mapping writes back", () => {
  const seen = run("rw", (program) => {
    program.code("mov byte ptr [rbx], 0x48").syscall(SYS.munmap, "rbx", 4096);
  });
  expect(seen[3]).toBe("Host bytes");
});

test("a copy-on-write view keeps it", () => {
  const seen = run("cow", (program) => {
    program.code("mov byte ptr [rbx], 0x48").syscall(MSYNC, "rbx", 4096, MS_SYNC);
  });
  expect(new Set(seen)).toEqual(new Set(["host bytes"]));
});
