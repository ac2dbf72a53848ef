/** A kernel with a small tree in memory and a host in memory, for tests of the kernel itself. */

import { firstIdentities } from "../../kernel/fs/file-system.js";
import { Cpu } from "../../cpu/cpu.js";
import { cpuModel } from "../../cpu/models.js";
import { BufferHost } from "../../debug/buffer-host.js";
import type { ExecFailure } from "../../kernel/exec/exec.js";
import { mountKernelFileSystems } from "../../kernel/fs/procfs/mount.js";
import { programFiles } from "../../kernel/fs/program-files.js";
import type { Namespace } from "../../kernel/fs/namespace.js";
import { standardFiles } from "../../kernel/fs/standard-streams.js";
import { buildTree } from "../../kernel/fs/tree-setup.js";
import { Kernel } from "../../kernel/kernel.js";
import type { SchedulerOptions } from "../../kernel/scheduler.js";
import { FrameAllocator } from "../../mmu/frame-allocator.js";
import { Mmu } from "../../mmu/mmu.js";
import { PhysicalMemory } from "../../mmu/physical-memory.js";
import { dispatch } from "../../syscalls/index.js";

export interface BareKernel {
  readonly kernel: Kernel;
  readonly host: BufferHost;
  readonly tree: Namespace;
  /** Puts a file into the tree. */
  add(path: string, bytes: Uint8Array | string, mode?: number): void;
  /** Starts a program that is in the tree. */
  start(path: string, argv?: readonly string[], env?: readonly string[]): ExecFailure | null;
  /** What the program wrote to standard output. */
  output(): string;
}

export function bareKernel(
  options: { memoryBytes?: number; pku?: boolean; schedule?: SchedulerOptions; now?: () => bigint } = {},
): BareKernel {
  const host = new BufferHost();
  const memory = new PhysicalMemory(options.memoryBytes ?? 64 << 20);
  const frames = new FrameAllocator(memory);
  const mmu = new Mmu(memory);
  const model = cpuModel("x86-64-v2", options.pku ?? true)!;
  mmu.setFeatures({ pke: model.pku });
  const cpu = new Cpu(memory, mmu, { model });
  const now = options.now ?? (() => 0n);
  const tree = buildTree({ context: { frames, identities: firstIdentities(), now }, host });
  if ("errno" in tree) throw new Error(`no tree: ${tree.errno}`);
  const kernel = new Kernel({
    memory,
    frames,
    mmu,
    cpu,
    host,
    dispatch,
    files: programFiles,
    pku: model.pku,
    ...(options.schedule ? { schedule: options.schedule } : {}),
  });
  mountKernelFileSystems(tree, kernel);
  return {
    kernel,
    host,
    tree,
    add(path, bytes, mode = 0o755) {
      const content = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
      const result = tree.addFile(path, content, mode);
      if (result < 0) throw new Error(`cannot add ${path}: ${result}`);
    },
    start(path, argv = [path], env = []) {
      const files = standardFiles(tree, host);
      return kernel.start({
        path,
        argv,
        env,
        files,
        fs: { namespace: tree, cwd: tree.root, root: tree.root, umask: 0o22 },
      });
    },
    output: () => host.text(1),
  };
}
