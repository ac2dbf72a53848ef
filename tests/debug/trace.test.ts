import { describe, expect, it } from "vitest";
import { Tracer } from "../../debug/trace/tracer.js";
import type { TraceRecord } from "../../debug/trace/record.js";
import { KernelEvents } from "../../kernel/events.js";
import type { Task } from "../../kernel/task.js";
import * as argument from "../../syscalls/argument.js";
import { define, SyscallTable } from "../../syscalls/table.js";

// Every expected line was printed by strace 6.1 on Linux 6.18 (addresses apart).

const handler = (): number => 0;
const PROT = argument.names("PROT_???", { PROT_READ: 1, PROT_WRITE: 2, PROT_EXEC: 4 });
const MAP_TYPE = argument.names("MAP_???", { MAP_FILE: 0, MAP_SHARED: 1, MAP_PRIVATE: 2 });
const MAP = argument.names("MAP_???", { MAP_FIXED: 0x10, MAP_ANONYMOUS: 0x20, MAP_NORESERVE: 0x4000 });
const MADVICE = argument.names("MADV_???", { MADV_NORMAL: 0, MADV_DONTNEED: 4 });
const OPEN = argument.names("O_???", { O_CREAT: 0o100, O_TRUNC: 0o1000, O_CLOEXEC: 0o2000000 });
const ACCESS = argument.names("O_???", { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2 });
const HOW = argument.names("SIG_???", { SIG_BLOCK: 0, SIG_UNBLOCK: 1, SIG_SETMASK: 2 });
const RLIMIT = argument.names("RLIMIT_???", { RLIMIT_STACK: 3 });

const table = new SyscallTable([
  define({
    number: 0,
    name: "read",
    args: [argument.fd("fd"), argument.bufferOut("buf"), argument.length("count")],
    handler,
  }),
  define({
    number: 1,
    name: "write",
    args: [argument.fd("fd"), argument.bufferIn("buf", 2), argument.length("count")],
    handler,
  }),
  define({
    number: 9,
    name: "mmap",
    args: [
      argument.address("addr"),
      argument.length("length"),
      argument.flags("prot", PROT, "PROT_NONE"),
      argument.choiceAndFlags("flags", 0xf, MAP_TYPE, MAP),
      argument.fd("fd"),
      argument.hex("offset"),
    ],
    returns: "address",
    handler,
  }),
  define({
    number: 13,
    name: "rt_sigaction",
    args: [
      argument.signal("signum"),
      argument.structIn("act", "sigaction"),
      argument.structOut("oldact", "sigaction"),
      argument.length("size"),
    ],
    handler,
  }),
  define({
    number: 14,
    name: "rt_sigprocmask",
    args: [
      argument.choice("how", HOW),
      argument.signalSetIn("set"),
      argument.signalSetOut("oldset"),
      argument.length("size"),
    ],
    handler,
  }),
  define({
    number: 20,
    name: "writev",
    args: [argument.fd("fd"), argument.structIn("iov", "iovec", 2), argument.int("iovcnt")],
    handler,
  }),
  define({
    number: 28,
    name: "madvise",
    args: [argument.address("addr"), argument.length("length"), argument.choice("advice", MADVICE)],
    handler,
  }),
  define({ number: 34, name: "pause", args: [], handler }),
  define({ number: 95, name: "umask", args: [argument.octal("mask")], returns: "octal", handler }),
  define({
    number: 201,
    name: "time",
    args: [argument.structOut("tloc", "time_t")],
    returns: "seconds",
    handler,
  }),
  define({ number: 231, name: "exit_group", args: [argument.int("status")], handler }),
  define({
    number: 257,
    name: "openat",
    args: [
      argument.dirfd("dirfd"),
      argument.path("pathname"),
      argument.choiceAndFlags("flags", 3, ACCESS, OPEN),
      argument.octal("mode"),
    ],
    returns: "fd",
    handler,
  }),
  define({
    number: 302,
    name: "prlimit64",
    args: [
      argument.pid("pid"),
      argument.choice("resource", RLIMIT),
      argument.structIn("new", "rlimit"),
      argument.structOut("old", "rlimit"),
    ],
    handler,
  }),
  define({
    number: 318,
    name: "getrandom",
    args: [argument.bufferOut("buf"), argument.length("count"), argument.hex("flags")],
    handler,
  }),
]);

/** Memory from 0x1000 on, as much as was put there. */
class Scratch {
  bytes = new Uint8Array();

  put(...parts: (string | number | bigint)[]): void {
    const out: number[] = [];
    for (const part of parts) {
      if (typeof part === "string") for (const c of part) out.push(c.charCodeAt(0));
      else {
        const word = new DataView(new ArrayBuffer(8));
        word.setBigUint64(0, BigInt.asUintN(64, BigInt(part)), true);
        out.push(...new Uint8Array(word.buffer));
      }
    }
    this.bytes = Uint8Array.from(out);
  }

  read(va: number, length: number): Uint8Array {
    return va < 0x1000 ? new Uint8Array() : this.bytes.slice(va - 0x1000, va - 0x1000 + length);
  }
}

function setUp() {
  const events = new KernelEvents();
  const memory = new Scratch();
  const records: TraceRecord[] = [];
  const source = {
    events,
    table,
    memory,
    stackPointer: () => 0,
    instructionPointer: () => 0x401000,
    resultRegister: () => 0n,
    initialStack: () => 0,
    threads: () => 1,
  };
  new Tracer(source, (record) => records.push(record), true);
  const task = { tid: 1000 } as Task;
  /** What a call prints. `after`: what the kernel writes meanwhile. */
  const call = (name: string, args: (number | bigint)[], result: number | null, after = () => {}): string => {
    const all = [0, 1, 2, 3, 4, 5].map((i) => BigInt.asUintN(64, BigInt(args[i] ?? 0)));
    const number = table.named(name)?.number ?? 999;
    const event = { task, number, name, args: all, instruction: 5, resumed: false };
    events.emit("syscallEnter", event);
    after();
    events.emit("syscallExit", { ...event, result: result === null ? null : BigInt(result) });
    return records.at(-1)!.text;
  };
  return { events, memory, records, task, call };
}

describe("a traced call", () => {
  it("shows strings escaped, and at most 32 bytes of a buffer", () => {
    const { memory, call } = setUp();
    memory.put('\0\x01\x02\x1b1abc"\\');
    expect(call("write", [3, 0x1000, 10], 10)).toBe('write(3, "\\0\\1\\2\\0331abc\\"\\\\", 10)      = 10');
    memory.put("x:0:0:root:/root:/bin/bash\ndaemon and more");
    expect(call("write", [3, 0x1000, 40], 40)).toBe(
      'write(3, "x:0:0:root:/root:/bin/bash\\ndaemo"..., 40) = 40',
    );
    expect(call("write", [1, 0x10, 5], -14)).toBe(
      "write(1, 0x10, 5)                       = -1 EFAULT (Bad address)",
    );
  });

  it("shows what the kernel writes only after the call, and its address when it failed", () => {
    const { memory, call } = setUp();
    expect(call("read", [3, 0x1000, 10], 10, () => memory.put("root:x:0:0"))).toBe(
      'read(3, "root:x:0:0", 10)               = 10',
    );
    expect(call("read", [-1, 0x7ffec502d1d6, 3], -9)).toBe(
      "read(-1, 0x7ffec502d1d6, 3)             = -1 EBADF (Bad file descriptor)",
    );
    expect(call("getrandom", [0x1000, 4, 0], 4, () => memory.put("\x80\x0f\xc6\xb2"))).toBe(
      'getrandom("\\x80\\x0f\\xc6\\xb2", 4, 0)     = 4',
    );
  });

  it("names flags, choices and what has no name", () => {
    const { memory, call } = setUp();
    expect(call("mmap", [0, 8192, 3, 0x22, -1, 0], 0x7f9243b09000)).toBe(
      "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x7f9243b09000",
    );
    expect(call("mmap", [0, 0, 0, 0, 3, 4096], -22)).toBe(
      "mmap(NULL, 0, PROT_NONE, MAP_FILE, 3, 0x1000) = -1 EINVAL (Invalid argument)",
    );
    expect(call("madvise", [0x10000, 4096, 99], -22)).toBe(
      "madvise(0x10000, 4096, 0x63 /* MADV_??? */) = -1 EINVAL (Invalid argument)",
    );
    memory.put("/tmp/d/x\n\x017\0");
    expect(call("openat", [-100, 0x1000, 0, 0o644], 3)).toBe(
      'openat(AT_FDCWD, "/tmp/d/x\\n\\0017", O_RDONLY) = 3',
    );
    expect(call("openat", [-100, 0x1000, 0o1102, 0o644], 3)).toBe(
      'openat(AT_FDCWD, "/tmp/d/x\\n\\0017", O_RDWR|O_CREAT|O_TRUNC, 0644) = 3',
    );
    expect(call("umask", [0o22], 0o22)).toBe("umask(022)                              = 022");
    expect(call("time", [0], 1795236196)).toBe(
      "time(NULL)                              = 1795236196 (2026-11-21T04:43:16+0000)",
    );
  });

  it("shows structures", () => {
    const { memory, call } = setUp();
    memory.put(0x401615, 0x14000000, 0x409090, 2);
    expect(call("rt_sigaction", [10, 0x1000, 0, 8], 0)).toBe(
      "rt_sigaction(SIGUSR1, {sa_handler=0x401615, sa_mask=[INT], sa_flags=SA_RESTORER|SA_RESTART, sa_restorer=0x409090}, NULL, 8) = 0",
    );
    memory.put(0xfffffffe7ffbfeffn);
    expect(call("rt_sigprocmask", [2, 0x1000, 0, 8], 0)).toContain("SIG_SETMASK, ~[KILL STOP ");
    memory.put((1n << 16n) | (1n << 36n));
    expect(call("rt_sigprocmask", [2, 0x1000, 0, 8], 0)).toBe(
      "rt_sigprocmask(SIG_SETMASK, [CHLD RT_5], NULL, 8) = 0",
    );
    memory.put(0x1010, 6, "hello\n");
    expect(call("writev", [3, 0x1000, 1], 6)).toBe('writev(3, [{iov_base="hello\\n", iov_len=6}], 1) = 6');
    expect(call("prlimit64", [0, 3, 0, 0x1000], 0, () => memory.put(8192 * 1024, -1))).toBe(
      "prlimit64(0, RLIMIT_STACK, NULL, {rlim_cur=8192*1024, rlim_max=RLIM64_INFINITY}) = 0",
    );
  });

  it("shows restarts, calls that do not return and calls without a name", () => {
    const { call } = setUp();
    expect(call("pause", [], -514)).toBe(
      "pause()                                 = ? ERESTARTNOHAND (To be restarted if no handler)",
    );
    expect(call("exit_group", [263], null)).toBe("exit_group(263)                         = ?");
    expect(call("syscall_0x3e7", [0x1000, 0, 0x433009], -38)).toBe(
      "syscall_0x3e7(0x1000, 0, 0x433009, 0, 0, 0) = -1 ENOSYS (Function not implemented)",
    );
  });
});

describe("signals and the end", () => {
  it("are shown as strace shows them", () => {
    const { events, records, task } = setUp();
    const emit = (signo: number, code: number, detail: object): string => {
      const info = { signo, errno: 0, code, detail } as never;
      events.emit("signal", { task, info, outcome: "handler", instruction: 1 });
      return records.at(-1)!.text;
    };
    expect(emit(11, 1, { kind: "fault", address: 0x10n })).toBe(
      "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---",
    );
    expect(emit(11, 4, { kind: "fault", address: 0x5ea10000n, pkey: 1 })).toBe(
      "--- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_PKUERR, si_addr=0x5ea10000, si_pkey=1} ---",
    );
    expect(emit(5, 0x80, { kind: "none" })).toBe(
      "--- SIGTRAP {si_signo=SIGTRAP, si_code=SI_KERNEL, si_addr=NULL} ---",
    );
    expect(emit(14, 0x80, { kind: "none" })).toBe("--- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---");
    expect(emit(10, -6, { kind: "kill", pid: 8040, uid: 0 })).toBe(
      "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_TKILL, si_pid=8040, si_uid=0} ---",
    );
    events.emit("exit", { task, status: 7, signal: null, core: false, instruction: 9 });
    expect(records.at(-1)!.text).toBe("+++ exited with 7 +++");
    events.emit("exit", { task, status: 0, signal: 11, core: true, instruction: 9 });
    expect(records.at(-1)!.text).toBe("+++ killed by SIGSEGV (core dumped) +++");
  });

  it("carry the refusal that made a call fail", () => {
    const { events, records, task } = setUp();
    const event = {
      task,
      number: 28,
      name: "madvise",
      args: [4096n, 4096n, 4n, 0n, 0n, 0n],
      instruction: 5,
      resumed: false,
    };
    const refusal = { rule: "madvise.sealed", errno: 1, text: "sealed", source: "can_madv_modify" };
    events.emit("syscallEnter", event);
    events.emit("refusal", { ...refusal, errno: 14 });
    events.emit("refusal", refusal);
    events.emit("syscallExit", { ...event, result: -1n });
    expect(records.at(-1)).toMatchObject({
      type: "syscall",
      errno: "EPERM",
      refusal: { rule: "madvise.sealed" },
    });
  });
});
