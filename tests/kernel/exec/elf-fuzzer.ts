/** Broken programs: each must end in a refusal, an ordinary signal or an exit, and leave no memory behind. */

import { firstIdentities } from "../../../kernel/fs/file-system.js";
import fc from "fast-check";
import { FilePages } from "../../../kernel/mm/file-pages.js";
import type { Executable } from "../../../kernel/exec/exec.js";
import { Cpu } from "../../../cpu/cpu.js";
import { cpuModel } from "../../../cpu/models.js";
import { BufferHost } from "../../../debug/buffer-host.js";
import { standardFiles } from "../../../kernel/fs/standard-streams.js";
import { buildTree } from "../../../kernel/fs/tree-setup.js";
import type { Inode } from "../../../kernel/fs/inode.js";
import type { KernelOptions } from "../../../kernel/kernel-options.js";
import { Kernel } from "../../../kernel/kernel.js";
import { FrameAllocator } from "../../../mmu/frame-allocator.js";
import { Mmu } from "../../../mmu/mmu.js";
import { PhysicalMemory } from "../../../mmu/physical-memory.js";
import { dispatch } from "../../../syscalls/index.js";
import { hello } from "../../../userland/samples/hello.js";

const INSTRUCTIONS = 20_000;

export type Outcome =
  "refused" | "refused past the point of no return" | "exited" | "signal" | "still running" | "blocked";

/** One machine that takes one broken program after the other. */
export class ElfFuzzer {
  readonly outcomes = new Map<Outcome, number>();
  private readonly frames: FrameAllocator;
  private readonly kernel: Kernel;
  private readonly start: () => ReturnType<Kernel["start"]>;
  private program = new Uint8Array();
  private readonly opened: FilePages[] = [];
  private baseline = -1;
  private readonly node: Inode;

  constructor(options: Pick<KernelOptions, "sealElf" | "mm"> = {}) {
    const host = new BufferHost();
    const memory = new PhysicalMemory(64 << 20);
    this.frames = new FrameAllocator(memory);
    const mmu = new Mmu(memory);
    const model = cpuModel("x86-64-v2")!;
    const cpu = new Cpu(memory, mmu, { model });
    const tree = buildTree({
      context: { frames: this.frames, identities: firstIdentities(), now: () => 0n },
      host,
    });
    if ("errno" in tree) throw new Error("no tree");
    const files = { openExecutable: () => this.open() };
    const kernel = new Kernel({ memory, frames: this.frames, mmu, cpu, host, dispatch, files, ...options });
    this.kernel = kernel;
    // Whose the program is: root's, as the tree's own top is.
    this.node = tree.root.dentry.inode;
    this.start = () =>
      kernel.start({
        path: "/program",
        argv: ["program"],
        env: ["A=1"],
        files: standardFiles(tree, host),
        fs: { namespace: tree, cwd: tree.root, root: tree.root, umask: 0o22 },
      });
  }

  private open(): Executable {
    const { program } = this;
    const fillPage = (index: number, page: Uint8Array): void => {
      page.set(program.subarray(index * 4096, (index + 1) * 4096));
    };
    const pages = new FilePages(this.frames, program.length, { fillPage });
    this.opened.push(pages);
    return {
      readable: true,
      writable: false,
      device: { major: 0, minor: 1 },
      inode: 1,
      mapName: "/program",
      path: "/program",
      node: this.node,
      pages,
    };
  }

  /** @throws Error when memory stays behind */
  run(program: Uint8Array): Outcome {
    this.program = program as Uint8Array<ArrayBuffer>;
    const outcome = this.outcome();
    this.kernel.reap(this.kernel.current);
    for (const pages of this.opened.splice(0)) pages.destroy();
    const { inUse } = this.frames;
    if (this.baseline < 0) this.baseline = inUse;
    if (inUse !== this.baseline) throw new Error(`${inUse - this.baseline} frames stay in use`);
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    return outcome;
  }

  private outcome(): Outcome {
    const failure = this.start();
    if (failure !== null) return failure.fatal ? "refused past the point of no return" : "refused";
    const result = this.kernel.run(INSTRUCTIONS);
    if (result.reason === "exited") return result.status.signal === null ? "exited" : "signal";
    return result.reason === "budget" ? "still running" : "blocked";
  }
}

const NICE: readonly bigint[] = [
  0n,
  1n,
  2n,
  56n,
  64n,
  4095n,
  4096n,
  4097n,
  0x10000n,
  0x400000n,
  0x401000n,
  0x10000000n,
  0x7ffffffff000n - 4096n,
  0x7ffffffff000n,
  1n << 47n,
  1n << 53n,
  1n << 62n,
  1n << 63n,
  (1n << 64n) - 4096n,
  (1n << 64n) - 1n,
];

/** A change of the headers: bytes of a width at an offset. */
const change = fc.record({
  // The ELF header and the first program headers.
  offset: fc.integer({ min: 0, max: 64 + 56 * 6 - 1 }),
  width: fc.constantFrom(1, 2, 4, 8),
  value: fc.oneof(fc.constantFrom(...NICE), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n })),
});

/** Fields at which headers are most telling: type, machine, entry, phoff, phentsize, phnum, and each phdr's fields. */
const fieldChange = fc.record({
  offset: fc.constantFrom(
    ...[4, 16, 18, 24, 32, 54, 56],
    ...[0, 1, 2, 3].flatMap((i) => [0, 4, 8, 16, 32, 40, 48].map((field) => 64 + 56 * i + field)),
  ),
  width: fc.constantFrom(1, 2, 4, 8),
  value: fc.oneof(fc.constantFrom(...NICE), fc.bigInt({ min: 0n, max: 0x1000_0000n })),
});

/** Types and flags that a program header may be given. */
const retyped = fc.record({
  offset: fc.constantFrom(64, 64 + 56, 64 + 112, 64 + 168),
  width: fc.constant(4),
  value: fc.constantFrom(1n, 2n, 3n, 4n, 6n, 7n, 0x6474e551n, 0x6474e552n, 0x6474e553n, 0x65a3dbe5n),
});

const seed = hello.build();

/** A program, and in short how it was made. */
export class BrokenProgram {
  constructor(
    readonly bytes: Uint8Array,
    private readonly made: string,
  ) {}

  [fc.toStringMethod](): string {
    return this.made;
  }
}

function mutated(
  changes: readonly { offset: number; width: number; value: bigint }[],
  length: number,
): BrokenProgram {
  const bytes = seed.slice(0, length);
  for (const { offset, width, value } of changes) {
    for (let i = 0; i < width && offset + i < bytes.length; i++) {
      bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    }
  }
  const made = changes.map(({ offset, width, value }) => `${offset}.${width}=0x${value.toString(16)}`);
  return new BrokenProgram(bytes, `hello to ${length} with ${made.join(" ")}`);
}

const raw = (bytes: Uint8Array): BrokenProgram => new BrokenProgram(bytes, `bytes ${[...bytes].join(",")}`);

/** Mutated headers of a real program, truncations, and bytes of no meaning (some behind an ELF's or a script's start). */
export const brokenProgram: fc.Arbitrary<BrokenProgram> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.array(fc.oneof(change, fieldChange, retyped), { minLength: 1, maxLength: 6 }),
        fc.oneof(
          { weight: 9, arbitrary: fc.constant(seed.length) },
          fc.integer({ min: 0, max: seed.length }),
        ),
      )
      .map(([changes, length]) => mutated(changes, length)),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 700 }).map(raw) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom("\x7fELF", "#!", "#! /program ", "\x7fELF\x02\x01\x01"),
        fc.uint8Array({ maxLength: 500 }),
      )
      .map(([start, rest]) => raw(Uint8Array.from([...[...start].map((c) => c.charCodeAt(0)), ...rest]))),
  },
);
