import type { StructKind } from "../../syscalls/argument.js";
import { choiceText, flagsText, hex, pointer, table } from "./names.js";
import { quote } from "./strings.js";
import { signalActionText, signalInfoText, signalSetText } from "./signals.js";
import { decodeUserDesc, USER_DESC_BYTES } from "../../kernel/segments/user-desc.js";
import { signalName } from "../../kernel/signals/numbers.js";
import { decodeSiginfo } from "../../kernel/signals/siginfo.js";

/** How one structure prints: its size in bytes, and its text from those bytes. */
interface StructFormat {
  readonly bytes: number;
  readonly format: (view: DataView) => string;
}

const i32 = (view: DataView, at: number): string => String(view.getInt32(at, true));
const u32 = (view: DataView, at: number): string => String(view.getUint32(at, true));
const i64 = (view: DataView, at: number): string => String(view.getBigInt64(at, true));
const u64 = (view: DataView, at: number): string => String(view.getBigUint64(at, true));
const word = (view: DataView, at: number): bigint => view.getBigUint64(at, true);

function cString(view: DataView, at: number, max: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, max);
  const end = bytes.indexOf(0);
  return quote(end < 0 ? bytes : bytes.subarray(0, end));
}

const timespec = (view: DataView, at = 0): string =>
  `{tv_sec=${i64(view, at)}, tv_nsec=${i64(view, at + 8)}}`;
const timeval = (view: DataView, at = 0): string => `{tv_sec=${i64(view, at)}, tv_usec=${i64(view, at + 8)}}`;

const PERF_TYPES = ["HARDWARE", "SOFTWARE", "TRACEPOINT", "HW_CACHE", "RAW", "BREAKPOINT"];
const perfType = (type: number): string =>
  PERF_TYPES[type] === undefined ? hex(BigInt(type)) : `PERF_TYPE_${PERF_TYPES[type]}`;

const FILE_TYPES: Readonly<Record<number, string>> = {
  0o14: "S_IFSOCK",
  0o12: "S_IFLNK",
  0o10: "S_IFREG",
  0o6: "S_IFBLK",
  0o4: "S_IFDIR",
  0o2: "S_IFCHR",
  0o1: "S_IFIFO",
};

/** `S_IFREG|0644`. */
function modeText(mode: number): string {
  const type = FILE_TYPES[mode >>> 12];
  const special = [
    [0o4000, "S_ISUID"],
    [0o2000, "S_ISGID"],
    [0o1000, "S_ISVTX"],
  ] as const;
  const parts = type === undefined ? [] : [type];
  for (const [bit, name] of special) if ((mode & bit) !== 0) parts.push(name);
  return [...parts, octal(mode & 0o777)].join("|");
}

/** `0644`, as C writes octal, in at least three characters. */
export function octal(value: number | bigint): string {
  return `0${value.toString(8).padStart(2, "0")}`;
}

function isDevice(mode: number): boolean {
  return mode >>> 12 === 0o2 || mode >>> 12 === 0o6;
}

function stat(view: DataView): string {
  const mode = view.getUint32(24, true);
  if (!isDevice(mode)) return `{st_mode=${modeText(mode)}, st_size=${i64(view, 48)}, ...}`;
  const device = view.getBigUint64(40, true);
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return `{st_mode=${modeText(mode)}, st_rdev=makedev(${hexAlways(major)}, ${hexAlways(minor)}), ...}`;
}

function hexAlways(value: bigint): string {
  return value === 0n ? "0" : hex(value);
}

const STATX_MASK = table("STATX_???", {
  STATX_ALL: 0xfff,
  STATX_BASIC_STATS: 0x7ff,
  STATX_TYPE: 1,
  STATX_MODE: 2,
  STATX_NLINK: 4,
  STATX_UID: 8,
  STATX_GID: 0x10,
  STATX_ATIME: 0x20,
  STATX_MTIME: 0x40,
  STATX_CTIME: 0x80,
  STATX_INO: 0x100,
  STATX_SIZE: 0x200,
  STATX_BLOCKS: 0x400,
  STATX_BTIME: 0x800,
  STATX_MNT_ID: 0x1000,
});

function statx(view: DataView): string {
  const mask = flagsText(BigInt(view.getUint32(0, true)), STATX_MASK);
  const attributes = hex(view.getBigUint64(8, true));
  const mode = view.getUint16(28, true);
  return `{stx_mask=${mask}, stx_attributes=${attributes}, stx_mode=${modeText(mode)}, stx_size=${u64(view, 40)}, ...}`;
}

/** `8192*1024`, `RLIM64_INFINITY`, or the number. */
function limit(value: bigint): string {
  if (value === 0xffff_ffff_ffff_ffffn) return "RLIM64_INFINITY";
  return value > 1024n && value % 1024n === 0n ? `${value / 1024n}*1024` : String(value);
}

const POLL_EVENTS = table("POLL???", {
  POLLIN: 1,
  POLLPRI: 2,
  POLLOUT: 4,
  POLLERR: 8,
  POLLHUP: 0x10,
  POLLNVAL: 0x20,
  POLLRDNORM: 0x40,
  POLLRDBAND: 0x80,
  POLLWRNORM: 0x100,
  POLLWRBAND: 0x200,
  POLLRDHUP: 0x2000,
});

/** `{fd=0, events=POLLIN}`, or after the call `{fd=0, revents=POLLIN}`. */
export function pollText(view: DataView, after: boolean): string {
  const fd = view.getInt32(0, true);
  const events = BigInt(view.getUint16(after ? 6 : 4, true));
  if (fd < 0) return `{fd=${fd}}`;
  return `{fd=${fd}, ${after ? "revents" : "events"}=${flagsText(events, POLL_EVENTS)}}`;
}

const EPOLL_EVENTS = table("EPOLL???", {
  EPOLLIN: 1,
  EPOLLPRI: 2,
  EPOLLOUT: 4,
  EPOLLERR: 8,
  EPOLLHUP: 0x10,
  EPOLLRDNORM: 0x40,
  EPOLLRDBAND: 0x80,
  EPOLLWRNORM: 0x100,
  EPOLLWRBAND: 0x200,
  EPOLLMSG: 0x400,
  EPOLLRDHUP: 0x2000,
  EPOLLEXCLUSIVE: 0x1000_0000,
  EPOLLWAKEUP: 0x2000_0000,
  EPOLLONESHOT: 0x4000_0000,
  EPOLLET: 0x8000_0000,
});

/** Nobody but the program knows which member of the data it uses: both print. */
function epollEvent(view: DataView): string {
  const events = flagsText(BigInt(view.getUint32(0, true)), EPOLL_EVENTS);
  return `{events=${events}, data={u32=${u32(view, 4)}, u64=${u64(view, 4)}}}`;
}

const STACK_FLAGS = table("SS_???", { SS_ONSTACK: 1, SS_DISABLE: 2, SS_AUTODISARM: 0x8000_0000 });
const LOCK_TYPES = table("F_???", { F_RDLCK: 0, F_WRLCK: 1, F_UNLCK: 2 });
const WHENCE = table("SEEK_???", { SEEK_SET: 0, SEEK_CUR: 1, SEEK_END: 2 });
const FILE_SYSTEMS = table("???_MAGIC", {
  EXT2_SUPER_MAGIC: 0xef53,
  TMPFS_MAGIC: 0x0102_1994,
  PROC_SUPER_MAGIC: 0x9fa0,
  OVERLAYFS_SUPER_MAGIC: 0x794c_7630,
});
const MOUNT_FLAGS = table("ST_???", {
  ST_VALID: 0x20,
  ST_RDONLY: 1,
  ST_NOSUID: 2,
  ST_NODEV: 4,
  ST_NOEXEC: 8,
  ST_SYNCHRONOUS: 0x10,
  ST_NOATIME: 0x400,
  ST_NODIRATIME: 0x800,
  ST_RELATIME: 0x1000,
});
const LOCAL_MODES = table("???", {
  ISIG: 1,
  ICANON: 2,
  ECHO: 8,
  ECHOE: 0x10,
  ECHOK: 0x20,
  ECHONL: 0x40,
  NOFLSH: 0x80,
  TOSTOP: 0x100,
  ECHOCTL: 0x200,
  ECHOKE: 0x800,
  IEXTEN: 0x8000,
});

function statfs(view: DataView): string {
  const fields = [
    `f_type=${choiceText(word(view, 0), FILE_SYSTEMS)}`,
    ...["bsize", "blocks", "bfree", "bavail", "files", "ffree"].map(
      (n, i) => `f_${n}=${u64(view, 8 + i * 8)}`,
    ),
    `f_fsid={val=[${hex(view.getUint32(56, true))}, ${hex(view.getUint32(60, true))}]}`,
    `f_namelen=${u64(view, 64)}`,
    `f_frsize=${u64(view, 72)}`,
    `f_flags=${flagsText(word(view, 80), MOUNT_FLAGS)}`,
  ];
  return `{${fields.join(", ")}}`;
}

function sysinfo(view: DataView): string {
  const memory = ["totalram", "freeram", "sharedram", "bufferram", "totalswap", "freeswap"];
  const fields = [
    `uptime=${i64(view, 0)}`,
    `loads=[${u64(view, 8)}, ${u64(view, 16)}, ${u64(view, 24)}]`,
    ...memory.map((name, i) => `${name}=${u64(view, 32 + i * 8)}`),
    `procs=${view.getUint16(80, true)}`,
    `totalhigh=${u64(view, 88)}`,
    `freehigh=${u64(view, 96)}`,
    `mem_unit=${u32(view, 104)}`,
  ];
  return `{${fields.join(", ")}}`;
}

function termios(view: DataView): string {
  const [input, output, control, local] = [0, 4, 8, 12].map((at) => view.getUint32(at, true)) as [
    number,
    number,
    number,
    number,
  ];
  const modes = flagsText(BigInt(local), LOCAL_MODES);
  return `{c_iflag=${hex(input)}, c_oflag=${hex(output)}, c_cflag=${hex(control)}, c_lflag=${modes}, ...}`;
}

function flock(view: DataView): string {
  const type = choiceText(BigInt(view.getInt16(0, true)), LOCK_TYPES);
  const whence = choiceText(BigInt(view.getInt16(2, true)), WHENCE);
  return `{l_type=${type}, l_whence=${whence}, l_start=${i64(view, 8)}, l_len=${i64(view, 16)}}`;
}

function cpuSet(view: DataView): string {
  const processors: number[] = [];
  for (let i = 0; i < view.byteLength * 8; i++) {
    if ((view.getUint8(i >> 3) >> (i & 7)) & 1) processors.push(i);
  }
  return `[${processors.join(" ")}]`;
}

/** Wait statuses: `[{WIFEXITED(s) && WEXITSTATUS(s) == 3}]`. */
const PTRACE_EVENTS: Readonly<Record<number, string>> = {
  1: "PTRACE_EVENT_FORK",
  2: "PTRACE_EVENT_VFORK",
  3: "PTRACE_EVENT_CLONE",
  4: "PTRACE_EVENT_EXEC",
  5: "PTRACE_EVENT_VFORK_DONE",
  6: "PTRACE_EVENT_EXIT",
  7: "PTRACE_EVENT_SECCOMP",
  128: "PTRACE_EVENT_STOP",
};

function waitStatus(view: DataView): string {
  const status = view.getInt32(0, true);
  if ((status & 0x7f) === 0) return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${(status >> 8) & 0xff}}]`;
  if (status === 0xffff) return "[{WIFCONTINUED(s)}]";
  const signal = (status >> 8) & 0xff;
  if ((status & 0xff) === 0x7f) {
    const traced = (signal & 0x80) !== 0 ? `${signalName(signal & 0x7f)} | 0x80` : signalName(signal);
    const event = status >>> 16;
    const what = event === 0 ? "" : ` | ${PTRACE_EVENTS[event] ?? event} << 16`;
    return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${traced}}${what}]`;
  }
  const core = (status & 0x80) !== 0 ? " && WCOREDUMP(s)" : "";
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(status & 0x7f)}${core}}]`;
}

const inArray =
  (text: (view: DataView, at: number) => string) =>
  (view: DataView): string =>
    `[${text(view, 0)}]`;

/** Structures by kind. A kind that is missing here prints as its address. */
export const STRUCTS: Partial<Readonly<Record<StructKind, StructFormat>>> = {
  timespec: { bytes: 16, format: (view) => timespec(view) },
  timeval: { bytes: 16, format: (view) => timeval(view) },
  timezone: { bytes: 8, format: (view) => `{tz_minuteswest=${i32(view, 0)}, tz_dsttime=${i32(view, 4)}}` },
  itimerval: { bytes: 32, format: (view) => `{it_interval=${timeval(view)}, it_value=${timeval(view, 16)}}` },
  itimerspec: {
    bytes: 32,
    format: (view) => `{it_interval=${timespec(view)}, it_value=${timespec(view, 16)}}`,
  },
  rusage: { bytes: 144, format: (view) => `{ru_utime=${timeval(view)}, ru_stime=${timeval(view, 16)}, ...}` },
  rlimit: {
    bytes: 16,
    format: (view) => `{rlim_cur=${limit(word(view, 0))}, rlim_max=${limit(word(view, 8))}}`,
  },
  stat: { bytes: 144, format: stat },
  statx: { bytes: 256, format: statx },
  statfs: { bytes: 120, format: statfs },
  utsname: {
    bytes: 390,
    format: (view) => `{sysname=${cString(view, 0, 65)}, nodename=${cString(view, 65, 65)}, ...}`,
  },
  sysinfo: { bytes: 112, format: sysinfo },
  tms: {
    bytes: 32,
    format: (view) =>
      `{tms_utime=${i64(view, 0)}, tms_stime=${i64(view, 8)}, tms_cutime=${i64(view, 16)}, tms_cstime=${i64(view, 24)}}`,
  },
  sigaction: { bytes: 32, format: signalActionText },
  siginfo: {
    bytes: 128,
    format: (view) =>
      signalInfoText(
        decodeSiginfo(view.getInt32(0, true), new Uint8Array(view.buffer, view.byteOffset, 128)),
      ),
  },
  sigaltstack: {
    bytes: 24,
    format: (view) =>
      `{ss_sp=${pointer(word(view, 0))}, ss_flags=${flagsText(BigInt(view.getUint32(8, true)), STACK_FLAGS)}, ss_size=${u64(view, 16)}}`,
  },
  epoll_event: { bytes: 12, format: epollEvent },
  pollfd: { bytes: 8, format: (view) => pollText(view, false) },
  termios: { bytes: 36, format: termios },
  winsize: {
    bytes: 8,
    format: (view) =>
      `{${["ws_row", "ws_col", "ws_xpixel", "ws_ypixel"].map((name, i) => `${name}=${view.getUint16(i * 2, true)}`).join(", ")}}`,
  },
  flock: { bytes: 32, format: flock },
  fdpair: { bytes: 8, format: (view) => `[${i32(view, 0)}, ${i32(view, 4)}]` },
  int: { bytes: 4, format: inArray(i32) },
  uint: { bytes: 4, format: inArray(u32) },
  long: { bytes: 8, format: inArray(i64) },
  pointer: { bytes: 8, format: inArray((view, at) => pointer(word(view, at))) },
  off_t: { bytes: 8, format: inArray(i64) },
  time_t: { bytes: 8, format: inArray(i64) },
  wstatus: { bytes: 4, format: waitStatus },
  robust_list_head: { bytes: 24, format: (view) => `{list={next=${pointer(word(view, 0))}}, ...}` },
  sched_param: { bytes: 4, format: inArray(i32) },
  gids: { bytes: 4, format: u32AtZero },
  mincore: { bytes: 1, format: (view) => String(view.getUint8(0)) },
  kernel_sigset: { bytes: 8, format: (view) => signalSetText(word(view, 0)) },
  user_desc: { bytes: USER_DESC_BYTES, format: userDesc },
  // As strace without -v shows it: what is counted, and the three counts that follow.
  perf_event_attr: {
    bytes: 64,
    format: (view) =>
      `{type=${perfType(view.getUint32(0, true))}, size=${u32(view, 4)}, config=${hex(word(view, 8))}, ` +
      `sample_period=${u64(view, 16)}, sample_type=${hex(word(view, 24))}, read_format=${hex(word(view, 32))}, ...}`,
  },
  open_how: {
    bytes: 24,
    format: (view) =>
      `{flags=${hex(word(view, 0))}, mode=${octal(word(view, 8))}, resolve=${hex(word(view, 16))}}`,
  },
};

function userDesc(view: DataView): string {
  const desc = decodeUserDesc(new Uint8Array(view.buffer, view.byteOffset, USER_DESC_BYTES));
  const padded = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  const fields = [
    ["entry_number", desc.entryNumber | 0],
    ["base_addr", desc.base === 0 ? padded(0, 8) : `0x${desc.base.toString(16)}`],
    ["limit", `0x${padded(desc.limit, 6)}`],
    ["seg_32bit", Number(desc.seg32bit)],
    ["contents", desc.contents],
    ["read_exec_only", Number(desc.readExecOnly)],
    ["limit_in_pages", Number(desc.limitInPages)],
    ["seg_not_present", Number(desc.notPresent)],
    ["useable", Number(desc.useable)],
    ["lm", Number(desc.lm)],
  ] as const;
  return `{${fields.map(([name, value]) => `${name}=${value}`).join(", ")}}`;
}

function u32AtZero(view: DataView): string {
  return u32(view, 0);
}

/** A processor mask of that many bytes. */
export function cpuSetText(bytes: Uint8Array): string {
  return cpuSet(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
