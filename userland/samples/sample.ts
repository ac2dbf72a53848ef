import { MAP, MADV, PROT, SYS } from "../linux.js";
import { Program } from "../program.js";

/** A sentence that belongs beside one event of a run's trace. */
export type StoryLine =
  /** Beside the n-th call (from 1) of the system call of that name. */
  | { readonly on: "syscall"; readonly name: keyof typeof SYS; readonly nth: number; readonly text: string }
  /** Beside the n-th fault signal (from 1) delivered to the program. */
  | { readonly on: "fault"; readonly nth: number; readonly text: string }
  /** Before the first instruction, or after the last. */
  | { readonly on: "start" | "end"; readonly text: string };

/** A small program that shows one idea. */
export interface Sample {
  /** kebab-case, unique: what a command line names it by. */
  readonly name: string;
  /** One line, for a list. */
  readonly title: string;
  /** Whether it needs protection keys; without them it says so and ends with status 77. */
  readonly needsKeys: boolean;
  /** Told beside the trace, in the order of the events. */
  readonly story?: readonly StoryLine[];
  /** The ELF file: the same bytes at each call. */
  build(): Uint8Array;
}

export const PAGE = 4096;

/** Where samples map the memory they are about: far from the program, its heap and its stack on any Linux. */
export const AREA = 0x5ea10000;

export const RW = PROT.READ | PROT.WRITE;
export const RX = PROT.READ | PROT.EXEC;
export const RWX = PROT.READ | PROT.WRITE | PROT.EXEC;

/** What the samples' mmap calls have in common. */
export const ANONYMOUS = MAP.PRIVATE | MAP.ANONYMOUS;

/** A program with the calls that samples make most. Pages are counted from {@link AREA}. */
export class SampleProgram extends Program {
  /** Private anonymous memory at exactly that place, over whatever is there. */
  map(page: number, pages: number, prot: number): this {
    return this.syscall(SYS.mmap, at(page), pages * PAGE, prot, ANONYMOUS | MAP.FIXED, -1, 0);
  }

  unmap(page: number, pages: number): this {
    return this.syscall(SYS.munmap, at(page), pages * PAGE);
  }

  protect(page: number, pages: number, prot: number): this {
    return this.syscall(SYS.mprotect, at(page), pages * PAGE, prot);
  }

  seal(page: number, pages: number): this {
    return this.syscall(SYS.mseal, at(page), pages * PAGE, 0);
  }

  discard(page: number, pages: number): this {
    return this.syscall(SYS.madvise, at(page), pages * PAGE, MADV.DONTNEED);
  }

  /** Prints `text`, what the call in RAX came to, and a newline. */
  report(text: string): this {
    return this.print(text).printErrno("rax").line("");
  }

  /** Stores a 64-bit number at an address; RAX and RBX are lost. */
  store(address: number, value: number): this {
    return this.load("rax", value).load("rbx", address).code("mov [rbx], rax");
  }

  /** Reads one byte at an address in an {@link attempt}; it, or 0, is in RAX. RBX is lost. */
  peek(address: number): this {
    this.load("rbx", address).code("xor eax, eax");
    return this.attempt(() => this.code("mov al, [rbx]"));
  }

  /** Writes the byte there back in an {@link attempt}, without changing it. RBX is lost. */
  touch(address: number): this {
    this.load("rbx", address);
    return this.attempt(() => this.code("lock or byte ptr [rbx], 0"));
  }

  /** Calls the code at an address in an {@link attempt}. RBX is lost. */
  callAt(address: number): this {
    this.load("rbx", address);
    return this.attempt(() => this.code("call rbx"));
  }

  /** Reads PKRU into RAX, changes its bits, and writes it. RCX and RDX are lost. */
  changeRights(change: string): this {
    return this.code(`
      xor ecx, ecx
      rdpkru
      ${change}
      xor edx, edx
      wrpkru
    `);
  }
}

/** The address of a page of the samples' memory. */
export function at(page: number): number {
  return AREA + page * PAGE;
}

/** Fills in what most samples have in common. */
export function sample(
  name: string,
  title: string,
  write: (program: SampleProgram) => void,
  more: Partial<Pick<Sample, "needsKeys" | "story">> = {},
): Sample {
  return {
    name,
    title,
    needsKeys: false,
    ...more,
    build(): Uint8Array {
      const program = new SampleProgram();
      program.label("_start");
      write(program);
      return program.exit(0).build();
    },
  };
}
