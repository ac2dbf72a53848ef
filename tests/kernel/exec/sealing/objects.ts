import { BufferHost, Machine, type MachineOptions } from "../../../../debug/index.js";
import { Program, SYS, type ElfOptions } from "../../../../userland/index.js";
import { tar } from "../../fs/tar-archive.js";

export const PAGE = 4096;
export const [R, RW, RX] = [1, 3, 5];
const [PRIVATE, FIXED, ANONYMOUS] = [2, 0x10, 0x20];
/** Where the tests' loaders put libraries. */
export const LIBRARY = 0x7000_0000;
export const LATER = 0x7100_0000;

export interface ObjectOptions extends ElfOptions {
  /** DT_TEXTREL, or DF_1_NODELETE. */
  readonly dynamic?: readonly (readonly [tag: number, value: number])[];
  /** It has a page of relro; true unless told. */
  readonly relro?: boolean;
  /** It has a page of `.openbsd.mutable`. */
  readonly open?: boolean;
}

export const TEXTREL = [22, 0] as const;
export const NODELETE = [0x6fff_fffb, 8] as const;

/** A program with a page each of read-only data, relro, and data; `write` adds the code at `_start`. */
export function object(write: (program: Program) => void, options: ObjectOptions = {}): Uint8Array {
  const { dynamic = [], relro = true, open = false, ...elf } = options;
  const program = new Program();
  program.within(".rodata", () => program.string("constant"));
  program.section(".data.rel.ro", { write: true });
  if (relro)
    program
      .label("relro")
      .u64(1)
      .reserve(PAGE - 8);
  program
    .section(".data")
    .label("data")
    .u64(2)
    .reserve(PAGE - 8);
  program.section(".openbsd.mutable", { write: true });
  if (open)
    program
      .label("open")
      .u64(3)
      .reserve(PAGE - 8);
  program.section(".dynamic", { write: true });
  if (dynamic.length > 0) {
    for (const [tag, value] of dynamic) program.u64(tag).u64(value);
    program.u64(0).u64(0);
  }
  program.section(".text").label("_start");
  write(program);
  return program.build(elf);
}

interface Header {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly size: number;
}

export function headersOf(elf: Uint8Array): Header[] {
  const view = new DataView(elf.buffer, elf.byteOffset);
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => {
    const at = 64 + i * 56;
    const field = (offset: number): number => Number(view.getBigUint64(at + offset, true));
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: field(8),
      address: field(16),
      fileSize: field(32),
      size: field(40),
    };
  });
}

const up = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

/** Code that maps a library of the tree at an address, segment by segment, as a loader does. */
export function mapLibrary(program: Program, path: string, elf: Uint8Array, at: number): void {
  const name = program.unique("path");
  program.within(".rodata", () => program.label(name).string(`${path}\0`));
  program.syscall(SYS.open, name, 0, 0).code("mov r8, rax\n push r8");
  for (const { type, flags, offset, address, fileSize, size } of headersOf(elf)) {
    if (type !== 1) continue;
    const prot = ((flags & 4) >> 2) | (flags & 2) | ((flags & 1) << 2);
    if (fileSize > 0)
      program
        .code("mov r8, [rsp]")
        .syscall(SYS.mmap, at + address, up(fileSize), prot, PRIVATE | FIXED, "r8", offset);
    if (size > up(fileSize)) {
      const [rest, flag] = [at + address + up(fileSize), PRIVATE | FIXED | ANONYMOUS];
      program.syscall(SYS.mmap, rest, up(size) - up(fileSize), prot, flag, -1, 0);
    }
  }
  program.code("pop r8");
}

/** Code that makes the relro of an object at `at` read-only, as a loader does when all is relocated. */
export function closeRelro(program: Program, elf: Uint8Array, at: number): void {
  for (const { type, address, size } of headersOf(elf))
    if (type === 0x6474_e552) program.syscall(SYS.mprotect, at + address, size, R);
}

export interface Ran {
  readonly machine: Machine;
  readonly text: string;
  /** Each area at or above an address and below another one: `r-x`, with ` sealed`. */
  areas(from?: number, to?: number): string[];
}

/** Runs /program of a tree with these files to its end, or until it loops. */
export function run(
  files: Readonly<Record<string, Uint8Array>>,
  options: MachineOptions = {},
  env: readonly string[] = [],
): Ran {
  const host = new BufferHost();
  const members = Object.entries(files).map(([name, content]) => ({
    name: name.slice(1),
    mode: 0o755,
    content,
  }));
  const machine = Machine.create({ host, memoryBytes: 32 << 20, root: tar(members), ...options });
  machine.exec("/program", { env });
  machine.run(1_000_000);
  const letters = (prot: number): string =>
    `${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}`;
  return {
    machine,
    text: host.text(1),
    areas: (from = 0, to = Infinity) =>
      machine
        .areas()
        .filter(({ start }) => start >= from && start < to)
        .map(({ prot, sealed }) => `${letters(prot)}${sealed ? " sealed" : ""}`),
  };
}
