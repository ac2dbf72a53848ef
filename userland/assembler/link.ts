import { AssemblerError } from "./error.js";
import type { Fixup, Section } from "./sections.js";

const PAGE = 4096;

export interface Position {
  readonly section: Section;
  /** Bytes from the section's start. */
  readonly offset: number;
}

/** A page-aligned piece of the program in memory, with one protection. */
export interface Segment {
  /** The section it was made from. */
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
  /** Bytes in memory: those of `bytes`, then zeroes. */
  readonly memorySize: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

export interface ProgramSymbol {
  readonly name: string;
  readonly address: number;
  /** Bytes. */
  readonly size: number;
  readonly isFunction: boolean;
}

const up = (bytes: number): number => Math.ceil(bytes / PAGE) * PAGE;

/** Gives each section an address, on pages of its own, in the order they were made. */
export function place(sections: readonly Section[], base: number): void {
  let next = base;
  for (const section of sections.filter((one) => one.size > 0)) {
    if (section.options.address !== undefined) {
      if (section.options.address % PAGE !== 0) {
        throw new AssemblerError(`section "${section.name}": its address is not a multiple of ${PAGE}`);
      }
      section.address = section.options.address;
    } else {
      section.address = next;
      next = up(next + section.size);
    }
  }
  const placed = sections.filter((one) => one.size > 0).sort((a, b) => a.address - b.address);
  placed.forEach((section, i) => {
    const before = placed[i - 1];
    if (before && up(before.address + before.size) > section.address) {
      throw new AssemblerError(`sections "${before.name}" and "${section.name}" overlap`);
    }
  });
}

function patch(
  section: Section,
  fixup: Fixup,
  labels: ReadonlyMap<string, Position>,
  allowAbsolute: boolean,
): void {
  const target = labels.get(fixup.label);
  if (!target) throw new AssemblerError(`no label "${fixup.label}"`);
  const address = BigInt(target.section.address + target.offset) + fixup.addend;
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset);
  const distance = address - BigInt(section.address + fixup.from);
  if (fixup.kind.startsWith("abs") && !allowAbsolute) {
    throw new AssemblerError(`"${fixup.label}": its address is not fixed in a static-pie; use lea`);
  }
  switch (fixup.kind) {
    case "rel8":
      if (BigInt.asIntN(8, distance) !== distance)
        throw new AssemblerError(`"${fixup.label}" is too far away`);
      view.setInt8(fixup.offset, Number(distance));
      return;
    case "rel32":
      view.setInt32(fixup.offset, Number(distance), true);
      return;
    case "abs32":
    case "abs32s":
      if (address < 0n || address >= 1n << 31n)
        throw new AssemblerError(`"${fixup.label}" needs a 64-bit immediate`);
      view.setUint32(fixup.offset, Number(address), true);
      return;
    case "abs64":
      view.setBigUint64(fixup.offset, BigInt.asUintN(64, address), true);
  }
}

/** Fills every hole, now that all addresses are known. */
export function resolve(
  sections: readonly Section[],
  labels: ReadonlyMap<string, Position>,
  allowAbsolute: boolean,
): void {
  for (const section of sections) {
    for (const fixup of section.fixups) patch(section, fixup, labels, allowAbsolute);
  }
}

export function segmentsOf(sections: readonly Section[]): Segment[] {
  return sections
    .filter((section) => section.size > 0)
    .map(({ name, address, bytes, size, options }) => ({
      name,
      address,
      bytes,
      memorySize: size,
      read: options.read ?? true,
      write: options.write ?? false,
      execute: options.execute ?? false,
    }))
    .sort((a, b) => a.address - b.address);
}
