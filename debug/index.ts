/** The package's entry: a machine to run, stop, look into and ask why. */

export { READ, WRITE, FETCH, type AccessKind } from "../mmu/access-kind.js";
export type { WalkLevel, WalkResult } from "../mmu/walk.js";
export type { Host, HostInput, TerminalSize } from "../kernel/host.js";
export type { ByteSource } from "../kernel/fs/byte-source.js";
export type { KernelEventMap, KernelEventName } from "../kernel/events.js";
export type { RunResult } from "../kernel/run-loop.js";
export { SEALING_NAMES, sealingModel } from "../kernel/mm/sealing/models.js";
export type { HookContext, HookOperation } from "../kernel/mm/sealing/hooked-model.js";
export type { SealHook } from "../kernel/mm/sealing/script-judge.js";
export { ownModel } from "../kernel/mm/sealing/own-model.js";
export type {
  DiscardRequest,
  ProtectRequest,
  SealArguments,
  SealCall,
  SealCaller,
  SealingModel,
  SealMistake,
  SealOrigin,
  SealRequest,
  SealRule,
  SealVerdict,
} from "../kernel/mm/sealing/sealing-model.js";
export { RELEASE_NAMES } from "../kernel/release.js";
export type { AreaSnapshot, PathEntry, Provenance, Refusal } from "../kernel/refusal.js";
export type { ExitStatus } from "../kernel/task.js";
export { BufferHost } from "./buffer-host.js";
export { createDebugSession } from "./session/create-debug-session.js";
export type {
  Break,
  BreakOptions,
  Condition,
  ConditionView,
  DebugSession,
  LineRange,
  LineSource,
  SessionOptions,
} from "./session/debug-session.js";
export type { Motion, Question } from "./session/motion.js";
export type {
  CallChanges,
  EntryChangeFound,
  Progress,
  StopReason,
  StopReport,
  WriteFound,
} from "./session/stop-report.js";
export type { Happening } from "./stops/happening.js";
export type { StopSpec } from "./stops/stop-spec.js";
export type { Moment } from "./timeline/moment.js";
export { explanationLines, type ExplanationOptions } from "./explain/explanation.js";
export { refusalLines, type ExplainOptions } from "./explain/refusal-text.js";
export { COLOURED, PLAIN, type Style } from "./explain/style.js";
export { LoadError } from "./load-error.js";
export type { FaultStop, HappeningMap, HappeningName, SyscallStop } from "./happenings.js";
export { Machine, type PageTableEntryView } from "./machine.js";
export type { LoadOptions, MachineOptions } from "./machine-options.js";
export { decodeRecord, encodeRecord, RecordError, type Packer } from "./recording/record-file.js";
export { memoryDigest } from "./recording/memory-digest.js";
export { ReplayDiffers } from "./recording/replay-differs.js";
export { replayMachine, runReplay, type Replay } from "./recording/replay-machine.js";
export { RewindableHost } from "./recording/rewindable-host.js";
export type { RunEnd, RunRecord, RunSetup } from "./recording/run-record.js";
export { machineDigest } from "./snapshot/digest.js";
export { SnapshotError } from "./snapshot/file-error.js";
export {
  loadMachine,
  saveMachine,
  snapshotInfo,
  type LoadParts,
  type SaveOptions,
  type SnapshotInfo,
} from "./snapshot/machine-file.js";
export type { Snapshot } from "./snapshot/snapshot.js";
export type { User } from "./users.js";
export type { RegisterName, Registers } from "./registers.js";
export type {
  TraceRecord,
  TracedArgument,
  TracedExec,
  TracedExit,
  TracedSignal,
  TracedSyscall,
} from "./trace/record.js";
