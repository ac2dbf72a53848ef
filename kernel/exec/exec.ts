/** execve: a new program in an old task (fs/exec.c do_execveat_common, begin_new_exec; fs/binfmt_elf.c). */

import { dumpCore } from "../core/dump.js";
import { EAGAIN, EINVAL, ELOOP, ENOENT, ENOEXEC, ENOMEM, errnoName } from "../errno.js";
import type { Inode } from "../fs/inode.js";
import type { Location } from "../fs/mount.js";
import { forgetTracedBreakpoints } from "../debug-registers/traced.js";
import { endThread } from "../exit.js";
import { leaveFutexes } from "../futex/exit.js";
import { leaveRings } from "../io-uring/leave.js";
import type { Kernel } from "../kernel.js";
import { RLIMIT_STACK } from "../limits.js";
import type { AddressSpace } from "../mm/address-space.js";
import { TASK_SIZE, TASK_SIZE_32 } from "../mm/layout.js";
import type { MappableFile } from "../mm/mappable-file.js";
import { PROT_EXEC, PROT_READ, PROT_WRITE } from "../mm/uapi.js";
import { UserMemory } from "../mm/user-memory.js";
import { mayExecute } from "../process-limit.js";
import { RSP } from "../processor.js";
import { INITIAL_PKRU } from "../signals/frame.js";
import { detach } from "../ptrace/attach.js";
import { stopForEvent } from "../ptrace/stop.js";
import { PTRACE_EVENT_EXEC, PTRACE_O_TRACEEXEC } from "../ptrace/tracing.js";
import { SI_USER, SIGCHLD, SIGSEGV, SIGTRAP } from "../signals/numbers.js";
import { resetSegments } from "../segments/return.js";
import { kernelSignal, sendSignal } from "../signals/send.js";
import { rseqExec } from "../rseq.js";
import type { Task } from "../task.js";
import { auxiliaryVector } from "./auxv.js";
import { newIdentity, takeIdentity, type NewIdentity } from "./credentials.js";
import { PT_LOAD, HEAD_BYTES, isRefusal, parseElf, parseInterpreter, ET_DYN, type ElfImage } from "./elf.js";
import { DYN_BASE, loadSegments } from "./load.js";
import { parseScript } from "./script.js";
import { readerOf, sealElfFor, sealProgram, type MappedProgram } from "./seal-program.js";
import { layStack, layStrings, STACK_TOP, type StringArea } from "./stack.js";

/** An open program: what mmap needs of it, its absolute path, and whose it is. */
export type Executable = MappableFile & {
  readonly path: string;
  readonly node: Inode;
  /** Its mount lends no rights by set-user-ID bits. */
  readonly noSuid?: boolean;
};

/** What is to be executed. */
export interface Program {
  /** As AT_EXECFN and a script's interpreter are told. */
  readonly path: string;
  /** The place itself, where the path is not what it was found by (execveat). */
  readonly at?: Location;
  /** The path leads through a descriptor that closes at exec: no script's interpreter could open it. */
  readonly unreachable?: boolean;
}

/** The file system as execve sees it. */
export interface ExecutableFiles {
  /**
   * Opens a program for execution. Negative errno: ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG; EACCES if it is no regular
   * file, has no execute bit, or lies on a noexec mount.
   */
  openExecutable(task: Task, path: string, at?: Location): Executable | number;
}

export interface ExecFailure {
  readonly errno: number;
  /** One phrase: "not an ELF file". */
  readonly reason: string;
  /** True if the old program was gone already: the task has been killed by SIGSEGV, as Linux does. */
  readonly fatal: boolean;
}

/** Rewritings by "#!" lines before ELOOP (exec_binprm). */
const SCRIPT_DEPTH = 5;
const PAGE = 4096;
/** How far the stack reaches below its first use from the start. */
const STACK_EXPANSION = 131072;
const RFLAGS_INITIAL = 0x202;
const GAP_MIN = 128 << 20;
/** stack_guard_gap in bytes. */
const GUARD_GAP = 256 * PAGE;
const ADDR_COMPAT_LAYOUT = 0x20_0000;

const failure = (errno: number, reason: string, fatal = false): ExecFailure => ({ errno, reason, fatal });

/**
 * Replaces the task's program; null on success. A failure that is not fatal leaves the task as it was.
 * Strings are latin-1: one character, one byte.
 */
export function execute(
  kernel: Kernel,
  task: Task,
  program: Program,
  argv: readonly string[],
  env: readonly string[],
): ExecFailure | null {
  const { path } = program;
  if (mayExecute(kernel, task) !== 0) return failure(EAGAIN, "its user has too many processes");
  // Since 5.18 an empty argv gets an empty name, so that programs can rely on argv[0].
  let args = argv.length === 0 ? [""] : [...argv];
  let name = path;
  for (let depth = 0; ; depth++) {
    const file = kernel.files.openExecutable(task, name, depth === 0 ? program.at : undefined);
    if (typeof file === "number") return failure(-file, describe(depth, name, -file));
    const { pages } = file;
    if (pages === null) return failure(ENOEXEC, "a file that cannot be mapped");
    const read = readerOf(pages);
    const head = new Uint8Array(HEAD_BYTES);
    head.set(read(0, HEAD_BYTES));
    const script = parseScript(head);
    if (script !== null) {
      if (program.unreachable === true)
        return failure(ENOENT, "a script of a descriptor that closes at exec");
      if (depth >= SCRIPT_DEPTH) return failure(ELOOP, "scripts that interpret scripts too deeply");
      args = [
        script.interpreter,
        ...(script.argument === null ? [] : [script.argument]),
        name,
        ...args.slice(1),
      ];
      name = script.interpreter;
      continue;
    }
    const strings = layStrings(path, args, env, task.limits.soft(RLIMIT_STACK));
    if (typeof strings === "number") return failure(-strings, "arguments and environment are too long");
    const image = parseElf(read);
    if (isRefusal(image)) return failure(image.errno, image.reason);
    return executeElf(kernel, task, path, file, image, strings, env);
  }
}

function describe(depth: number, name: string, errno: number): string {
  return depth === 0 ? errnoName(errno) : `interpreter ${name}: ${errnoName(errno)}`;
}

function executeElf(
  kernel: Kernel,
  task: Task,
  path: string,
  file: Executable,
  image: ElfImage,
  strings: StringArea,
  env: readonly string[],
): ExecFailure | null {
  let interpreter: { file: Executable; image: ElfImage } | null = null;
  if (image.interpreter !== null) {
    const opened = openInterpreter(kernel, task, image.interpreter);
    if ("errno" in opened) return opened;
    interpreter = opened;
  }
  const identity = newIdentity(kernel, task, file.node, file.noSuid ?? false);
  const mm = kernel.newAddressSpace(task.limits, task.personality & ~identity.clearedPersonality);
  if (mm === null) return failure(ENOMEM, "no memory for its page tables");
  mm.inheritFlags(task.mm);
  const oldTid = task.tid;
  beginNew(kernel, task, mm, path, file, identity);
  const problem = fill(kernel, task, mm, file, image, interpreter, strings, env, identity.secure);
  if (problem === null) {
    tellTracerOfExec(kernel, task, oldTid);
    if (kernel.events.listening.exec)
      kernel.events.emit("exec", { task, path: file.path, entry: kernel.cpu.registers.rip });
    return null;
  }
  // Past the point of no return: force_fatal_sig(SIGSEGV).
  kernel.exitProcess(task, { code: 0, signal: SIGSEGV, core: dumpCore(kernel, task, kernelSignal(SIGSEGV)) });
  return failure(-problem, whyUnmappable(file, image, -problem), true);
}

/** PTRACE_EVENT_EXEC, or the SIGTRAP of old for a tracer that did not seize. */
function tellTracerOfExec(kernel: Kernel, task: Task, oldTid: number): void {
  const { tracing } = task;
  if (tracing === null || stopForEvent(kernel, task, PTRACE_EVENT_EXEC, PTRACE_O_TRACEEXEC, oldTid)) return;
  if (tracing.seized) return;
  const detail = { kind: "kill" as const, pid: task.pid, uid: task.credentials.uid };
  sendSignal(task, { signo: SIGTRAP, errno: 0, code: SI_USER, detail }, false);
}

/** Linux says only EFAULT or ENOMEM here; a file cut short is worth naming. */
function whyUnmappable(file: Executable, image: ElfImage, errno: number): string {
  const size = BigInt(file.pages?.size ?? 0);
  const cut = image.programHeaders.some((h) => h.type === PT_LOAD && h.offset + h.filesz > size);
  return cut
    ? "truncated: a segment lies beyond its end"
    : `its segments cannot be mapped (${errnoName(errno)})`;
}

function openInterpreter(
  kernel: Kernel,
  task: Task,
  path: string,
): { file: Executable; image: ElfImage } | ExecFailure {
  const file = kernel.files.openExecutable(task, path);
  if (typeof file === "number") return failure(-file, `its interpreter ${path}: ${errnoName(-file)}`);
  const { pages } = file;
  if (pages === null) return failure(ENOEXEC, `its interpreter ${path} cannot be mapped`);
  const image = parseInterpreter(readerOf(pages));
  if (isRefusal(image)) return failure(image.errno, `its interpreter ${path}: ${image.reason}`);
  return { file, image };
}

/** The point of no return: everything of the old program goes, an empty address space comes (begin_new_exec). */
function beginNew(
  kernel: Kernel,
  task: Task,
  mm: AddressSpace,
  path: string,
  file: Executable,
  identity: NewIdentity,
): void {
  becomeOnlyTask(kernel, task);
  leaveFutexes(kernel, task);
  const { process } = task;
  mm.hold();
  if (process === kernel.init) kernel.keepForInspection(task.mm, mm);
  task.mm.drop();
  takeIdentity(task, identity);
  task.mm = mm;
  task.user = new UserMemory(mm);
  kernel.activate(mm);
  if (process.vforked) {
    process.vforked = false;
    process.exitQueue.wake();
  }
  task.comm = path.slice(path.lastIndexOf("/") + 1, path.length).slice(0, 15);
  task.executable = file.path;
  task.uprobes = null;
  forgetTracedBreakpoints(kernel, task);
  kernel.perf?.executed(task);
  // Nobody may go on watching a program that has become somebody else (begin_new_exec).
  if (process.dumpable !== 1) kernel.perf?.ended(task);
  leaveRings(task);
  ownFiles(task);
  task.files.closeOnExec();
  process.timers.executed();
  kernel.timersChanged(process);
  process.handlers = process.handlers.copy();
  process.handlers.reset();
  process.exitSignal = SIGCHLD;
  process.executed = true;
  task.signals.alternate.base = 0n;
  task.signals.alternate.size = 0n;
  task.signals.alternate.flags = 0;
  task.signals.saved = null;
  rseqExec(task);
  task.userDispatch = null;
  task.restart = null;
  task.tls = null;
  task.ia32Call = false;
  task.selectorsChanged = false;
}

/** A table that another process shares is left to it (unshare_files). */
function ownFiles(task: Task): void {
  if (task.files.users === 1) return;
  const shared = task.files;
  task.files = shared.copy();
  shared.drop();
}

/** The other threads end, and the one that executes has the process's number from now on (de_thread). */
function becomeOnlyTask(kernel: Kernel, task: Task): void {
  const { process } = task;
  for (const other of [...process.tasks]) if (other !== task) endThread(kernel, other);
  if (process.leader === task) return;
  kernel.tasks.delete(task.tid);
  // Its tracer hears nothing of the leader's end, but does not wait for it either (release_task).
  const tracer = process.leader.tracing?.tracer;
  detach(process.leader);
  tracer?.process.childQueue.wake();
  task.tid = process.pid;
  process.leader = task;
  kernel.tasks.set(task.tid, task);
}

/** Maps the program and sets the registers; 0 as null, else a negative errno. */
function fill(
  kernel: Kernel,
  task: Task,
  mm: AddressSpace,
  file: Executable,
  image: ElfImage,
  interpreter: { file: Executable; image: ElfImage } | null,
  strings: StringArea,
  env: readonly string[],
  secure: boolean,
): number | null {
  resetRegisters(kernel);
  mm.setLayout({
    mmapBase: mmapBase(task, TASK_SIZE),
    mmapBase32: mmapBase(task, TASK_SIZE_32),
    bottomUp: (task.personality & ADDR_COMPAT_LAYOUT) !== 0,
  });
  const stack = mapInitialStack(task, mm, image, strings);
  if (stack < 0) return stack;

  const loaded = loadSegments(
    mm,
    task.user,
    file,
    image,
    interpreter === null ? "program" : "program-with-interpreter",
  );
  if (typeof loaded === "number") return loaded;
  let { entry } = loaded;
  let base = 0n;
  const programs: MappedProgram[] = [{ file, image, bias: loaded.bias }];
  if (interpreter !== null) {
    const loader = loadSegments(mm, task.user, interpreter.file, interpreter.image, "interpreter");
    if (typeof loader === "number") return loader;
    entry = loader.entry;
    base = interpreter.image.type === ET_DYN ? loader.bias : 0n;
    programs.push({ ...interpreter, bias: loader.bias });
  }
  if (entry >= BigInt(TASK_SIZE)) return -EINVAL;

  // A static PIE lies among the mappings: its heap starts where a PIE would (6.15).
  const heap = image.type === ET_DYN && interpreter === null ? DYN_BASE : loaded.brk;
  const brk = Number((heap + 4095n) & ~4095n);
  const { specialMappings } = kernel.parameters;
  const vdso = kernel.vdso?.map(mm, task.process.sealsSpecialMappings ? specialMappings.by : null) ?? null;
  if (vdso !== null && vdso < 0) return vdso;
  const tables = layStack(
    strings,
    auxiliaryVector(kernel, task, { loaded, image, base, secure, vdso }),
    kernel.host.random(16),
  );
  if (task.user.copyOut(tables.pointer, tables.bytes) !== tables.bytes.length) return -EINVAL;
  mm.setLayout({
    startCode: Number(loaded.startCode),
    endCode: Number(loaded.endCode),
    startData: Number(loaded.startData),
    endData: Number(loaded.endData),
    startBrk: brk,
    brk,
    startStack: tables.pointer,
    argStart: strings.start,
    argEnd: strings.argEnd,
    envStart: strings.argEnd,
    envEnd: strings.envEnd,
  });
  task.auxv = tables.auxv;
  sealProgram(mm, task, programs, sealElfFor(kernel, env, secure));
  kernel.cpu.registers.ripBig = entry;
  kernel.cpu.registers.setNumber(RSP, tables.pointer);
  return null;
}

/** start_thread: every register 0, flags 0x202, the FPU as new, PKRU at its initial value. */
function resetRegisters(kernel: Kernel): void {
  const { cpu } = kernel;
  for (let i = 0; i < 16; i++) cpu.registers.setNumber(i, 0);
  cpu.registers.rflags = RFLAGS_INITIAL;
  resetSegments(kernel);
  cpu.registers.fsBase = 0;
  cpu.registers.gsBase = 0;
  cpu.resetXstate();
  if (kernel.pku) kernel.setPkru(INITIAL_PKRU);
}

/** mmap_base without randomisation: room for the stack's limit and its guard gap, between 128 MiB and 5/6 of all. */
function mmapBase(task: Task, taskSize: number): number {
  const gap = task.limits.soft(RLIMIT_STACK) + GUARD_GAP;
  const clamped = Math.min(Math.max(gap, GAP_MIN), Math.floor(taskSize / 6) * 5);
  return Math.ceil((taskSize - clamped) / PAGE) * PAGE;
}

/** setup_arg_pages: an area for the strings and 128 KiB below them, as the stack limit allows. */
function mapInitialStack(task: Task, mm: AddressSpace, image: ElfImage, strings: StringArea): number {
  const bottom = strings.start - (strings.start % PAGE);
  const size = STACK_TOP - bottom;
  const limit = task.limits.soft(RLIMIT_STACK);
  const wanted = size + STACK_EXPANSION > limit ? limit - (limit % PAGE) : size + STACK_EXPANSION;
  const prot = PROT_READ | PROT_WRITE | (image.executableStack ? PROT_EXEC : 0);
  const mapped = mm.mapStack(STACK_TOP, Math.max(size, wanted), prot);
  if (mapped < 0) return mapped;
  if (task.user.copyOut(strings.start, strings.bytes) !== strings.bytes.length) return -EINVAL;
  return 0;
}
