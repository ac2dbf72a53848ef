/** A core file's bytes: ELF header, program headers, notes, memory (fs/binfmt_elf.c elf_core_dump). */

import { pteFrame } from "../../mmu/page-table-entry.js";
import type { OpenFile } from "../fs/open-file.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import { isSwapped } from "../mm/swap/entry.js";
import { hasFrame } from "../mm/translations.js";
import { UserMemory } from "../mm/user-memory.js";
import { VM_EXEC, VM_READ, VM_WRITE } from "../mm/vm-flags.js";
import { dumpedBytes } from "./areas.js";

const EHDR_BYTES = 64;
const PHDR_BYTES = 56;
const PT_LOAD = 1;
const PT_NOTE = 4;
const PAGE = 4096;

/** Writes one after the other, up to RLIMIT_CORE; holes are free. */
class CoreWriter {
  at = 0;
  private written = 0;
  private readonly file: OpenFile;
  private readonly limit: number;

  constructor(file: OpenFile, limit: number) {
    this.file = file;
    this.limit = limit;
  }

  /** False when the limit or the file system ends the file here. */
  put(bytes: Uint8Array): boolean {
    if (this.written + bytes.length > this.limit) return false;
    const done = this.file.write(bytes, this.at);
    if (done !== bytes.length) return false;
    this.at += done;
    this.written += done;
    return true;
  }
}

/** The page as the program would read it; null for one that nobody has touched, or that nobody may look at. */
function pageOf(mm: AddressSpace, memory: UserMemory, area: Area, page: number): Uint8Array | null {
  const low = mm.translations.low(page);
  const absent = hasFrame(low) ? pteFrame(low) === mm.env.frames.zeroFrame : !isSwapped(low);
  if (area.pages === null && absent) return null;
  const bytes = new Uint8Array(PAGE);
  return memory.copyIn(page, bytes) === PAGE ? bytes : null;
}

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly start: number;
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly align: number;
}

function headers(segments: readonly Segment[], data: number): Uint8Array {
  const bytes = new Uint8Array(EHDR_BYTES + PHDR_BYTES * segments.length);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  // ET_CORE, EM_X86_64
  view.setUint16(16, 4, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setUint32(32, EHDR_BYTES, true);
  view.setUint16(52, EHDR_BYTES, true);
  view.setUint16(54, PHDR_BYTES, true);
  view.setUint16(56, segments.length, true);
  let offset = bytes.length;
  segments.forEach(({ type, flags, start, fileBytes, memoryBytes, align }, i) => {
    const at = EHDR_BYTES + PHDR_BYTES * i;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    [offset, start, 0, fileBytes, memoryBytes, align].forEach((word, k) =>
      view.setBigUint64(at + 8 + 8 * k, BigInt(word), true),
    );
    offset = i === 0 ? data : offset + fileBytes;
  });
  return bytes;
}

/** PF_R, PF_W, PF_X. */
function permissions({ flags }: Area): number {
  return (
    ((flags & VM_READ) !== 0 ? 4 : 0) | ((flags & VM_WRITE) !== 0 ? 2 : 0) | ((flags & VM_EXEC) !== 0 ? 1 : 0)
  );
}

/** @param limit bytes (RLIMIT_CORE); a file that it cuts short stays so */
export function writeCore(
  mm: AddressSpace,
  notes: readonly Uint8Array[],
  file: OpenFile,
  limit: number,
): void {
  const areas = [...mm.areas()].map((area) => ({ area, bytes: dumpedBytes(mm, area) }));
  const noteBytes = notes.reduce((sum, one) => sum + one.length, 0);
  const segments: Segment[] = [
    { type: PT_NOTE, flags: 0, start: 0, fileBytes: noteBytes, memoryBytes: 0, align: 4 },
    ...areas.map(({ area, bytes }) => ({
      type: PT_LOAD,
      flags: permissions(area),
      start: area.start,
      fileBytes: bytes,
      memoryBytes: area.end - area.start,
      align: PAGE,
    })),
  ];
  const notesEnd = EHDR_BYTES + PHDR_BYTES * segments.length + noteBytes;
  const data = Math.ceil(notesEnd / PAGE) * PAGE;
  const writer = new CoreWriter(file, limit);
  if (!writer.put(headers(segments, data))) return;
  for (const one of notes) if (!writer.put(one)) return;
  const memory = new UserMemory(mm, { foreign: true, force: true });
  let end = data;
  for (const { area, bytes } of areas) {
    for (let page = area.start; page < area.start + bytes; page += PAGE) {
      const content = pageOf(mm, memory, area, page);
      writer.at = end;
      end += PAGE;
      if (content !== null && !writer.put(content)) return;
    }
  }
  if (writer.at >= end) return;
  writer.at = end - 1;
  writer.put(new Uint8Array(1));
}
