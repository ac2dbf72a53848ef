import type { Inode } from "../fs/inode.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { FilePages } from "../mm/file-pages.js";
import type { Task } from "../task.js";
import { probedInstruction, PROBED_BYTES, type ProbedInstruction } from "./instruction.js";

/** Somebody who wants to hear of a probe's hits (struct uprobe_consumer). */
export interface UprobeConsumer {
  /** It wants to hear of the function's return: the breakpoint is at its first instruction. */
  readonly onReturn: boolean;
  /** Whether the breakpoint is to be in an address space for its sake. */
  wants(mm: AddressSpace): boolean;
  /** A task met the breakpoint, or returned. */
  hit(task: Task): void;
}

/** One probed place of a file (struct uprobe). */
export class Uprobe {
  readonly consumers: UprobeConsumer[] = [];
  /** Address spaces whose reference counter was not mapped when the breakpoint was put there. */
  readonly delayed = new Set<AddressSpace>();
  private found: ProbedInstruction | null = null;

  constructor(
    readonly inode: Inode,
    readonly pages: FilePages,
    /** Bytes from the start of the file. */
    readonly offset: number,
    /** Of the 16-bit counter that the program looks at, in the file; 0: there is none. */
    readonly counterOffset: number,
  ) {}

  get page(): number {
    return Math.floor(this.offset / 4096);
  }

  /** What is there in the file, looked at once (prepare_uprobe); -errno. */
  instruction(): ProbedInstruction | number {
    if (this.found !== null) return this.found;
    const bytes = new Uint8Array(PROBED_BYTES);
    this.pages.read(this.offset, bytes);
    const found = probedInstruction(bytes);
    if (typeof found !== "number") this.found = found;
    return found;
  }

  wantedIn(mm: AddressSpace): boolean {
    return this.consumers.some((consumer) => consumer.wants(mm));
  }
}
