import type { ByteSource } from "../../kernel/fs/byte-source.js";
import { HostClock } from "../../kernel/clock.js";
import type { Host } from "../../kernel/host.js";
import { zeroFrames } from "../../kernel/mm/hugetlb/content.js";
import type { SealingModel } from "../../kernel/mm/sealing/sealing-model.js";
import { LoadError } from "../load-error.js";
import type { MachineOptions } from "../machine-options.js";
import { Machine } from "../machine.js";
import { CodecError, ValueReader, ValueWriter } from "../recording/value-codec.js";
import type { Value } from "../recording/value.js";
import { machineDigest } from "./digest.js";
import { baseSealing, externalsOf, fileRules } from "./externals.js";
import { SnapshotError } from "./file-error.js";
import { readGraph } from "./graph-reader.js";
import { writeGraph, type GraphSource } from "./graph-writer.js";
import { Hasher } from "./hasher.js";
import { seededRandomOf } from "./host-state.js";
import { checkLowerFiles } from "./lower-files.js";
import { readPage, writePage } from "./page-codec.js";

/** Raised when a reader of the former one could not read the file any more. */
const FORMAT = 2;
const FIRST_WORDS = "sealab snapshot";
const LONGEST_LINE = 200;
const FIRST_FRAME = 2;

/** How the machine is made, as far as it can be written down. */
type Made = Pick<
  MachineOptions,
  | "memoryBytes"
  | "cpu"
  | "pku"
  | "kernel"
  | "sealElf"
  | "params"
  | "clock"
  | "maxTasks"
  | "waitForAll"
  | "seed"
  | "quantum"
  | "hostname"
  | "mounts"
> & {
  /** The model's name; null: not Linux's, and the user's own. */
  readonly sealing?: string | null;
  readonly root?: number | "archive";
};

/** What a file says of itself. */
export interface SnapshotInfo {
  /** sealab's version. */
  readonly version: string;
  /** Instructions retired. */
  readonly instructions: number;
  readonly made: Made;
  /** Each living task: number, name, program. */
  readonly tasks: readonly { readonly tid: number; readonly comm: string; readonly program: string }[];
  /** Frames of guest RAM in use. */
  readonly frames: number;
  /** machineDigest of the machine. */
  readonly digest: string;
  /** It uses the user's terminal. */
  readonly terminal: boolean;
  /** Whatever who saved it wanted to keep with it. */
  readonly notes: Value;
}

interface Head extends SnapshotInfo {
  /** Nanoseconds on a host's clock since the machine started. */
  readonly monotonic: number;
  readonly randomness: readonly number[] | null;
  readonly cpu: { readonly registers: Uint8Array; readonly asid: number; readonly writer: readonly number[] };
  readonly mmu: {
    readonly root: number;
    readonly asid: number;
    readonly pkru: number;
    readonly controls: Value;
  };
}

export interface SaveOptions {
  /** sealab's version, for who asks what made the file. */
  readonly version?: string;
  readonly notes?: Value;
  /** The name (with options) of the model of sealing, where the machine was given the model itself. */
  readonly sealing?: string;
}

/**
 * A machine as a file: one line of text (`sealab snapshot FORMAT VERSION BYTES DIGEST`), then the body. Not in it is the
 * host: {@link loadMachine} wants one with the same files behind the same roots.
 * @throws SnapshotError for a machine that cannot be saved
 */
export function saveMachine(machine: Machine, options: SaveOptions = {}): Uint8Array {
  const { kernel } = machine;
  if (kernel.inRun) throw new SnapshotError("a machine can be saved between runs only, not by a listener");
  const made = madeOf(machine.made, options.sealing);
  const { version = "unknown", notes = null } = options;
  const writer = new ValueWriter();
  writer.value(headOf(machine, made, version, notes) as unknown as Value);
  writeFrames(writer, machine);
  writeGraph(writer, sourceOf(machine));
  const body = writer.bytes();
  const line = `${FIRST_WORDS} ${FORMAT} ${version} ${body.length} ${bodyDigest(body)}\n`;
  const head = new TextEncoder().encode(line);
  const file = new Uint8Array(head.length + body.length);
  file.set(head);
  file.set(body, head.length);
  return file;
}

/** What a file says of itself. @throws SnapshotError for a file that is none, or is damaged */
export function snapshotInfo(file: Uint8Array): SnapshotInfo {
  return readHead(bodyOf(file)).head;
}

export interface LoadParts {
  readonly host: Host;
  /** The tar archive that was the root, where one was. */
  readonly archive?: ByteSource | Uint8Array;
  /** The model of sealing, where it was not one with a name. */
  readonly sealing?: SealingModel;
}

/**
 * A machine that goes on where a saved one stood.
 * @throws SnapshotError for a file that is none, is damaged or of another version, and where the host has not what the
 *   machine needs
 */
export function loadMachine(file: Uint8Array, parts: LoadParts): Machine {
  const { head, reader } = readHead(bodyOf(file));
  const machine = make(head.made, parts);
  if (head.terminal !== (machine.terminals.host !== null))
    throw new SnapshotError(
      head.terminal ? "needs a terminal" : "of a machine without a terminal, and here is one",
    );
  try {
    readFrames(reader, machine);
    readGraph(reader, sourceOf(machine));
  } catch (error) {
    if (error instanceof CodecError) throw new SnapshotError(`damaged: ${error.message}`);
    throw error;
  }
  const { cpu, kernel, host } = machine;
  cpu.loadContext(head.cpu.registers);
  cpu.instructions = head.instructions;
  cpu.asid = head.cpu.asid;
  [cpu.pkruWriter.instruction, cpu.pkruWriter.rip] = head.cpu.writer as [number, number];
  const { root, asid, pkru } = head.mmu;
  kernel.mmu.loadState({ root, asid, pkru, controls: kernel.mmu.features });
  cpu.registers.pkru = pkru;
  kernel.stateReplaced();
  checkLowerFiles(machine.snapshots.objectsNow());
  if (machineDigest(machine) !== head.digest)
    throw new SnapshotError("of another version of sealab: the machine is not the one that was saved");
  if (kernel.clock instanceof HostClock) kernel.clock.resume(head.monotonic);
  if (head.randomness !== null) seededRandomOf(host)?.loadState(Uint32Array.from(head.randomness));
  if (machine.terminals.host?.raw === true) host.terminal?.setRaw(true);
  return machine;
}

function make(made: Made, { host, archive, sealing }: LoadParts): Machine {
  const { root, sealing: model, ...rest } = made;
  if (root === "archive" && archive === undefined)
    throw new SnapshotError("needs the archive that was its root");
  if (model === null && sealing === undefined)
    throw new SnapshotError("needs the model of sealing that it was made with");
  if ((typeof root === "number" || (rest.mounts ?? []).length > 0) && !host.fileSource)
    throw new SnapshotError("needs a host with the files that were its root");
  try {
    return Machine.create({
      ...rest,
      host,
      ...(root === undefined ? {} : { root: root === "archive" ? archive! : root }),
      ...(model === undefined ? {} : { sealing: model ?? sealing! }),
    });
  } catch (error) {
    if (error instanceof RangeError)
      throw new SnapshotError(`of another version of sealab: ${error.message}`);
    if (error instanceof LoadError)
      throw new SnapshotError(`needs the files that it was saved with: ${error.message}`);
    throw error;
  }
}

function sourceOf(machine: Machine): GraphSource {
  return {
    roots: machine.stateRoots(),
    rules: fileRules(machine),
    externals: externalsOf(machine, baseSealing(machine)),
    guestBuffer: machine.kernel.memory.memory.buffer,
  };
}

/** @throws SnapshotError */
function madeOf(options: MachineOptions, modelName: string | undefined): Made {
  const { root, upper, sealing, ...others } = options;
  if (upper !== undefined) throw new SnapshotError("a machine with an upper layer (--upper) cannot be saved");
  const rest: Made & { host?: unknown; reuse?: unknown; executor?: unknown; interpret?: unknown } = others;
  delete rest.host;
  delete rest.reuse;
  delete rest.executor;
  delete rest.interpret;
  return {
    ...rest,
    ...(root === undefined ? {} : { root: typeof root === "number" ? root : "archive" }),
    ...(sealing === undefined
      ? {}
      : { sealing: modelName ?? (typeof sealing === "string" ? sealing : null) }),
  };
}

function headOf(machine: Machine, made: Made, version: string, notes: Value): Head {
  const { kernel, cpu, host } = machine;
  const { root, asid, pkru } = kernel.mmu.saveState();
  const random = seededRandomOf(host);
  return {
    version,
    instructions: machine.instructions,
    made,
    tasks: [...kernel.tasks.values()].map(({ tid, comm, executable }) => ({
      tid,
      comm,
      program: executable,
    })),
    frames: kernel.frames.inUse,
    digest: machineDigest(machine),
    terminal: machine.terminals.host !== null,
    notes,
    monotonic: kernel.clock.monotonic(),
    randomness: random === null ? null : [...random.saveState()],
    cpu: {
      registers: cpu.saveContext(),
      asid: cpu.asid,
      writer: [cpu.pkruWriter.instruction, cpu.pkruWriter.rip],
    },
    mmu: { root, asid, pkru, controls: null },
  };
}

/** The body of a file, which is whole. @throws SnapshotError */
function bodyOf(file: Uint8Array): Uint8Array {
  const newline = file.subarray(0, LONGEST_LINE).indexOf(0x0a);
  const line = new TextDecoder().decode(file.subarray(0, Math.max(0, newline)));
  if (!line.startsWith(`${FIRST_WORDS} `)) throw new SnapshotError("not a snapshot of sealab");
  const [format, version, size, digest] = line.slice(FIRST_WORDS.length + 1).split(" ");
  if (format !== `${FORMAT}`)
    throw new SnapshotError(
      `of format ${format ?? "?"}, by sealab ${version ?? "?"}; this one reads format ${FORMAT}`,
    );
  const body = file.subarray(newline + 1);
  if (Number(size) > body.length) throw new SnapshotError(`cut: it has ${body.length} of its ${size} bytes`);
  if (Number(size) !== body.length || bodyDigest(body) !== digest)
    throw new SnapshotError("damaged: its digest is another one");
  return body;
}

/** @throws SnapshotError */
function readHead(body: Uint8Array): { readonly head: Head; readonly reader: ValueReader } {
  const reader = new ValueReader(body);
  try {
    return { head: reader.value() as unknown as Head, reader };
  } catch (error) {
    if (error instanceof CodecError) throw new SnapshotError(`damaged: ${error.message}`);
    throw error;
  }
}

function bodyDigest(body: Uint8Array): string {
  const hasher = new Hasher();
  hasher.bytes(body);
  return hasher.digest();
}

function writeFrames(writer: ValueWriter, { kernel }: Machine): void {
  const { frames, memory } = kernel;
  const { next, references, recycled, freeRuns, hugeZeroFrame } = frames.saveState();
  writer.whole(next);
  for (const list of [recycled, freeRuns]) {
    writer.whole(list.length);
    for (const frame of list) writer.whole(frame);
  }
  writer.whole(hugeZeroFrame);
  for (let frame = FIRST_FRAME; frame < next; frame++) {
    writer.whole(references[frame]!);
    if (references[frame] !== 0) writePage(writer, memory.frameBytes(frame));
  }
}

function readFrames(reader: ValueReader, { kernel }: Machine): void {
  const { frames, memory } = kernel;
  zeroFrames(memory, FIRST_FRAME, frames.touched - FIRST_FRAME);
  const next = reader.whole();
  if (next > memory.frameCount) throw new CodecError("it has more memory than it says");
  const recycled = Int32Array.from({ length: reader.count() }, () => reader.whole());
  const freeRuns = Array.from({ length: reader.count() }, () => reader.whole());
  const hugeZeroFrame = reader.whole();
  const references = new Int32Array(next);
  for (let frame = FIRST_FRAME; frame < next; frame++) {
    references[frame] = reader.whole();
    if (references[frame] !== 0) readPage(reader, memory.frameBytes(frame));
  }
  frames.loadState({ next, references, recycled, freeRuns, hugeZeroFrame });
}
