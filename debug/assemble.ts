import { Cpu } from "../cpu/cpu.js";
import { CPU_MODEL_NAMES, cpuModel } from "../cpu/models.js";
import { HostClock, VirtualClock, type Clock } from "../kernel/clock.js";
import { firstIdentities } from "../kernel/fs/file-system.js";
import type { Host } from "../kernel/host.js";
import { Kernel } from "../kernel/kernel.js";
import { DEFAULT_RELEASE, findRelease, RELEASE_NAMES, RELEASES } from "../kernel/release.js";
import { readParameters } from "../kernel/parameters.js";
import { sealingModel } from "../kernel/mm/sealing/models.js";
import { FrameAllocator } from "../mmu/frame-allocator.js";
import { Mmu } from "../mmu/mmu.js";
import { PhysicalMemory } from "../mmu/physical-memory.js";
import { TableDispatch } from "../syscalls/dispatch.js";
import { syscallTable } from "../syscalls/index.js";
import { VDSO_DATA } from "../userland/vdso-data.js";
import { BufferHost } from "./buffer-host.js";
import { programFiles } from "../kernel/fs/program-files.js";
import { MachineFiles } from "./machine-files.js";
import { RewindableHost } from "./recording/rewindable-host.js";
import { vdsoBytes } from "./vdso-bytes.js";
import type { MachineOptions } from "./machine-options.js";

/** The host's time; where that is noted, a virtual one that is carried along with it. */
function hostClock(host: Host, cpu: Cpu): Clock {
  if (host instanceof RewindableHost) return new VirtualClock(cpu, host.realtimeNanoseconds(), true);
  return new HostClock(host);
}

const DEFAULT_MEMORY_BYTES = 512 * 2 ** 20;

/** What a machine consists of. */
export interface Assembled {
  readonly kernel: Kernel;
  readonly files: MachineFiles;
  readonly cpu: Cpu;
}

/**
 * Puts memory, MMU, processor, kernel and the guest's tree together.
 * @param reuse a machine that is done with: its memory is taken over
 * @throws RangeError for an unknown CPU, release, model of sealing or kernel parameter, or memory that does not fit
 * @throws LoadError when something to be mounted cannot be
 */
export function assemble(options: MachineOptions, reuse: MachineOptions["reuse"]): Assembled {
  const name = options.cpu ?? "x86-64-v2";
  const model = cpuModel(name, options.pku ?? true);
  if (model === undefined) throw new RangeError(`no CPU ${name}; there are ${CPU_MODEL_NAMES.join(", ")}`);
  const release = options.kernel === undefined ? DEFAULT_RELEASE : findRelease(options.kernel);
  if (release === undefined)
    throw new RangeError(`no kernel ${options.kernel}; there are ${RELEASE_NAMES.join(", ")}`);
  const { sealing, sealElf = false } = options;
  const given = options.host ?? new BufferHost();
  const reversible = options.reversible === true;
  const host = reversible && !(given instanceof RewindableHost) ? new RewindableHost(given) : given;
  const memory = new PhysicalMemory(
    options.memoryBytes ?? DEFAULT_MEMORY_BYTES,
    reuse?.kernel.memory.giveUp(reuse.kernel.frames.touched),
  );
  const frames = new FrameAllocator(memory);
  const mmu = new Mmu(memory);
  mmu.setFeatures({ pke: model.pku });
  const { executor } = options;
  const cpu = new Cpu(memory, mmu, {
    model,
    ...(executor === undefined ? {} : { executor }),
    ...(options.interpret === true ? { hot: Infinity } : {}),
  });
  // Files carry the time of a clock that the kernel makes.
  const now = (): bigint => kernel.clock.realtimeOrigin + BigInt(Math.floor(kernel.clock.monotonic()));
  const kernel = new Kernel({
    memory,
    frames,
    mmu,
    cpu,
    host,
    dispatch: new TableDispatch(syscallTable),
    files: programFiles,
    pku: model.pku,
    release,
    ...(sealing === undefined
      ? {}
      : { mm: { sealing: typeof sealing === "string" ? sealingModel(sealing) : sealing } }),
    vdso: { bytes: vdsoBytes(), data: VDSO_DATA },
    parameters: readParameters(options.params ?? [], release, RELEASES),
    sealElf: sealElf === true ? "all" : sealElf === false ? null : sealElf,
    schedule: {
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(options.quantum === undefined ? {} : { quantum: options.quantum }),
    },
    ...(options.waitForAll === undefined ? {} : { waitForAll: options.waitForAll }),
    ...(options.maxTasks === undefined ? {} : { maxTasks: options.maxTasks }),
    ...(options.clock === "host" ? { clock: hostClock(host, cpu) } : {}),
    ...(options.hostname === undefined ? {} : { hostname: options.hostname }),
  });
  const files = new MachineFiles(host, { frames, identities: firstIdentities(), now }, options);
  files.attach(kernel);
  if (options.swapBytes !== undefined) files.addSwapDisk(kernel, options.swapBytes);
  if (host instanceof RewindableHost) host.attach(kernel);
  return { kernel, files, cpu };
}
