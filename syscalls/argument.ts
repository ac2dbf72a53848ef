/**
 * What a syscall's arguments are. These descriptions drive the trace and the explanations;
 * formatting them is debug/trace's work. A position is an index into the six arguments.
 */

/** A table of bit or value names, in the order strace prints them. */
export interface NameTable {
  /** Prefix for unknown bits or values, e.g. "MAP_???". */
  readonly prefix: string;
  readonly entries: readonly (readonly [value: number, name: string])[];
}

/** Structures whose layout the trace knows. `count` positions multiply them into arrays. */
export type StructKind =
  | "timespec"
  | "timeval"
  | "timezone"
  | "itimerval"
  | "itimerspec"
  | "rusage"
  | "rlimit"
  | "stat"
  | "statx"
  | "statfs"
  | "utsname"
  | "sysinfo"
  | "tms"
  | "sigaction"
  | "siginfo"
  | "sigaltstack"
  | "sigevent"
  | "iovec"
  | "pollfd"
  | "fdset"
  | "dirents"
  | "termios"
  | "winsize"
  | "flock"
  | "fdpair"
  | "int"
  | "uint"
  | "long"
  | "pointer"
  | "off_t"
  | "time_t"
  | "wstatus"
  | "cpuset"
  | "robust_list_head"
  | "clone_args"
  | "perf_event_attr"
  | "open_how"
  | "cap_header"
  | "cap_data"
  | "sched_param"
  | "sched_attr"
  | "gids"
  | "kernel_sigset"
  | "mincore"
  | "user_desc"
  | "epoll_event"
  | "sockaddr"
  | "socklen"
  | "sockopt"
  | "msghdr"
  | "mmsghdr";

export type Argument = { readonly name: string } & ArgumentKind;

export type ArgumentKind =
  | { readonly kind: "int" | "uint" | "long" | "unsigned-long" | "hex" | "octal" | "offset" }
  | { readonly kind: "address" | "length" | "pid" | "uid" | "gid" | "signal" | "unused" }
  | { readonly kind: "fd" | "dirfd" }
  /** A NUL-terminated string or path that the kernel reads. */
  | { readonly kind: "string" | "path" }
  /** A NUL-terminated array of string pointers (argv, envp). */
  | { readonly kind: "strings" }
  /** An OR of bits; `zero` is what prints for 0 (PROT_NONE). */
  | { readonly kind: "flags"; readonly table: NameTable; readonly zero?: string; readonly wide?: boolean }
  /** One value of several. */
  | { readonly kind: "choice"; readonly table: NameTable }
  /** One value in the bits of `mask`, flags in the others (open's O_ACCMODE, mmap's MAP_TYPE). */
  | {
      readonly kind: "choice-and-flags";
      readonly mask: number;
      readonly choices: NameTable;
      readonly table: NameTable;
    }
  /** Bytes that the kernel reads; `length` is the position of their number. */
  | { readonly kind: "buffer-in"; readonly length: number }
  /** Bytes that the kernel wrote: as many as the result says, or the argument at a position. */
  | { readonly kind: "buffer-out"; readonly length: number | "result" | "string" }
  /** A kernel signal set (8 bytes); `size` is the position of sigsetsize. */
  | { readonly kind: "signal-set"; readonly direction: "in" | "out"; readonly size?: number }
  /** Pointer to a structure; `count`: position of the number of elements, or "result". */
  | {
      readonly kind: "struct";
      readonly struct: StructKind;
      readonly direction: "in" | "out" | "inout";
      readonly count?: number | "result";
    }
  /** What it is depends on the value of another argument (fcntl, ioctl, prctl, futex). */
  | {
      readonly kind: "dependent";
      readonly on: number;
      readonly cases: ReadonlyMap<number, ArgumentKind>;
      readonly otherwise: ArgumentKind;
    };

type Plain = "int" | "uint" | "long" | "unsigned-long" | "hex" | "octal" | "offset";
type Named =
  "address" | "length" | "pid" | "uid" | "gid" | "signal" | "unused" | "fd" | "dirfd" | "string" | "path";

const simple =
  <K extends Plain | Named | "strings">(kind: K) =>
  (name: string): Argument =>
    ({ name, kind }) as Argument;

export const int = simple("int");
export const uint = simple("uint");
export const long = simple("long");
export const unsignedLong = simple("unsigned-long");
export const hex = simple("hex");
export const octal = simple("octal");
export const offset = simple("offset");
export const address = simple("address");
export const length = simple("length");
export const pid = simple("pid");
export const uid = simple("uid");
export const gid = simple("gid");
export const signal = simple("signal");
/** Present in the ABI, never looked at: printed by nobody. */
export const unused = simple("unused");
export const fd = simple("fd");
export const dirfd = simple("dirfd");
export const string = simple("string");
export const path = simple("path");
export const strings = simple("strings");

export const flags = (name: string, table: NameTable, zero?: string): Argument =>
  zero === undefined ? { name, kind: "flags", table } : { name, kind: "flags", table, zero };
export const choice = (name: string, table: NameTable): Argument => ({ name, kind: "choice", table });
export const choiceAndFlags = (
  name: string,
  mask: number,
  choices: NameTable,
  table: NameTable,
): Argument => ({
  name,
  kind: "choice-and-flags",
  mask,
  choices,
  table,
});
export const bufferIn = (name: string, lengthAt: number): Argument => ({
  name,
  kind: "buffer-in",
  length: lengthAt,
});
export const bufferOut = (name: string, lengthFrom: number | "result" | "string" = "result"): Argument => ({
  name,
  kind: "buffer-out",
  length: lengthFrom,
});
export const signalSetIn = (name: string, sizeAt?: number): Argument =>
  sizeAt === undefined
    ? { name, kind: "signal-set", direction: "in" }
    : { name, kind: "signal-set", direction: "in", size: sizeAt };
export const signalSetOut = (name: string, sizeAt?: number): Argument =>
  sizeAt === undefined
    ? { name, kind: "signal-set", direction: "out" }
    : { name, kind: "signal-set", direction: "out", size: sizeAt };

const structure =
  (direction: "in" | "out" | "inout") =>
  (name: string, struct: StructKind, count?: number | "result"): Argument =>
    count === undefined
      ? { name, kind: "struct", struct, direction }
      : { name, kind: "struct", struct, direction, count };

export const structIn = structure("in");
export const structOut = structure("out");
export const structInOut = structure("inout");

export const dependent = (
  name: string,
  on: number,
  cases: readonly (readonly [value: number, kind: ArgumentKind])[],
  otherwise: ArgumentKind = { kind: "hex" },
): Argument => ({ name, kind: "dependent", on, cases: new Map(cases), otherwise });

/** A table of names from an object, in its order: `names("PROT_???", { PROT_READ: 1 })`. */
export function names(prefix: string, values: Readonly<Record<string, number>>): NameTable {
  return { prefix, entries: Object.entries(values).map(([name, value]) => [value, name] as const) };
}
