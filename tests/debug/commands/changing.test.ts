import { describe, expect, it } from "vitest";
import { keeper } from "./debugging.js";

describe("registers and memory", () => {
  it("are set, and the run takes the other course", () => {
    const { do: say } = keeper();
    expect(say("advance square", "set $edi = 1")).toMatch(/error: \$edi: expected one of \$rax/);
    expect(say("to refusal", "set counter = 100", "p counter")).toMatch(/\n100 = 0x64$/);
    expect(say("watch counter", "c")).toMatch(/old 0x64\n {2}new 0x65/);
    expect(say("set *(char *)&counter = 1", "p counter", "set {int}&counter = -1", "p counter")).toBe(
      "1\n-1 = 0xffffffff",
    );
    expect(say("set $rbx = 0x1234", "p $bx")).toBe("4660 = 0x1234");
    expect(say("set $frog = 1")).toMatch(/^error: \$frog: expected one of/);
    expect(say("set nonsense")).toMatch(/^error: set: expected/);
    expect(say("set 5 = 6")).toMatch(/^error: 5: cannot be set/);
    expect(say("set *(int *)0 = 1")).toBe("error: 0x0: no memory can be written there");
  });

  it("set changes the present and not the past", () => {
    const { do: say } = keeper();
    say("advance keep");
    const here = say("when");
    say("set counter = 7", "si 20", "goto start");
    say(`goto ${/[\d,]+/.exec(here)![0]}`);
    expect(say("p counter")).toBe("7");
  });
});

describe("a system call", () => {
  it("has other arguments, by name and by number", () => {
    const { do: say } = keeper();
    say("to syscall write entry");
    expect(say("set count = 2")).toMatch(/^call write\(1, "he"\.*, 2\)$/);
    expect(say("set arg2 = 3")).toMatch(/^call write\(1, "hel"\.*, 3\)$/);
    expect(say("set frog = 3")).toMatch(
      /^error: set frog: expected one of fd buf count arg0 to arg5|^error: no symbol frog/,
    );
    expect(say("to syscall write exit")).toMatch(/^write returns 3\n/);
  });

  it("is another one, is not made, or returns something else", () => {
    const { do: say } = keeper();
    say("to syscall munmap entry");
    expect(say("skip")).toBe("munmap is not made and returns 0");
    expect(say("to syscall munmap exit")).toMatch(/^munmap returns 0\n/);
    expect(say("p counter", "to syscall write entry", "p counter")).toMatch(/^30 = 0x1e\n(.*\n)+30 = 0x1e$/);
    const { do: forced } = keeper();
    forced("to syscall mseal entry");
    expect(forced("force -ENOMEM")).toBe("mseal returns -12");
    expect(forced("to syscall mseal exit")).toMatch(/^mseal returns -1 ENOMEM/);
    expect(forced("to refusal")).toMatch(/^refused: munmap\.sealed/);
    const { do: other } = keeper();
    other("to syscall getpid entry");
    expect(other("set call = getppid", "to syscall exit")).toMatch(
      /^call getppid instead\ngetppid returns \d+\n/,
    );
    expect(other("skip 5")).toBe("error: skip: only at a system call's entry (to syscall entry)");
    expect(other("force")).toBe("error: force: expected a result, as 0 or -EPERM");
    expect(other("set call = frog")).toMatch(/^error/);
  });

  it("tells what it changed", () => {
    const { do: say } = keeper();
    say("to syscall mmap exit");
    expect(say("changes")).toMatch(/^mmap, entered at instruction [\d.]+, changed\n {2}\+ 7ff\w+-7ff\w+ rw-/);
    say("to syscall pkey_mprotect exit");
    const changed = say("changes");
    expect(changed).toMatch(/ {2}- 7ff\w+-7ff\w+ rw-.*\n {2}\+ 7ff\w+-7ff\w+ r--.*key 1\n/);
    expect(changed).toMatch(
      / {2}entry 0x7ff\w+\n {4}old 0x\w+ P RW .*key 0\n {4}new 0x\w+ P read-only .*key 1$/m,
    );
    say("to syscall mseal exit");
    expect(say("changes")).toMatch(/ sealed/);
    say("to syscall getpid exit");
    expect(say("changes")).toMatch(/changed nothing$/);
    expect(say("si", "changes")).toMatch(/\nerror: changes: only at a system call's exit/);
  });
});

describe("a signal", () => {
  it("is another one, or none, or comes from outside", () => {
    const { do: say } = keeper();
    say("b handle", "to signal");
    expect(say("signal 0")).toBe("the program exited with 11");
    const { do: other } = keeper();
    other("to signal");
    expect(other("signal SIGTERM")).toBe("the program was killed by SIGTERM");
    const { do: sent } = keeper();
    sent("advance keep");
    expect(sent("send SIGKILL", "c")).toBe("the program was killed by SIGKILL");
    expect(sent("send FROG")).toMatch(/^error: no signal FROG/);
  });
});

describe("the past", () => {
  it("tells who wrote, who sealed, and when an entry changed", () => {
    const { do: say } = keeper();
    say("to refusal");
    expect(say("who-wrote counter")).toMatch(
      /^counter: last written by the instruction at 0x\w+ <main\+0x\w+>\n {2}instruction [\d,.]+, thread 1000\n {2}0x0 -> 0x1e\n {2}goto [\d.]+ /,
    );
    expect(say("goto", "si", "p counter")).toMatch(/\n30 = 0x1e$/);
    say("goto end");
    expect(say("when-entry *(long *)&page")).toMatch(
      /^0x7ff\w+: its page-table entry was last changed by the kernel in pkey_mprotect, at 0x\w+ <call\+0x\w+>\n(.*\n) {2}old .*key 0\n {2}new .*key 1\n/,
    );
    expect(say("who-wrote *(long *)&page,1")).toMatch(/<keep\+0x\w+>\n.*\n {2}0x0 -> 0x6b\n/);
    expect(say("who-wrote page[0]")).toMatch(
      /^page\[0\]: last written by .* <keep\+0x\w+>\n.*\n {2}0x0 -> 0x6b\n/,
    );
    expect(say("p page[0]", "p/c *page", "p greeting[4]")).toBe("107 'k'\n107 'k'\n111 'o'");
    expect(say("who-wrote *(long *)&page")).toMatch(/^\*\(long \*\)&page: last written by .*<keep\+0x\w+>\n/);
    expect(say("who-wrote greeting")).toBe("greeting: not written so far");
    expect(say("who-sealed &counter")).toMatch(/: not sealed$/);
    const { do: early } = keeper();
    expect(early("who-sealed")).toMatch(/^error: who-sealed ADDR/);
  });
});
