/** [uprobes]: where a probed function returns to, and where Linux executes probed instructions (xol_area). */

import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import { ENOMEM } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import { FilePages } from "../mm/file-pages.js";
import type { PageFiller } from "../mm/page-filler.js";
import { TASK_SIZE } from "../mm/layout.js";
import { PROT_EXEC } from "../mm/uapi.js";
import { findUnmappedArea } from "../mm/unmapped-area.js";
import { VM_DONTCOPY, VM_EXEC, VM_IO, VM_MAYEXEC } from "../mm/vm-flags.js";
import { BREAKPOINT } from "./instruction.js";

const PAGE = 4096;
const UPROBES_NAME = "[uprobes]";
/** UPROBE_XOL_SLOT_BYTES: the first slot is the trampoline's. */
const SLOT_BYTES = 128;
const NR_URETPROBE = 335;
/** push rax; push rcx; push r11; mov rax, NR_URETPROBE; syscall; pop r11; pop rcx; ret */
const BY_CALL = [
  ...[0x50, 0x51, 0x41, 0x53, 0x48, 0xc7, 0xc0, NR_URETPROBE & 0xff, NR_URETPROBE >> 8, 0, 0],
  ...[0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3],
];
/** Where the call returns to. */
const BEHIND_CALL = 13;

/** The page is the same for all programs: instructions are executed where they are (hit.ts). */
export class Trampoline implements PageFiller {
  private readonly pages: FilePages;

  /** @param byCall it is left by uretprobe(2) (Linux 6.11), not by a breakpoint */
  constructor(
    frames: FrameAllocator,
    readonly byCall: boolean,
  ) {
    this.pages = new FilePages(frames, PAGE, this);
  }

  fillPage(_index: number, page: Uint8Array): void {
    page.set(this.byCall ? BY_CALL : [BREAKPOINT]);
  }

  /**
   * The area's address in an address space, made when it is first needed: at the top, or where mmap would.
   * @param sealedBy as for [vdso]
   * @returns bytes, or -ENOMEM
   */
  ensure(mm: AddressSpace, sealedBy: string | null): number {
    if (mm.uprobesArea !== -1) return mm.uprobesArea;
    return this.map(mm, findUnmappedArea(mm, TASK_SIZE - PAGE, PAGE, 0, false), sealedBy);
  }

  /** Makes it at a place, as a fork's child has it where its parent had. */
  map(mm: AddressSpace, start: number, sealedBy: string | null): number {
    if (start === -1) return -ENOMEM;
    const flags = VM_EXEC | VM_MAYEXEC | VM_DONTCOPY | VM_IO;
    const error = mm.mapSpecial(start, PAGE, PROT_EXEC, UPROBES_NAME, this.pages, flags, sealedBy);
    if (error !== 0) return -ENOMEM;
    mm.uprobesArea = start;
    return start;
  }

  /** Where an instruction that is executed in the area would fetch from. */
  slotOf(area: number): number {
    return area + SLOT_BYTES;
  }

  /** RIP of whoever called uretprobe(2) from the trampoline. */
  callerOf(area: number): number {
    return area + BEHIND_CALL;
  }
}
