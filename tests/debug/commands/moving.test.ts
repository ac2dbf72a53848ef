import { describe, expect, it } from "vitest";
import { keeper, lineOf, sample } from "./debugging.js";

/** Each verb that moves, forwards and back, by the lines that it comes to. */
const LOOP = lineOf("for (int i = 1");
const TOTAL = lineOf("total += square(i);");
const RESULT = lineOf("int result = n * n;");

describe("lines", () => {
  it("are stepped into calls and over them, and functions are finished", () => {
    const { do: say } = keeper();
    expect(say("start")).toBe(
      `main+0x8 at keeper.c:${lineOf("counter = sum(4);")}, instruction 5\n${lineOf("counter = sum(4);")}\t  counter = sum(4);`,
    );
    expect(say("s")).toMatch(
      new RegExp(`^sum\\+0xb at keeper\\.c:${lineOf("int total = 0;")}, instruction \\d+\n`),
    );
    expect(say("s")).toBe(`${LOOP}\t  for (int i = 1; i <= n; i++)`);
    expect(say("n")).toBe(`${TOTAL}\t    total += square(i);`);
    expect(say("n")).toBe(`${LOOP}\t  for (int i = 1; i <= n; i++)`);
    expect(say("n")).toBe(`${TOTAL}\t    total += square(i);`);
    expect(say("s")).toMatch(/^square\+0x7 at keeper\.c:/);
    expect(say("p n", "bt")).toMatch(/^2\n#0 +0x\w+ square\+0x7 at keeper.c:\d+\n#1 +0x\w+ sum/);
    expect(say("fin")).toMatch(new RegExp(`^sum\\+0x\\w+ at keeper\\.c:${TOTAL}, `));
    expect(say("n 2")).toBe(`${TOTAL}\t    total += square(i);`);
    expect(say("until", "until")).toMatch(new RegExp(`${lineOf("return total;")}\t  return total;$`));
  });

  it("are stepped back", () => {
    const { do: say } = keeper();
    say("start", "s", "s", "n");
    expect(say("rs")).toBe(`${LOOP}\t  for (int i = 1; i <= n; i++)`);
    expect(say("rs")).toBe(`${lineOf("int total = 0;")}\t  int total = 0;`);
    say("b square", "c", "c");
    expect(say("rfin")).toMatch(new RegExp(`^sum\\+0x\\w+ at keeper\\.c:${TOTAL}`));
    // It stands at the CALL: first to the line's beginning.
    expect(say("rn")).toBe(`${TOTAL}\t    total += square(i);`);
    expect(say("rn")).toBe(`${LOOP}\t  for (int i = 1; i <= n; i++)`);
  });

  it("lead to a place", () => {
    const { do: say } = keeper();
    expect(say(`advance keeper.c:${RESULT}`)).toContain(`${RESULT}\t  int result = n * n;`);
    expect(say("p $edi")).toBe("1");
    expect(say("until keep")).toMatch(/^keep\+0x\w+ at keeper\.c:/);
    expect(say("advance nowhere")).toBe("error: no symbol nowhere");
  });
});

describe("instructions", () => {
  it("are stepped, into calls and over them, and back", () => {
    const { do: say } = keeper();
    expect(say("where")).toMatch(
      /^_start at keeper\.c:\d+, instruction 0\n.*\n=> 0x\w+ _start and rsp, 0xfffffffffffffff0$/,
    );
    expect(say("ni")).toMatch(/call 0x\w+ <main>/);
    expect(say("si")).toMatch(/^main at keeper\.c:65, instruction 2\n/);
    expect(say("rsi", "when")).toMatch(/instruction 1 of 2$/);
    say("ni");
    expect(say("where")).toMatch(/the program exited with 11/);
    expect(say("ni")).toBe("error: the program has ended; it can be gone back (reverse-continue, goto N)");
    const { do: again } = keeper();
    again("b sum", "c", "advance " + TOTAL);
    expect(again("x/i $rip")).toMatch(/mov eax/);
    expect(again("si 2")).toMatch(/call 0x\w+ <square>|mov edi, eax/);
  });

  it("are gone to by count", () => {
    const { do: say } = keeper();
    say("b square", "c", "c");
    const count = Number(/\d[\d,]*/.exec(say("when"))![0].replaceAll(",", ""));
    expect(say("goto start")).toMatch(/_start at keeper\.c:\d+, instruction 0/);
    expect(say(`goto ${count}`)).toMatch(
      new RegExp(`square\\+0x7 at keeper.c:${RESULT}, instruction ${count}`),
    );
    expect(say("goto -1", "when")).toMatch(new RegExp(`instruction ${count - 1} of`));
    expect(say("goto +1", "p $edi")).toMatch(/2$/);
    expect(say("goto end", "when")).toMatch(new RegExp(`instruction ${count}$`));
    expect(say("goto hell")).toBe("error: hell: expected an instruction count, +N, -N, start or end");
    expect(say("goto")).toMatch(/^error: goto where\?/);
  });
});

describe("kinds", () => {
  it("are gone to, forwards and back", () => {
    const { do: say } = keeper();
    expect(say("to syscall mseal entry")).toMatch(/^call mseal\(0x7ff\w+, 8192, 0\)\n/);
    expect(say("to syscall mseal exit")).toMatch(/^mseal returns 0\n/);
    expect(say("to refusal")).toMatch(/^refused: munmap\.sealed, EPERM\n {2}why /);
    expect(say("to signal")).toMatch(
      /^signal SIGUSR1 \{si_signo=SIGUSR1, si_code=SI_USER, si_pid=1000, si_uid=0\}\n/,
    );
    expect(say("to fork")).toMatch(/^fork: 1001\/1001\n/);
    expect(say("to pkru")).toMatch(/^PKRU 0x55555550 -> 0x55555554\n/);
    expect(say("to fault pkey")).toMatch(
      /^fault #PF 0x5 \[ P U PK \]|^fault #PF 0x25 \[ P U PK \] at 0x7ff\w+, by 0x\w+ <main\+0x\w+>: SIGSEGV\n/,
    );
    expect(say("back refusal munmap")).toMatch(/^refused: munmap\.sealed, EPERM\n/);
    expect(say("back area seal")).toMatch(/^area seal 7ff\w+-7ff\w+\n/);
    expect(say("back syscall pkey_alloc exit")).toMatch(/^pkey_alloc returns 1\n/);
    expect(say("back entry")).toMatch(
      /^page-table entry of 0x\w+, changed by the (kernel|processor)\n {2}old .*\n {2}new 0x/,
    );
    expect(say("to exec")).toMatch(/the program exited with 11/);
    expect(say("to nonsense")).toMatch(/^error: nonsense: expected one of syscall signal fault/);
    expect(say("to syscall msel")).toBe("error: no system call msel; did you mean mseal?");
  });

  it("answer from EPERM to the seal in two commands", () => {
    const { do: say } = keeper();
    say("to refusal");
    const answer = say("who-sealed");
    expect(answer).toMatch(
      /^0x7ff\w+: sealed at 0x\w+ <call\+0x\w+>\n {2}instruction \d+, thread 1000\n {2}goto \d+ /,
    );
    expect(say("goto")).toMatch(/=> 0x\w+ call\+0x\w+ syscall/);
    expect(say("bt")).toMatch(new RegExp(`#1 .* keep\\+0x\\w+ at keeper.c:${lineOf("call(462")}`));
    expect(say("p $rax")).toBe("462 = 0x1ce");
  });

  it("work on a sample without symbols of C", () => {
    const { do: say } = sample("refused-munmap");
    expect(say("to refusal")).toMatch(/munmap\.sealed/);
    expect(say("who-sealed", "goto", "p $rax")).toMatch(/\n462 = 0x1ce$/);
  });
});

describe("the whole run", () => {
  it("ends, and is gone back into", () => {
    const { do: say } = keeper();
    expect(say("c")).toBe("the program exited with 11");
    expect(say("c")).toMatch(/^error: the program has ended/);
    expect(say("rsi")).toMatch(/syscall/);
    expect(say("rc")).toMatch(/^the beginning: nothing was before\n_start/);
    expect(say("rsi")).toMatch(/^the beginning: nothing was before\n/);
    expect(say("b square", "c", "c", "run", "p $edi")).toMatch(/\n1$/);
    expect(say("to signal SIGUSR1", "mark")).toMatch(/marked instruction/);
  });
});
