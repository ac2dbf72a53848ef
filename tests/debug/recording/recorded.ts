import { deflateRawSync, inflateRawSync } from "node:zlib";
import { expect } from "vitest";
import { BufferHost, Machine } from "../../../debug/index.js";
import { InputLog } from "../../../debug/recording/input-log.js";
import { memoryDigest } from "../../../debug/recording/memory-digest.js";
import type { Packer } from "../../../debug/recording/record-file.js";
import { machineOptions, startProgram } from "../../../debug/recording/replay-machine.js";
import { RewindableHost } from "../../../debug/recording/rewindable-host.js";
import type { RunRecord, RunSetup } from "../../../debug/recording/run-record.js";
import { Program, SYS } from "../../../userland/index.js";

export const PACKER: Packer = {
  pack: (bytes) => deflateRawSync(bytes),
  unpack: (bytes) => inflateRawSync(bytes),
};
const GETRANDOM = 318;

function setup(elf: Uint8Array): RunSetup {
  return {
    machine: {
      memoryBytes: 16 << 20,
      cpu: "x86-64-v2",
      pku: true,
      kernel: "6.18",
      sealing: "linux",
      sealElf: false,
      params: [],
      maxTasks: 100,
      seed: 1,
      quantum: 1000,
      waitForAll: false,
      clock: "virtual",
      root: null,
      upper: null,
      mounts: [],
    },
    start: { name: "p", path: "/p", elf, lookedFor: "/p", argv: ["p"], env: ["A=b"], cwd: "/", user: null },
  };
}

/** Three random bytes into RBX, a loop of some length, and two writes. */
export function program(turns: number, status: number): Uint8Array {
  const made = new Program().label("_start");
  made.within(".bss", () => made.label("buffer").reserve(64));
  made.syscall(GETRANDOM, "buffer", 3, 0).code("mov rbx, [buffer]");
  made.syscall(SYS.write, 1, "buffer", 3).code(`mov ecx, ${turns}\nagain: dec ecx\n jnz again`);
  return made.syscall(SYS.write, 1, "buffer", 2).exit(status).build();
}

/** @param most instructions, after which the run is cut off */
export function record(elf: Uint8Array, most = Infinity): { record: RunRecord; machine: Machine } {
  const host = new RewindableHost(new BufferHost("", 5), new InputLog(), { checkEvery: 1000 });
  const made = setup(elf);
  const machine = Machine.create(machineOptions(made.machine, { host, archive: null, sealing: null }));
  machine.fileKind("/p");
  startProgram(machine, made.start, null);
  const { reason } = machine.run(most);
  expect(reason).toBe(most === Infinity ? "exited" : "budget");
  const end = {
    instructions: machine.instructions,
    status: 0,
    message: null,
    exited: reason === "exited",
    digest: memoryDigest(machine),
  };
  return { record: { version: "1.2.3", setup: made, log: host.log, end }, machine };
}
