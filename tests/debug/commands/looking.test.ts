import { describe, expect, it } from "vitest";
import { keeper, lineOf } from "./debugging.js";

describe("values", () => {
  it("are printed in gdb's formats", () => {
    const { do: say } = keeper();
    say("advance square");
    expect(say("p $rdi", "p/x $rdi+0x10", "p/t 5", "p/d -1", "p/c 0x41", "p /o 8")).toBe(
      "1\n0x11\n101\n-1\n65 'A'\n010",
    );
    expect(say("p square")).toMatch(/^0x\w+ <square>$/);
    expect(say("p counter", "p &counter")).toMatch(/^0\n0x\w+ <counter>$/);
    expect(say("p/s greeting")).toMatch(/^0x\w+ <greeting> {2}"hello\\n"$/);
    expect(say("p/a $rip")).toMatch(/^0x\w+ <square\+0x7>$/);
    expect(say("p")).toMatch(/^error: print: expected an expression/);
    expect(say("p *0")).toBe("error: 0x0: no memory can be read there");
    expect(say("p/q 1")).toMatch(/^error: \/q: expected a count, one of xduotacsi/);
  });

  it("are examined, and on from there", () => {
    const { do: say } = keeper();
    expect(say("x/6xb greeting")).toMatch(/<greeting> {2}0x68 {2}0x65 {2}0x6c {2}0x6c {2}0x6f {2}0x0a$/);
    expect(say("x/2c greeting")).toMatch(/104 'h' {2}101 'e'$/);
    expect(say("x")).toMatch(/<greeting\+0x2> {2}108 'l'$/);
    expect(say("x/s &greeting")).toMatch(/"hello\\n"$/);
    expect(say("x/2i square")).toMatch(/square +push rbp\n.*mov rbp, rsp/);
    expect(say("x")).toMatch(/\[rbp-0x14\], edi/);
    expect(say("x/gx 0x10")).toBe("error: 0x10: no memory can be read there");
    expect(say("hd greeting 6")).toMatch(/68 65 6c 6c 6f 0a .*\|hello\.\|$/);
  });
});

describe("variables", () => {
  it("are those of the function where it stands", () => {
    const { do: say } = keeper();
    expect(say("info locals")).toBe("no variables here");
    expect(say("p total")).toBe("error: no symbol total");
    expect(say("b square if n == 3", "c", "info locals")).toMatch(/\nn = 3\nresult = 4$/);
    expect(say("p n * 2", "p &n == $rbp - 0x14", "x/dw &n")).toMatch(/^6\n1\n0x7ff\w+ {2}3$/);
    expect(say("fin", "info locals")).toMatch(/\nn = 4\ntotal = 5\ni = 3$/);
    expect(say("watch total", "c")).toMatch(/, 4 bytes written, now 0x5\n(.*\n) {2}old 0x5\n {2}new 0xe\n/);
    expect(say("set total = 100", "p total", "display total", "n 2")).toMatch(/^100 = 0x64\n1: 100 = 0x64\n/);
    expect(say("delete", "b main", "b keep", "c", "n 4", "info locals", "p key")).toMatch(/\nkey = 1\n1$/);
    expect(say("p action")).toBe("error: no symbol action");
    expect(say("b 72", "c", "info locals", "p/x action.flags")).toMatch(
      /\naction = \{handler = 0x\w+ <handle>, flags = 67108864, .*, mask = 0\}\nchild = .*\n0x4000000$/,
    );
    expect(say("p action.handler", "p &action == &action.handler", "p action.size")).toMatch(
      /^0x\w+ <handle>\n1\nerror: struct action has no member size; there are handler, flags,/,
    );
    expect(
      say("p ((struct action *) &action)->flags", "p greeting", "p page", "p *(word *) &counter"),
    ).toMatch(/^67108864 = 0x4000000\n"hello\\n"\n0x\w+ "k"\n\d+/);
    expect(say("set action.mask = 5", "p action.mask", "set action = 1")).toMatch(/^5\nerror: action: .*$/);
    expect(say("watch action.flags", "p greeting[1] == 'e'")).toMatch(
      /^break 6: 0x7ff\w+, 8 bytes written, now 0x4000000\n1$/,
    );
  });

  it("are those of the callers' frames too, which are chosen", () => {
    const { do: say } = keeper();
    say("b square if n == 3", "c");
    expect(say("up")).toMatch(/^#1 +0x\w+ sum\+0x\w+ at keeper\.c:\d+\n.*total \+= square\(i\);$/);
    expect(say("info locals", "p n * 10 + i", "frame")).toMatch(/^n = 4\ntotal = 5\ni = 3\n43 = 0x2b\n#1 /);
    expect(say("info registers rip", "p $rbp == &n + 0x14")).toMatch(/rip .*<sum\+0x\w+>.*\n1$/);
    expect(say("up", "p counter", "list")).toMatch(/^#2 .* main\+0x.*\n ► 66 .*\n0\n(.*\n)* ► 66 /);
    expect(say("up 5")).toBe("error: no frame 7; the outermost is 3");
    expect(say("set $rax = 1")).toBe("error: $rax: registers are set in the innermost frame (frame 0)");
    expect(say("down 2", "p n", "down")).toMatch(/^#0 .*\n.*\n3\nerror: this is the innermost frame$/);
    expect(say("frame 1", "set total = 50", "bt 1")).toMatch(/^#1 .*\n.*\n#0 .*square/);
    expect(say("si", "info locals", "frame 1", "p total")).toMatch(/\nresult = .*\n#1 .*\n.*\n50 = 0x32$/);
  });
});

describe("views", () => {
  it("show registers, and what changed", () => {
    const { do: say } = keeper();
    say("advance square", "si 2");
    expect(say("info registers rip eax $rax")).toMatch(/^\*rip .*\n eax .*\n rax /);
    expect(say("i r rflags")).toMatch(/rflags +0x\w+ +\[ .*\]$/);
    expect(say("info registers frog")).toBe("error: no register frog");
    expect(say("info all-registers").split("\n").length).toBeGreaterThan(40);
    expect(say("info float")).toMatch(/^st0 {4}empty/);
    expect(say("info vector")).toMatch(/mxcsr {2}0x1f80/);
  });

  it("show source and code", () => {
    const { do: say } = keeper();
    say("advance square");
    const line = lineOf("int result = n * n;");
    const listed = say("list").split("\n");
    expect(listed).toHaveLength(10);
    expect(listed).toContain(` ► ${line}    int result = n * n;`);
    expect(say("list").split("\n")[0]).toMatch(
      new RegExp(`^ +${Number(/\d+/.exec(listed.at(-1)!)![0]) + 1} `),
    );
    expect(say("list main")).toContain(`int main(void) {`);
    expect(say("list 10")).toContain("struct action {");
    expect(say("disassemble")).toMatch(/^keeper\.c:\d+\tint square\(int n\) \{\n.* square .*push rbp\n/);
    expect(say("disas sum 3").split("\n").length).toBeLessThanOrEqual(6);
    expect(say("info line")).toMatch(new RegExp(`square\\+0x7>: /keeper/keeper\\.c:${line}, code 0x`));
    expect(say("info symbol square+2")).toMatch(/: square \+ 2, function of \d+ bytes in \/keeper\/keeper$/);
    expect(say("info functions ^s")).toMatch(/set_pkru\n.*square\n.*sum$/);
    expect(say("info sources")).toMatch(/\/keeper\/keeper\.c$/);
    expect(say("info sharedlibrary")).toMatch(/\/keeper\/keeper {2}\(\d+ names, lines of 1 files\)/);
    expect(say("context")).toMatch(
      /^-- registers -+\n(.*\n)+-- code -+\n(.*\n)+-- keeper\.c:\d+ -+\n(.*\n)+-- stack -+\n/,
    );
  });

  it("show memory: areas, seals, keys, tables", () => {
    const { do: say } = keeper();
    say("to fault pkey");
    expect(say("info areas")).toMatch(/^ r ! \w+-\w+ r--p +8K {2}key 1 {2}sealed/m);
    expect(say("areas &counter")).toMatch(/^ {5}\w+-\w+ rw-p +4K/);
    expect(say("info seals")).toMatch(
      /sealed\n +sealed at instruction \d+, RIP 0x\w+ <call\+0x\w+>, thread 1000$/,
    );
    expect(say("pkru")).toMatch(
      /^PKRU 0x55555554, written at 0x\w+ <set_pkru\+0x\w+>, instruction \d+\nkey {2}0 /,
    );
    expect(say("walk page")).toMatch(/^0x\w+ <page>, in \w+-\w+.*\nPML4\[0\] /);
    expect(say("walk *(long *)&page")).toMatch(
      /sealed\nPML4\[255\](.*\n)+read +no +#PF 0x25 \[ P U PK \] {2}PKRU 0x55555554 denies/,
    );
    expect(say("explain")).toMatch(/^why /);
  });

  it("show the calls so far, threads and files", () => {
    const { do: say } = keeper();
    expect(say("trace")).not.toContain("mmap");
    say("to syscall write exit");
    expect(say("trace 2")).toMatch(
      /munmap\(0x7ff\w+, 4096\) += -1 EPERM.*\n.*write\(1, "hello\\n", 6\) += 6$/,
    );
    expect(say("info threads")).toMatch(/^\* 1000\/1000 +keeper +0x\w+ <call\+0x\w+> {2}running$/);
    expect(say("info files").split("\n")).toHaveLength(3);
    expect(say("thread")).toMatch(/^thread 1000 \(keeper\)\n/);
    expect(say("thread 5")).toBe("error: no thread 5; info threads lists them");
    expect(say("bt")).toMatch(
      /#0 .* call\+0x\w+ at keeper.c:\d+\n#1 .* main\+0x\w+ at keeper.c:\d+\n#2 .* _start\+0x/,
    );
    expect(say("stack 2").split("\n")).toHaveLength(2);
    expect(say("info program")).toMatch(
      /^\/keeper\/keeper, process 1000, 1 thread\ninstruction [\d,.]+; reached so far/,
    );
  });

  it("are done at each stop", () => {
    const { commands, do: say } = keeper();
    expect(say("display/x counter", "display info registers rip")).toMatch(/^1: 0x0\n2: [ *]rip/);
    say("advance keep");
    expect(commands.displayLines()[0]).toBe("1: 0x1e");
    expect(say("info display", "undisplay 1", "info display")).toMatch(
      / 1 {2}print\/x counter\n {2}2 .*\n {2}2 {2}info registers rip$/,
    );
    expect(say("display c")).toMatch(/^error: display: c moves/);
  });
});

describe("help", () => {
  it("is there for every verb, and for what is none", () => {
    const { commands, do: say } = keeper();
    const names = commands.completions("");
    expect(names.length).toBeGreaterThan(60);
    for (const name of names) {
      expect(say(`help ${name}`)).toMatch(new RegExp(`^${name}`));
      expect(say(`${name} ?`)).toBe(say(`help ${name}`));
    }
    for (const line of say("help").split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    expect(say("brek main")).toBe("error: no command brek; did you mean break?");
    expect(say("wat counter")).toBe("break 1: " + say("watch counter").slice(9));
    expect(say("re")).toMatch(/^error: re: which of reverse-continue, /);
    expect(say("info")).toMatch(/^error: info: expected one of registers/);
    expect(say("info frog")).toMatch(/^error: info frog: expected one of/);
    expect(say("%&")).toBe("error: %&: not a command (help)");
    expect(say("# a comment", "", "echo text")).toBe("text");
    expect(say("quit")).toBe("(quit)");
    expect(commands.completions("break squ")).toEqual(["square"]);
  });
});
