import { HardwareBreakpoints } from "../../cpu/hardware-breakpoints.js";
import { BreakpointSlots } from "../../kernel/debug-registers/slots.js";
import { DebugRegisters, TracedBreakpoint } from "../../kernel/debug-registers/traced.js";
import { BreakpointSource } from "../../kernel/perf/breakpoint-source.js";
import { PerfFile } from "../../kernel/fs/perf-file.js";
import { PerfEvent } from "../../kernel/perf/event.js";
import { PerfEvents } from "../../kernel/perf/events.js";
import { UprobeSource } from "../../kernel/perf/uprobe-source.js";
import { Trampoline } from "../../kernel/uprobes/trampoline.js";
import { Uprobe } from "../../kernel/uprobes/uprobe.js";
import { Uprobes } from "../../kernel/uprobes/uprobes.js";
import { LargeLeaves } from "../../mmu/large-leaves.js";
import { PageTables } from "../../mmu/page-tables.js";
import { MachineFiles } from "../machine-files.js";
import { ControlGroup } from "../../kernel/cgroup/control-group.js";
import { ControlGroups } from "../../kernel/cgroup/control-groups.js";
import { GroupFile } from "../../kernel/cgroup/group-file.js";
import { MemoryCharges } from "../../kernel/cgroup/memory-charges.js";
import { BlockDevices } from "../../kernel/block/block-devices.js";
import { BlockFile } from "../../kernel/block/block-file.js";
import { LoopControlFile } from "../../kernel/block/loop-control.js";
import { LoopDevice } from "../../kernel/block/loop-device.js";
import { HostClock, VirtualClock } from "../../kernel/clock.js";
import { Vdso } from "../../kernel/exec/vdso.js";
import { Dentry } from "../../kernel/fs/dentry.js";
import { FullFile, NullFile, RandomFile, UserfaultDevice, ZeroFile } from "../../kernel/fs/device-files.js";
import { DirectoryOpenFile } from "../../kernel/fs/directory-open-file.js";
import { EpollFile, EpollItem } from "../../kernel/fs/epoll-file.js";
import { EventFile } from "../../kernel/fs/event-file.js";
import { FileTable } from "../../kernel/fs/file-table.js";
import { HostLower } from "../../kernel/fs/host-lower.js";
import { LockWaits } from "../../kernel/fs/lock-waits.js";
import { Mount } from "../../kernel/fs/mount.js";
import { Namespace } from "../../kernel/fs/namespace.js";
import { PathFile } from "../../kernel/fs/open-file.js";
import { PidFile } from "../../kernel/fs/pid-file.js";
import { Pipe, PipeFile } from "../../kernel/fs/pipe.js";
import {
  GeneratedDirectory,
  GeneratedFile,
  GeneratedFileSystem,
  GeneratedInode,
  GeneratedLink,
} from "../../kernel/fs/procfs/file-system.js";
import { FramesFile } from "../../kernel/fs/procfs/frames-file.js";
import { MapsFile } from "../../kernel/fs/procfs/maps-file.js";
import { MemoryFile } from "../../kernel/fs/procfs/memory-file.js";
import { PageMapFile } from "../../kernel/fs/procfs/page-map-file.js";
import { HugetlbFile, HugetlbInode } from "../../kernel/fs/hugetlb-file.js";
import { RegularOpenFile } from "../../kernel/fs/regular-open-file.js";
import { SecretFile, SecretFileSystem, SecretInode } from "../../kernel/fs/secret-memory.js";
import { SeccompFilter } from "../../kernel/seccomp/filter.js";
import { SeccompListenerFile } from "../../kernel/seccomp/listener-file.js";
import { SeccompListener } from "../../kernel/seccomp/listener.js";
import { SignalFile } from "../../kernel/fs/signal-file.js";
import { StreamInode } from "../../kernel/fs/standard-streams.js";
import { BlocksStore, DiskStore } from "../../kernel/block/disk-store.js";
import { SwapDisk, SwapFile } from "../../kernel/fs/swap-file.js";
import { StreamFile } from "../../kernel/fs/stream-file.js";
import { TimerFile } from "../../kernel/fs/timer-file.js";
import { UserfaultFile } from "../../kernel/fs/userfault-file.js";
import { TreeDirectory } from "../../kernel/fs/tree-directory.js";
import { SpecialInode, TreeFileSystem } from "../../kernel/fs/tree-file-system.js";
import { TreeFile } from "../../kernel/fs/tree-file.js";
import { TreeSymlink } from "../../kernel/fs/tree-symlink.js";
import { HugetlbFileSystem } from "../../kernel/fs/types/hugetlbfs.js";
import { Allocator } from "../../kernel/fs/types/ext4/allocator.js";
import { BlockGroups } from "../../kernel/fs/types/ext4/block-groups.js";
import { Ext4Directory } from "../../kernel/fs/types/ext4/directory.js";
import { ExtentMap } from "../../kernel/fs/types/ext4/extent-map.js";
import { Ext4File } from "../../kernel/fs/types/ext4/file.js";
import { Ext4FileSystem } from "../../kernel/fs/types/ext4/file-system.js";
import { IndirectMap } from "../../kernel/fs/types/ext4/indirect-map.js";
import { InodeRecord } from "../../kernel/fs/types/ext4/inode-record.js";
import { InodeTable } from "../../kernel/fs/types/ext4/inode-table.js";
import { Orphans } from "../../kernel/fs/types/ext4/orphans.js";
import { Ext4Special } from "../../kernel/fs/types/ext4/special.js";
import { Ext4Storage } from "../../kernel/fs/types/ext4/storage.js";
import { Superblock } from "../../kernel/fs/types/ext4/superblock.js";
import { Ext4Symlink } from "../../kernel/fs/types/ext4/symlink.js";
import { Ramfs } from "../../kernel/fs/types/ramfs.js";
import { Tmpfs } from "../../kernel/fs/types/tmpfs.js";
import { FutexTable } from "../../kernel/futex/table.js";
import { IpcIds } from "../../kernel/ipc/ids.js";
import { Ipc } from "../../kernel/ipc/ipc.js";
import { MessageQueue as IpcMessageQueue, MessageQueues } from "../../kernel/ipc/message-queues.js";
import { SemaphoreSet, Semaphores } from "../../kernel/ipc/semaphores.js";
import { SharedMemory, SharedMemoryAttachment, SharedMemorySegment } from "../../kernel/ipc/shared-memory.js";
import { ScratchMemory } from "../../syscalls/ia32/scratch-memory.js";
import { RequestIssuer } from "../../syscalls/io-uring-issuer.js";
import { Request } from "../../kernel/io-uring/request.js";
import { RingFile } from "../../kernel/io-uring/ring-file.js";
import { RingPages } from "../../kernel/io-uring/ring-pages.js";
import { PinnedFrames } from "../../kernel/mm/pins.js";
import { Kernel } from "../../kernel/kernel.js";
import { Limits } from "../../kernel/limits.js";
import {
  CallersCapabilities,
  CallersMachine,
  KernelEnvironment,
  ProcessMemoryLimits,
} from "../../kernel/mm-environment.js";
import { AddressSpace } from "../../kernel/mm/address-space.js";
import { HugeAnonymousFile } from "../../kernel/mm/hugetlb/file.js";
import { HugeFilePages } from "../../kernel/mm/hugetlb/file-pages.js";
import { HugePage } from "../../kernel/mm/hugetlb/huge-page.js";
import { HugePagePool } from "../../kernel/mm/hugetlb/pool.js";
import { HugePagePools } from "../../kernel/mm/hugetlb/pools.js";
import { RegionMap } from "../../kernel/mm/hugetlb/region-map.js";
import { Subpool } from "../../kernel/mm/hugetlb/subpool.js";
import { SamePages } from "../../kernel/mm/ksm/same-pages.js";
import { ScanThread } from "../../kernel/scan-thread.js";
import { Khugepaged } from "../../kernel/mm/huge/khugepaged.js";
import { AnonVma } from "../../kernel/mm/anon-vma.js";
import { AreaTree } from "../../kernel/mm/area-tree.js";
import { Area } from "../../kernel/mm/area.js";
import { FileMappings } from "../../kernel/mm/file-mappings.js";
import { FilePages } from "../../kernel/mm/file-pages.js";
import { FileBlocks } from "../../kernel/mm/huge/file-blocks.js";
import { PidAllocator } from "../../kernel/pid-allocator.js";
import { ReverseMapping } from "../../kernel/mm/reverse-mapping.js";
import { PageRoom } from "../../kernel/mm/page-room.js";
import { LazyFreePages } from "../../kernel/mm/lazy-free.js";
import { HookedModel } from "../../kernel/mm/sealing/hooked-model.js";
import { ProgramJudge } from "../../kernel/mm/sealing/program-judge.js";
import { ScriptJudge } from "../../kernel/mm/sealing/script-judge.js";
import { SwapArea, SwapMemory } from "../../kernel/mm/swap/swap-area.js";
import { SwapSpace } from "../../kernel/mm/swap/swap-space.js";
import { SwappedPages } from "../../kernel/mm/swap/swapped-pages.js";
import { SharedAnonymousFile } from "../../kernel/mm/shared-anonymous.js";
import { Translations } from "../../kernel/mm/translations.js";
import { UserfaultContext } from "../../kernel/mm/userfault/context.js";
import { UserMemory } from "../../kernel/mm/user-memory.js";
import { KernelUserfaults } from "../../kernel/userfault-copies.js";
import { FileRights } from "../../kernel/net/file-rights.js";
import { MessageQueue as SocketMessageQueue } from "../../kernel/net/message-queue.js";
import { NetlinkSocket } from "../../kernel/net/netlink-socket.js";
import { Network } from "../../kernel/net/network.js";
import { Ports } from "../../kernel/net/ports.js";
import { SocketFile } from "../../kernel/net/socket-file.js";
import { SocketOptions } from "../../kernel/net/socket-options.js";
import { TcpSocket } from "../../kernel/net/tcp-socket.js";
import { UdpSocket } from "../../kernel/net/udp-socket.js";
import { UnixDatagram, UnixSequencedPackets } from "../../kernel/net/unix-datagram.js";
import { UnixStream } from "../../kernel/net/unix-stream.js";
import { Tracing } from "../../kernel/ptrace/tracing.js";
import { RunLoop } from "../../kernel/run-loop.js";
import { Scheduler } from "../../kernel/scheduler.js";
import { SignalSet } from "../../kernel/signals/signal-set.js";
import { PendingSignals, SignalHandlers, SignalState } from "../../kernel/signals/state.js";
import { SystemCalls } from "../../kernel/system-calls.js";
import { Process, Task } from "../../kernel/task.js";
import { TimerQueue } from "../../kernel/timer-queue.js";
import { ProcessTimer } from "../../kernel/timer-signals.js";
import { IntervalTimers } from "../../kernel/timers.js";
import { ByteQueue } from "../../kernel/tty/byte-queue.js";
import { EchoBuffer } from "../../kernel/tty/echo.js";
import { HostTerminal } from "../../kernel/tty/host-terminal.js";
import { InputBuffer } from "../../kernel/tty/input-buffer.js";
import { LineDiscipline } from "../../kernel/tty/line-discipline.js";
import { OutputProcessor } from "../../kernel/tty/output.js";
import { PtyDirectory, PtyFileSystem } from "../../kernel/tty/pty-file-system.js";
import { Pty, PtyMasterFile } from "../../kernel/tty/pty.js";
import { TerminalFile } from "../../kernel/tty/terminal-file.js";
import { Terminal } from "../../kernel/tty/terminal.js";
import { Terminals } from "../../kernel/tty/terminals.js";
import { WaitQueue } from "../../kernel/wait-queue.js";

/**
 * Every class whose objects can be part of a machine's state, by the name that a saved machine has for it. A class that
 * is missing here cannot be saved (tests look for such).
 */
const CLASSES = {
  AddressSpace,
  Allocator,
  AnonVma,
  Area,
  AreaTree,
  BlockDevices,
  BlockFile,
  BlockGroups,
  BlocksStore,
  ByteQueue,
  CallersCapabilities,
  CallersMachine,
  ControlGroup,
  ControlGroups,
  Dentry,
  DirectoryOpenFile,
  DiskStore,
  EchoBuffer,
  EpollFile,
  EpollItem,
  EventFile,
  Ext4Directory,
  Ext4File,
  Ext4FileSystem,
  Ext4Special,
  Ext4Storage,
  Ext4Symlink,
  ExtentMap,
  FileBlocks,
  FilePages,
  FileMappings,
  FileRights,
  FileTable,
  FramesFile,
  FullFile,
  FutexTable,
  GeneratedDirectory,
  GeneratedFile,
  GeneratedFileSystem,
  GeneratedInode,
  GeneratedLink,
  HookedModel,
  GroupFile,
  HostClock,
  HostLower,
  HostTerminal,
  HugeAnonymousFile,
  HugeFilePages,
  HugePage,
  HugePagePool,
  HugePagePools,
  HugetlbFile,
  HugetlbFileSystem,
  HugetlbInode,
  IndirectMap,
  InodeRecord,
  InodeTable,
  InputBuffer,
  IntervalTimers,
  Ipc,
  IpcIds,
  IpcMessageQueue,
  Kernel,
  Khugepaged,
  KernelEnvironment,
  LargeLeaves,
  LazyFreePages,
  Limits,
  LineDiscipline,
  LockWaits,
  LoopControlFile,
  LoopDevice,
  MachineFiles,
  MapsFile,
  MemoryCharges,
  MemoryFile,
  MessageQueues,
  Mount,
  Namespace,
  NetlinkSocket,
  Network,
  NullFile,
  Orphans,
  OutputProcessor,
  PageMapFile,
  PageRoom,
  PageTables,
  PathFile,
  PendingSignals,
  PidAllocator,
  PidFile,
  PinnedFrames,
  Pipe,
  PipeFile,
  Ports,
  Process,
  ProcessMemoryLimits,
  ProcessTimer,
  ProgramJudge,
  Pty,
  PtyDirectory,
  PtyFileSystem,
  PtyMasterFile,
  Ramfs,
  RandomFile,
  RegionMap,
  RegularOpenFile,
  Request,
  RequestIssuer,
  ReverseMapping,
  RingFile,
  RingPages,
  RunLoop,
  SamePages,
  Scheduler,
  ScanThread,
  ScratchMemory,
  ScriptJudge,
  SeccompFilter,
  SeccompListener,
  SeccompListenerFile,
  SecretFile,
  SecretFileSystem,
  SecretInode,
  Semaphores,
  SemaphoreSet,
  SharedAnonymousFile,
  SharedMemory,
  SharedMemoryAttachment,
  SharedMemorySegment,
  SignalFile,
  SignalHandlers,
  SignalSet,
  SignalState,
  SocketFile,
  SocketMessageQueue,
  SocketOptions,
  SpecialInode,
  StreamFile,
  StreamInode,
  Subpool,
  SwapArea,
  SwapDisk,
  SwapFile,
  SwapMemory,
  SwapSpace,
  SwappedPages,
  Superblock,
  SystemCalls,
  Task,
  TcpSocket,
  Terminal,
  TerminalFile,
  Terminals,
  TimerFile,
  TimerQueue,
  Tmpfs,
  Tracing,
  Translations,
  TreeDirectory,
  TreeFile,
  TreeFileSystem,
  TreeSymlink,
  UdpSocket,
  UnixDatagram,
  UnixSequencedPackets,
  UnixStream,
  KernelUserfaults,
  UserfaultContext,
  UserfaultDevice,
  UserfaultFile,
  UserMemory,
  Vdso,
  VirtualClock,
  WaitQueue,
  ZeroFile,
  BreakpointSlots,
  BreakpointSource,
  DebugRegisters,
  HardwareBreakpoints,
  TracedBreakpoint,
  PerfEvent,
  PerfEvents,
  PerfFile,
  Trampoline,
  Uprobe,
  UprobeSource,
  Uprobes,
};

const PROTOTYPES: ReadonlyMap<string, object> = new Map(
  Object.entries(CLASSES).map(([name, each]) => [name, each.prototype as object]),
);
const NAMES: ReadonlyMap<object, string> = new Map(
  [...PROTOTYPES].map(([name, prototype]) => [prototype, name]),
);

/** The name of an object's class; undefined for one that is not known. */
export function classNameOf(object: object): string | undefined {
  return NAMES.get(Object.getPrototypeOf(object) as object);
}

/** A class's prototype. */
export function prototypeOf(name: string): object | undefined {
  return PROTOTYPES.get(name);
}

/** Some class of that name is there (two rooms may have one of the same name). */
export function isRegistered(name: string): boolean {
  return Object.entries(CLASSES).some(([known, each]) => known === name || each.name === name);
}
