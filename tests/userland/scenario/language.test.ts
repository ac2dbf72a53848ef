import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SealabTarget } from "../../../cli/check-targets.js";
import {
  compileScenario,
  judge,
  readAnswers,
  readCompanion,
  readOutput,
  recordFor,
  releaseNumber,
  VERBS,
  type CompiledScenario,
} from "../../../userland/scenario/index.js";

const target = new SealabTarget(null);

function compiled(source: string): CompiledScenario {
  const result = compileScenario(source);
  if ("mistakes" in result) throw new Error(JSON.stringify(result.mistakes));
  return result.scenario;
}

/** `STATEMENT -> ANSWER`, and `!` before those that are not as expected. */
function run(source: string): string[] {
  const scenario = compiled(source);
  const output = readOutput(target.run(scenario.elf, scenario.needs).output);
  const lines: string[] = [];
  readAnswers(scenario.steps, output, (step, answer, values) => {
    const { passed } = judge(step, answer, values, 6018, undefined);
    lines.push(`${passed ? "" : "! "}${step.text} -> ${answer.text}`);
  });
  return lines;
}

function mistakes(source: string): string[] {
  const result = compileScenario(source);
  return "mistakes" in result ? result.mistakes.map((m) => `${m.line}:${m.column}: ${m.message}`) : [];
}

describe("a scenario's answers", () => {
  it("counts decimal numbers in pages and hexadecimal ones in bytes", () => {
    expect(run("p = mmap 2 rw anon\nwrite p+1+0x10 7\nread p+0x1010\nmaps p 0x2000")).toEqual([
      "p = mmap 2 rw anon -> ok",
      "write p+1+0x10 7 -> ok",
      "read p+0x1010 -> 7",
      "maps p 0x2000 -> rw-p 2",
    ]);
  });

  it("tells addresses by the names around them", () => {
    const source = `p = room 4
      mmap p+1 1 rw anon fixed -> p+1
      mmap p+1 1 rw anon -> elsewhere
      mremap p+1 1 1 maymove fixed to p+3 -> p+3`;
    expect(run(source).filter((line) => line.startsWith("!"))).toEqual([]);
  });

  it("names faults, keys and where they happened", () => {
    const source = `k = pkey_alloc ad; p = mmap 2 rw anon
      pkey_mprotect p+1 1 rw k
      read p+0xffe qword -> SIGSEGV pkuerr k at p+1 error 4
      read p+1 -> SIGSEGV accerr
      read p+1 -> SIGSEGV`;
    expect(run(source).slice(3)).toEqual([
      "read p+0xffe qword -> SIGSEGV pkuerr 1 at p+1",
      "! read p+1 -> SIGSEGV pkuerr 1",
      "read p+1 -> SIGSEGV pkuerr 1",
    ]);
  });

  it("takes what a release answers", () => {
    const { steps } = compiled("munmap 0 1 -> EPERM | EINVAL from 6.12 | ok from 6.17");
    const answer = { text: "EINVAL", value: null, fault: null };
    const passes = (release: number): boolean =>
      judge(steps[0]!, answer, new Map(), release, undefined).passed;
    expect([6010, 6012, 6016, 6017, 7002].map(passes)).toEqual([false, true, true, false, false]);
  });

  it("writes for out", () => {
    const source = `for $prot $answer in none "SIGSEGV accerr", r 0 {
      p = mmap 1 $prot anon
      read p -> $answer
    }`;
    expect(run(source)).toEqual([
      "p = mmap 1 none anon -> ok",
      "read p -> SIGSEGV accerr",
      "p = mmap 1 r anon -> ok",
      "read p -> 0",
    ]);
  });

  it("runs children, threads, handlers and a new program in the order of the text", () => {
    const source = `p = mmap 1 rw anon
      child c { write p 1; exit 3 }
      wait c -> exited 3
      thread { write p 2 }
      read p -> 2
      on SIGUSR1 { write p 4 }
      raise SIGUSR1
      read p -> 4
      exec
      read p -> SIGSEGV maperr`;
    expect(run(source).filter((line) => line.startsWith("!"))).toEqual([]);
  });

  it("goes on where a scenario takes key 0 from itself", () => {
    const source = `p = mmap 1 rw anon
      wrpkru 0:ad
      read p -> SIGSEGV pkuerr 0
      rdpkru 0 -> ad
      maps p -> rw-p 1
      wrpkru 0:rw
      read p -> 0`;
    expect(run(source).filter((line) => line.startsWith("!"))).toEqual([]);
  });
});

describe("mistakes in a scenario", () => {
  it("about huge pages, userfaultfd and System V: line and column", () => {
    const source = [
      "needs hugepages none",
      "p = room 512 huge",
      "pagemap p 9000",
      "pagemap p 4 -> 4 presnt",
      "pagemap p 4 -> present 4",
      "pool -> fre -1",
      "pool -> free 1",
      "u = userfaultfd wp-asnc",
      "uffd_register u p 4 missing writes",
      "uffd_copy u p 4",
      "uffd_zeropage u p 4 wp",
      "s = shmget 4 huge",
      "shmat s p remape",
      "f = memfd 4 hugetbl",
    ].join("\n");
    expect(mistakes(source)).toMatchInlineSnapshot(`
      [
        "1:17: expected a number of huge pages, such as 4, not none",
        "3:15: expected a length of at most 8192 pages (pagemap ADDR LEN)",
        "4:18: presnt is nothing of a page; did you mean present?",
        "5:16: expected a number of pages, not present",
        "6:9: expected same, or one of total, free, rsvd, surp, not fre; did you mean free?",
        "7:14: expected by how many, such as -1, not 1",
        "8:17: expected exact, wp-unpopulated or wp-async, not wp-asnc; did you mean wp-async?",
        "9:29: expected missing or wp or minor, not writes",
        "10:16: expected a length in pages (uffd_copy UFFD TO FROM LEN [dontwake] [wp])",
        "11:21: expected dontwake, not wp",
        "12:14: expected hugetlb or noreserve, not huge",
        "13:11: expected ro, rnd, remap or exec, not remape; did you mean remap?",
        "14:13: expected noexec-seal, exec or hugetlb, not hugetbl; did you mean hugetlb?",
      ]
    `);
  });

  it("tells all of them, each with its place and what was expected there", () => {
    const source = `p = mmap 4 rw
q = nmap 4 rw anon
munmap z 1
  madvise p 1 dontned
mprotect p 1 rq
munmap p 1 -> EPREM
pkey_alloc = 3
child {
  wrpkru k
for prot in r { read p }
for $a $b in r, rw { read p }
write p
munmap p 1 2
read p -> SIGSEGV pkuer
maps p -> rw-p 4 seled
wait c
needs kee
name p 1 "x`;
    expect(mistakes(source)).toMatchInlineSnapshot(`
      [
        "1:14: expected anon or fd FILE ([p =] mmap [ADDR] LEN PROT anon|fd FILE [OFFSET] [FLAG...])",
        "2:5: there is no statement nmap; did you mean mmap?",
        "3:8: expected an address, such as p+1: nothing is called z so far",
        "4:15: expected an advice, not dontned; did you mean dontneed?",
        "5:14: expected a protection: none, or of r, w and x, not rq",
        "6:15: EPREM is no errno; did you mean EPERM?",
        "7:14: there is no statement 3",
        "8:7: this { has no }",
        "9:10: expected KEY:RIGHTS, or PKRU's value: nothing is called k so far",
        "10:5: expected a variable, such as $prot, not prot",
        "11:14: expected 2 values in each group, and this has 1",
        "13:12: unexpected 2 (munmap ADDR LEN)",
        "14:19: expected a code (of SIGSEGV: maperr, accerr, pkuerr, kernel), at ADDRESS or error NUMBER, not pkuer",
        "15:18: seled is nothing of an area; did you mean sealed?",
        "16:6: there is no child c here",
        "17:7: expected keys, mseal, hugepages 4 or kernel >= 6.17, not kee",
        "18:10: this text has no end: expected another "",
        "18:12: expected a name (name ADDR LEN "TEXT"|none)",
      ]
    `);
  });

  it("about numbers that would be cut off, and words that exclude each other", () => {
    const source = `p = mmap 4 rw anon
mseal p 0x10000000000000000
munmap p 99999999999999999999
wrpkru 17:wd
rdpkru 16
wrpkru 0x100000000
write p 300
poke p 256
write p -129
write p 0x1ff word
code p p
mincore p 65
mmap 4 RW anon
mmap 4 rw anon shared private
mmap 4 rw anon fixed
munmap p 4 -> EPERM | ok from 6.17 | EINVAL from 6.12
munmap p 4 -> EPERM | ok from six`;
    expect(mistakes(source)).toEqual([
      "2:9: expected a length in pages: 0x10000000000000000 is more than 2^64-1",
      "3:10: expected a length in pages: 99999999999999999999 pages is more than 2^64-1",
      "4:8: expected a key from 0 to 15, not 17",
      "5:8: expected a key from 0 to 15, not 16",
      "6:8: PKRU has 32 bits: expected KEY:RIGHTS or its value, not 0x100000000",
      "7:9: 300 does not fit into a byte",
      "8:8: 256 does not fit into a byte",
      "9:9: -129 does not fit into a byte",
      "11:8: expected the number that the code shall give, of 32 bits, not p",
      "12:13: expected a length of at most 64 pages (mincore ADDR LEN)",
      "13:8: expected a protection (none, or of r, w and x), or a length behind an address, not RW",
      "14:23: expected one of shared, private, validate, droppable and notype, not private",
      "15:21: fixed and noreplace need an address: expected one before the length ([p =] mmap [ADDR] LEN PROT anon|fd FILE [OFFSET] [FLAG...])",
      "16:50: expected a later release than the one before",
      "17:31: expected a release, such as 6.17, not six",
    ]);
    expect(mistakes("# nothing\n")).toEqual(["1:1: expected a statement: nothing would be asked here"]);
  });

  it("survives whatever is written", () => {
    const words = [
      "p",
      "=",
      "->",
      "{",
      "}",
      ",",
      ";",
      "for",
      "$a",
      "in",
      "mmap",
      "4",
      "rw",
      "anon",
      '"',
      "needs",
      "|",
      "from",
    ];
    let seed = 7;
    const next = (): number => (seed = (seed * 1103515245 + 12345) % 2 ** 31);
    for (let i = 0; i < 2000; i++) {
      const source = Array.from({ length: 12 }, () => words[next() % words.length]!).join(
        next() % 5 ? " " : "\n",
      );
      expect(() => compileScenario(source)).not.toThrow();
    }
  });
});

describe("companions", () => {
  const steps = compiled("p = mmap 1 rw anon\nread p").steps;
  const answers = (text: string): string[] => ["p = mmap 1 rw anon -> ok", `read p -> ${text}`];
  const companion = {
    recorded: [
      { kernel: "6.12.117", answers: answers("1") },
      { kernel: "6.18.44", answers: answers("2") },
    ],
  };

  it("gives the newest kernel that is not newer", () => {
    const of = (release: string): unknown => recordFor(companion, releaseNumber(release), steps);
    expect(of("6.12")).toMatchObject({ kernel: "6.12.117", answers: ["ok", "1"] });
    expect(of("6.17.2")).toMatchObject({ kernel: "6.12.117" });
    expect(of("7.2")).toMatchObject({ kernel: "6.18.44", answers: ["ok", "2"] });
    expect(of("6.10")).toMatchObject({ kernel: "6.12.117" });
  });

  it("knows answers of another text", () => {
    expect(recordFor(companion, 6018, compiled("p = mmap 2 rw anon\nread p").steps)).toBe("outdated");
    expect(recordFor(null, 6018, steps)).toBeNull();
    expect(() => readCompanion('{"recorded": 3}')).toThrow("expected");
  });
});

describe("docs/scenarios.md", () => {
  const text = readFileSync(new URL("../../../docs/scenarios.md", import.meta.url), "utf8");

  it("has every statement", () => {
    for (const verb of VERBS.keys()) expect(text).toMatch(new RegExp(`\`[^\`]*\\b${verb}\\b`));
  });

  it("has ten examples that come out as they say", () => {
    const section = text.slice(text.indexOf("## Ten worked examples"), text.indexOf("## A real Linux"));
    const examples = section.split(/\*\*\d+\. /).slice(1);
    expect(examples).toHaveLength(10);
    for (const example of examples) {
      const lines = example.split("\n").filter((line) => line.startsWith("    "));
      // What only a companion knows is not compared here.
      const source = lines.map((line) => line.slice(4).replace("-> ?", "-> any")).join("\n");
      expect(run(source).filter((line) => line.startsWith("!"))).toEqual([]);
    }
  });
});
