import { Cpu } from "../cpu/cpu.js";
import { userCredentials, type Credentials } from "../kernel/credentials.js";
import { byteString } from "../kernel/fs/bytes.js";
import type { Host } from "../kernel/host.js";
import { Kernel } from "../kernel/kernel.js";
import type { RunResult } from "../kernel/run-loop.js";
import type { AreaSnapshot } from "../kernel/refusal.js";
import { letIn, type OutsideEvent } from "../kernel/outside.js";
import type { ExitStatus, Process, Task } from "../kernel/task.js";
import type { Terminals } from "../kernel/tty/terminals.js";
import { READ, type AccessKind } from "../mmu/access-kind.js";
import { pteFrame, pteKey } from "../mmu/page-table-entry.js";
import { walk, type WalkResult } from "../mmu/walk.js";
import { syscallTable } from "../syscalls/index.js";
import { findUser, type User } from "./users.js";
import { assemble } from "./assemble.js";
import {
  onHappening,
  runUntil,
  type FaultStop,
  type HappeningMap,
  type HappeningName,
  type SyscallStop,
} from "./happenings.js";
import { Reversal } from "./reversal.js";
import { disassemble } from "./disassemble.js";
import { Modules } from "./dwarf/modules.js";
import { GuestMemory } from "./guest-memory.js";
import { LoadError } from "./load-error.js";
import { MachineFiles } from "./machine-files.js";
import { entryBits, entryHex } from "./page-table-text.js";
import { RewindableHost } from "./recording/rewindable-host.js";
import { Registers } from "./registers.js";
import { placeName } from "./views/sources.js";
import { SnapshotStore, type Snapshot } from "./snapshot/snapshot.js";
import type { TraceRecord } from "./trace/record.js";
import { Tracer } from "./trace/tracer.js";
import type { LoadOptions, MachineOptions } from "./machine-options.js";

/** A leaf page-table entry with its bits named. */
export interface PageTableEntryView {
  readonly low: number;
  readonly high: number;
  readonly frame: number;
  readonly key: number;
  /** `P RW US A D NX`: the names of the bits that are set. */
  readonly bits: readonly string[];
  /** All 64 bits, as `0x8800000012345067`. */
  readonly hex: string;
}

const credentialsOf = ({ uid, gid, groups }: User): Credentials => userCredentials(uid, gid, groups);

const SIGINT = 2;

/**
 * A whole machine: memory, MMU, CPU and the Linux kernel, with one program.
 *
 *     const machine = Machine.create();
 *     machine.load(elf, { argv: ["hello"] });
 *     const end = machine.run();          // { reason: "exited", status: { code: 0, ... } }
 *
 * Nothing runs but in `run`, `until...` and `step`, and these return when the program ends, waits, or has used
 * up what it was given. Same program, same host: the same run, to the instruction.
 */
export class Machine {
  readonly registers: Registers;
  readonly host: Host;
  /** Names and source lines of the running program's code and data. */
  readonly modules: Modules;
  private readonly guestMemory: GuestMemory;
  private snapshotStore: SnapshotStore | null = null;
  /** The way back; null where there is none. */
  private reversal: Reversal | null = null;

  private constructor(
    /** The kernel itself, for what this class does not show. */
    readonly kernel: Kernel,
    private readonly files: MachineFiles,
    /** The processor, for a debugger's stops. */
    readonly cpu: Cpu,
    /** How it was made. */
    readonly made: MachineOptions,
  ) {
    this.host = kernel.host;
    this.registers = new Registers(kernel.cpu.registers);
    this.guestMemory = new GuestMemory(
      kernel.memory,
      () => kernel.current.mm,
      false,
      (look) => this.aside(look),
    );
    this.modules = new Modules(
      () => kernel.current.mm,
      () => kernel.cpu.instructions,
      (look) => this.aside(look),
    );
  }

  /**
   * @throws RangeError for an unknown CPU, release, model of sealing or kernel parameter, or memory that does not fit
   * @throws LoadError when something to be mounted cannot be
   */
  static create(options: MachineOptions = {}): Machine {
    const { reuse, ...made } = options;
    const { kernel, files, cpu } = assemble(made, reuse);
    const machine = new Machine(kernel, files, cpu, made);
    if (options.reversible === true) machine.reversal = new Reversal(machine);
    return machine;
  }

  /**
   * Puts a program into the guest's tree and makes it the first process. Once a machine.
   * @throws LoadError when it cannot be run: not an ELF file, for another machine, ...
   * @throws Error where there is one already
   */
  load(elf: Uint8Array, options: LoadOptions = {}): void {
    if (this.hasProgram) throw new Error("load: a machine is given a program once");
    const path = options.path ?? "/program";
    this.files.install(path, elf);
    this.exec(path, options);
  }

  /** Like {@link load}, for a program that is in the guest's tree (a mount) already. @throws LoadError */
  exec(path: string, options: Omit<LoadOptions, "path"> = {}): void {
    if (this.hasProgram) throw new Error("exec: a machine is given a program once");
    const failure = this.kernel.start({
      path,
      argv: options.argv ?? [path],
      env: options.env ?? [],
      ...this.files.firstProcess(options.cwd ?? "/"),
      ...(options.user === undefined ? {} : { credentials: credentialsOf(options.user) }),
    });
    if (failure !== null) throw LoadError.ofExec(path, failure);
    this.reversal?.add(this.snapshots.take());
  }

  /**
   * A user of the guest: NAME, UID, NAME:GROUP or UID:GID, looked up in its /etc/passwd and /etc/group. A number need
   * not be there; null for a name that is not.
   */
  findUser(text: string): User | null {
    const read = (path: string): string => byteString(this.files.read(path));
    return findUser(text, read("/etc/passwd"), read("/etc/group"));
  }

  /** What a path of the guest's tree is, links followed; null where there is nothing. */
  fileKind(path: string): "file" | "directory" | "other" | null {
    return this.files.kind(path);
  }

  private get hasProgram(): boolean {
    // Undefined until the kernel has started one.
    return (this.kernel.init as Process | undefined) !== undefined;
  }

  /** The running task. */
  get task(): Task {
    return this.kernel.current;
  }

  /** How the program ended; null while it has not. */
  get exit(): ExitStatus | null {
    return this.kernel.current.process.exit;
  }

  /** Instructions retired so far. */
  get instructions(): number {
    return this.kernel.cpu.instructions;
  }

  /**
   * Runs until the program ends or waits, or `maxInstructions` more have been retired (exactly).
   * @throws Error where there is none
   */
  run(maxInstructions = Infinity): RunResult {
    if (!this.hasProgram) throw new Error("this machine has no program: load or exec one first");
    return this.kernel.run(maxInstructions);
  }

  /** Runs `count` instructions (1 unless told); a system call or a fault counts as one. */
  step(count = 1): RunResult {
    return this.run(count);
  }

  /**
   * Runs to right behind the next happening: an event of {@link on}, or "syscall", a call that was served, with the
   * reason where it was refused. Null when the program ends or waits before.
   */
  until<N extends HappeningName>(
    name: N,
    where: (happening: HappeningMap[N]) => boolean = () => true,
  ): HappeningMap[N] | null {
    return this.reversal === null ? runUntil(this, name, where) : this.reversal.until(name, where);
  }

  /**
   * Runs until a system call (of that name, that `where` accepts) has been served; null as of `until`.
   * @throws RangeError for a name that no system call has
   */
  untilSyscall(name?: string, where: (call: SyscallStop) => boolean = () => true): SyscallStop | null {
    if (name !== undefined && syscallTable.named(name) === undefined)
      throw new RangeError(`no system call ${name}`);
    return this.until("syscall", (call) => (name === undefined || call.name === name) && where(call));
  }

  /** Runs until a fault becomes a signal, of whose handler nothing has run yet; null as of `until`. */
  untilFault(where: (fault: FaultStop) => boolean = () => true): FaultStop | null {
    return this.until("fault", (fault) => fault.signal !== null && where(fault));
  }

  /**
   * Back to an instruction of the past. The machine must have been made `reversible`. What was changed from outside on
   * the way but by `fromOutside` is undone, and so is not done again by running on.
   * @throws RangeError for one that has not been @throws Error for another machine
   */
  reverseTo(instructions: number): void;
  /** Back to right behind the last such happening before this instruction; null, and it stays here: there was none. */
  reverseTo<N extends HappeningName>(
    name: N,
    where?: (happening: HappeningMap[N]) => boolean,
  ): HappeningMap[N] | null;
  reverseTo<N extends HappeningName>(
    target: number | N,
    where: (happening: HappeningMap[N]) => boolean = () => true,
  ): HappeningMap[N] | null {
    const { reversal } = this;
    if (reversal === null) throw new Error("reverseTo: the machine was not made with reversible: true");
    if (typeof target !== "number") return reversal.toLast(target, where);
    reversal.toInstruction(target);
    return null;
  }

  /**
   * Something comes from outside: a signal, a key, time. At once; with a {@link RewindableHost}, which notes it, when
   * the machine runs next.
   * @returns false where it will not: a record is replayed, or there is nothing to it
   */
  fromOutside(event: OutsideEvent): boolean {
    const { outside } = this.kernel;
    if (outside !== null) return outside.post(event);
    letIn(this.kernel, event);
    return true;
  }

  /**
   * Lets a debugger look at the guest's files (`FilePages.peek`) so that nothing of it is in the machine's record.
   */
  aside<T>(look: () => T): T {
    return this.host instanceof RewindableHost ? this.host.aside(look) : look();
  }

  /** Sends a signal from outside, as the terminal's Ctrl-C does. */
  interrupt(signal = SIGINT): void {
    this.fromOutside({ kind: "signal", signal });
  }

  /** Carries a virtual clock to a monotonic time in nanoseconds, as that of "blocked", so that sleepers go on. */
  advanceClock(time: number): void {
    this.fromOutside({ kind: "clock", time });
  }

  /** Carries a clock that is to follow the host's to where that is now; to be called between runs. */
  keepTime(): void {
    const { clock } = this.kernel;
    if (!clock.carried || !(this.host instanceof RewindableHost)) return;
    const elapsed = this.host.elapsedNanoseconds();
    if (elapsed !== null) this.advanceClock(elapsed);
  }

  /** Where the walk over the machine's state begins; what the walk leaves out is named in snapshot/graph-rules.ts. */
  stateRoots(): object[] {
    const { frames } = this.kernel;
    return [this.kernel, this.files, frames.holders, frames.charging];
  }

  /** The guest's terminals, the user's own among them. */
  get terminals(): Terminals {
    return this.files.terminals;
  }

  /** What its snapshots share. */
  get snapshots(): SnapshotStore {
    return (this.snapshotStore ??= new SnapshotStore(this));
  }

  /** The machine as it is now. @throws Error when called by a listener, while it runs */
  snapshot(): Snapshot {
    const snapshot = this.snapshots.take();
    this.reversal?.add(snapshot);
    return snapshot;
  }

  /**
   * Goes back to (or on to) a moment of this machine. Listeners stay.
   * @throws Error for another machine's snapshot, and when called by a listener
   */
  restore(snapshot: Snapshot): void {
    this.snapshots.restore(snapshot);
    this.reversal?.restored(snapshot);
  }

  /** Calls back at each event of that name; the function returned ends that. "syscall": each call that was served. */
  on<N extends HappeningName>(name: N, listener: (event: HappeningMap[N]) => void): () => void {
    return onHappening(this.kernel.events, name, listener);
  }

  /**
   * Tells of each system call, signal and the end, with the line that strace would print.
   * @param withReasons records of refusals and faults say why
   * @returns ends it
   */
  trace(emit: (record: TraceRecord) => void, withReasons = true): () => void {
    const { kernel } = this;
    const tracer = new Tracer(
      {
        events: kernel.events,
        table: syscallTable,
        memory: this.guestMemory,
        stackPointer: () => Number(this.registers.get("rsp")),
        instructionPointer: () => this.registers.rip,
        resultRegister: () => BigInt.asIntN(64, this.registers.get("rax")),
        initialStack: () => this.task.mm.layout.startStack,
        threads: () => kernel.livingTasks,
      },
      emit,
      withReasons,
    );
    return () => tracer.detach();
  }

  /** Up to `length` bytes of the program's memory from an address on; fewer where readable memory ends. */
  read(address: number, length: number): Uint8Array {
    return this.guestMemory.read(address, length);
  }

  /** The program's areas (VMAs), ascending. */
  areas(): AreaSnapshot[] {
    const { mm } = this.task;
    return [...mm.areas()].map((area) => mm.snapshotArea(area));
  }

  /** The area that holds an address. */
  areaAt(address: number): AreaSnapshot | null {
    return this.areas().find((area) => area.start <= address && address < area.end) ?? null;
  }

  /** As /proc/self/maps prints the areas. */
  maps(): string {
    return this.task.mm.formatMaps();
  }

  /** The leaf entry for an address; null where no page table is, or the entry is empty. */
  pageTableEntry(address: number): PageTableEntryView | null {
    const { tables } = this.task.mm;
    const entry = tables.entryAddress(address, false) >>> 2 || tables.large.entryOf(address);
    if (entry === 0) return null;
    const { u32 } = this.kernel.memory;
    const low = u32[entry]!;
    const high = u32[entry + 1]!;
    if (low === 0 && high === 0) return null;
    return {
      low,
      high,
      frame: pteFrame(low),
      key: pteKey(high),
      bits: entryBits(low, high),
      hex: entryHex(low, high),
    };
  }

  /** The architectural walk for an access by the program now: each level's entry, and whether it would fault. */
  walk(address: number, kind: AccessKind = READ): WalkResult {
    const { memory, mmu, cpu } = this.kernel;
    const high = Math.floor(address / 2 ** 32) | 0;
    const { root } = this.task.mm.tables;
    return walk(memory, root, high, address >>> 0, kind, true, mmu.features, cpu.registers.pkru);
  }

  /** The instruction at an address, in Intel syntax; undefined where there is none. */
  instructionAt(address: number): string | undefined {
    return disassemble(this.read(address, 15), address, this.kernel.cpu.mode);
  }

  /** The symbol at an address of the running program or its libraries, as `main+0x1f`; undefined where there is no name. */
  symbolAt(address: number): string | undefined {
    return this.modules.nameAt(address);
  }

  /** The symbol, and the line of source where the file has debugging information: `main+0x1f at file.c:12`. */
  placeAt(address: number): string | undefined {
    const symbol = this.symbolAt(address);
    const line = symbol === undefined ? undefined : this.modules.lineAt(address);
    return line === undefined ? symbol : `${symbol} at ${placeName(line)}`;
  }
}
