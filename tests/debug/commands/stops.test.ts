import { describe, expect, it } from "vitest";
import { keeper, lineOf, sample } from "./debugging.js";

/** Each kind of break, set, met, conditioned, listed, and refused where it makes no sense. */
const RESULT = lineOf("int result = n * n;");

describe("breakpoints", () => {
  it("are at functions, lines and addresses", () => {
    const { do: say } = keeper();
    expect(say("break square")).toMatch(
      new RegExp(`^break 1 at 0x\\w+ <square\\+0x7> keeper\\.c:${RESULT}$`),
    );
    expect(say("c")).toMatch(
      new RegExp(`^break 1: square\nsquare\\+0x7 at keeper\\.c:${RESULT}, instruction \\d+\n`),
    );
    expect(say("tb handle", "d 1", "c")).toMatch(
      /^break 2 at .*\nbreak 2: handle\+0x7\nhandle\+0x\w+ at keeper.c:/,
    );
    expect(say("info b")).toBe("no breaks");
    expect(say("b *main", "run")).toMatch(/break 3: \*main\nmain at keeper.c:/);
    expect(say(`b keeper.c:${lineOf("page[0] = 'k'")}`, "c")).toMatch(/page\[0\] = 'k';$/);
    expect(say("b +1", "c")).toMatch(/long key = call\(330/);
    expect(say("b", "info b")).toMatch(/ 6 {2}\*keep\+0x\w+ {2}0x\w+ <keep\+0x\w+> keeper.c:\d+$/);
  });

  it("have conditions, counts and threads, and are switched off and on", () => {
    const { do: say } = keeper();
    expect(say("b square if $edi == 3", "c", "p $edi")).toMatch(/\n3$/);
    say("delete", "b square", "ignore 2 1", "run");
    expect(say("p $edi")).toBe("2");
    expect(say("disable 2", "to signal")).toMatch(/^signal SIGUSR1/);
    expect(say("info breakpoints")).toMatch(/^ {2}2 {2}square {2}0x.* \(disabled, met \d+ times?\)$/);
    expect(say("enable", "condition 2 $edi > 3", "run", "p $edi")).toMatch(/\n4$/);
    expect(say("condition 2", "run", "p $edi")).toMatch(/\n1$/);
    expect(say("delete 2", "b square thread 4711", "run")).toMatch(/the program exited with 11$/);
  });

  it("that cannot be are answered with what could", () => {
    const { do: say } = keeper();
    expect(say("b sqare")).toBe("error: no symbol sqare; did you mean square?");
    expect(say("b keepr.c:3")).toBe("error: no source file keepr.c; did you mean keeper.c?");
    expect(say("b 4000")).toBe("error: keeper.c:4000: no code from this line or below it");
    expect(say("b counter")).toBe("error: counter is data: watch counter, or break *&counter");
    expect(say("b *0x1234")).toBe("break 1 at 0x1234\n  nothing is mapped there (yet)");
    expect(say("b *0xffffffff81000000")).toMatch(/^error: 0xffffffff81000000: not an address of user space/);
    expect(say("b square if $nope == 1")).toBe("error: $nope: no such register");
    expect(say("b square if nope")).toMatch(/^error: no symbol nope/);
    expect(say("b square if")).toBe("error: expected a condition behind if");
    expect(say("delete 7")).toBe("error: there is no break 7");
    expect(say("delete x")).toBe("error: x: expected a break's number (info breakpoints)");
    expect(say("info breakpoints")).toBe("  1  *0x1234  0x1234");
    expect(say("c")).toBe("the program exited with 11");
  });
});

describe("watchpoints", () => {
  it("stop behind a write, with the bytes before and after", () => {
    const { do: say } = keeper();
    expect(say("watch counter")).toMatch(/^break 1: 0x\w+, 4 bytes written, now 0x0$/);
    expect(say("c")).toMatch(
      /^break 1: 0x\w+ <counter> written by 0x\w+ <main\+0x\w+>\n {2}old 0x0\n {2}new 0x1e\n/,
    );
    expect(say("c")).toMatch(/ {2}old 0x1e\n {2}new 0x1f\n/);
    expect(say("rc")).toMatch(/<counter> written by/);
    expect(say("delete", "watch counter if after > 0x1f", "run")).toMatch(/new 0x29\n/);
  });

  it("stop at reads, at both, and before what is executed", () => {
    const { do: say } = keeper();
    expect(say("rwatch greeting", "c")).toMatch(/the program exited with 11$/);
    const { do: read } = keeper();
    expect(read("rwatch counter", "c")).toMatch(/<counter> read by 0x\w+ <main\+0x\w+>\n {2}value 0x1e\n/);
    const { do: both } = keeper();
    expect(both("awatch counter", "c")).toMatch(/<counter> touched by/);
    const { do: fetched } = keeper();
    expect(fetched("xwatch square", "c")).toMatch(/<square> to be executed\nsquare at keeper.c:34/);
    expect(fetched("watch 0x10,4")).toMatch(/nothing is mapped there/);
    expect(fetched("watch")).toBe("error: watch: expected ADDR[,LENGTH] or a symbol");
    const { do: placed } = sample("refused-munmap");
    expect(placed("watch 0x5ea10000", "c")).toMatch(
      /mapped by the kernel\n {2}old not mapped\n {2}new 0x0\n/,
    );
  });
});

describe("catchpoints", () => {
  it("are system calls, by name, at entry and exit, with conditions on arguments and results", () => {
    const { do: say } = keeper();
    expect(say("catch syscall mseal")).toBe("break 1: syscall mseal");
    expect(say("c")).toMatch(/^break 1: call mseal\(0x7ff\w+, 8192, 0\)\n/);
    expect(say("c")).toMatch(/^break 1: mseal returns 0\n/);
    say("delete", "catch syscall exit if result < 0");
    expect(say("c")).toMatch(/^break 2: munmap returns -1 EPERM \(Operation not permitted\)\n/);
    const { do: again } = keeper();
    expect(again("catch syscall mmap entry if len == 8192 && prot & PROT_WRITE", "c")).toMatch(
      /call mmap\(NULL, 8192, PROT_READ\|PROT_WRITE/,
    );
    expect(again("catch syscall munmap exit if errno == EPERM", "c")).toMatch(/munmap returns -1 EPERM/);
    expect(again("catch syscall write entry if arg2 == 6", "c")).toMatch(/call write\(1, "hello\\n", 6\)/);
    expect(again("catch syscall mseal if nope == 1")).toMatch(/^error: no symbol nope/);
  });

  it("are signals, faults, refusals and PKRU", () => {
    const { do: say } = keeper();
    expect(say("catch signal usr1", "c")).toMatch(
      /^break 1: signal SIGUSR1\nbreak 1: signal SIGUSR1 \{si_signo/,
    );
    expect(say("catch fault pkey", "c")).toMatch(
      /break 2: fault #PF 0x25 \[ P U PK \] at 0x7ff\w+, by .*: SIGSEGV\n {2}why/,
    );
    expect(say("info areas $rip")).toMatch(/^x/);
    const { do: refused } = keeper();
    expect(refused("catch refusal munmap.sealed", "c")).toMatch(/break 1: refused: munmap\.sealed, EPERM/);
    expect(refused("catch pkru if before == 0x55555550", "c", "c", "c")).toMatch(
      /break 2: PKRU 0x55555550 -> 0x55555554\n.*set_pkru/,
    );
    const { do: mended } = keeper();
    expect(mended("catch fault write mended", "c")).toMatch(
      /break 1: fault #PF 0x\w+ \[ .*W.* \] at .*the kernel mends it/,
    );
    expect(mended("catch fault frog")).toMatch(/^error: fault frog: expected one of de db/);
    expect(mended("catch signal SIGFOO")).toMatch(/^error: no signal SIGFOO/);
  });

  it("are changes of areas and page-table entries, and processes", () => {
    const { do: say } = keeper();
    expect(say("catch area seal", "c")).toMatch(/break 1: area seal 7ff\w+-7ff\w+\n/);
    expect(say("delete", "catch fork", "c")).toMatch(/break 2: fork: 1001\/1001\n/);
    expect(say("catch exit", "c")).toMatch(/break 3: process 1001 exited with 7/);
    const { do: entry } = keeper();
    entry("to syscall mmap exit", "set $rbx = result");
    expect(entry("catch entry $rbx,4096", "c")).toMatch(
      /break 1: page-table entry of 0x7ff\w+, changed by the kernel\n {2}old none\n {2}new 0x\w+ P RW US A D NX key 0\n/,
    );
    expect(entry("tcatch area protect", "c")).toMatch(/page-table entry|area protect/);
  });
});

describe("signals", () => {
  it("stop by themselves where they are told to", () => {
    const { do: say } = keeper();
    expect(say("info signals")).toMatch(/^no signal stops by itself/);
    expect(say("handle SIGUSR1 stop")).toBe("stops at SIGUSR1");
    expect(say("c")).toMatch(/^signal SIGUSR1/);
    expect(say("handle all nostop", "c")).toMatch(/^no signal stops\nthe program exited with 11$/);
    expect(say("handle SIGUSR1")).toBe("error: handle: expected SIGNAL … stop or SIGNAL … nostop");
  });
});

describe("a sample", () => {
  it("is stopped where its key is written", () => {
    const { do: say } = sample("key-rights");
    expect(say("catch pkru", "c")).toMatch(/break 1: PKRU 0x/);
    expect(say("pkru")).toMatch(/^PKRU 0x\w+, written at 0x\w+/);
  });
});
