import { describe, expect, it } from "vitest";
import { BufferHost, LoadError, Machine, WRITE } from "../../debug/index.js";
import type { TraceRecord } from "../../debug/index.js";
import { findSample, Program, SYS } from "../../userland/index.js";

function load(program: Program, host = new BufferHost()): Machine {
  const machine = Machine.create({ host, memoryBytes: 16 << 20 });
  machine.load(program.build());
  return machine;
}

describe("a run", () => {
  it("needs one program, and a system call that there is", () => {
    const machine = Machine.create({ memoryBytes: 16 << 20 });
    expect(() => machine.step()).toThrow("this machine has no program: load or exec one first");
    const elf = findSample("hello")!.build();
    machine.load(elf);
    expect(() => machine.load(elf)).toThrow("load: a machine is given a program once");
    expect(() => machine.untilSyscall("unmap")).toThrow(new RangeError("no system call unmap"));
    expect(machine.untilSyscall("write")).not.toBeNull();
  });

  it("is the same to the instruction, however it is cut into steps", () => {
    const elf = findSample("jit-heap")!.build();
    const runs = [Infinity, 1, 7, 1000].map((slice) => {
      const host = new BufferHost();
      const machine = Machine.create({ host });
      machine.load(elf, { argv: ["jit-heap"] });
      for (let left = 100_000; left > 0 && machine.exit === null; left--) machine.run(slice);
      return { text: host.text(1), instructions: machine.instructions, exit: machine.exit };
    });
    expect(runs[0]!.exit).toMatchObject({ code: 0, signal: null });
    for (const run of runs) expect(run).toEqual(runs[0]);
  });

  it("retires exactly the instructions it is given", () => {
    const machine = load(new Program().label("_start").code("again: inc rax\n jmp again"));
    expect(machine.run(12_345)).toEqual({ reason: "budget" });
    expect(machine.instructions).toBe(12_345);
    machine.step();
    expect(machine.instructions).toBe(12_346);
    expect(machine.registers.get("rax")).toBe(6173n);
  });

  it("ends with the signal that nobody handles", () => {
    const machine = load(new Program().label("_start").code("mov eax, [0x10]"));
    expect(machine.run()).toMatchObject({ reason: "exited", status: { signal: 11, core: false } });
  });

  it("reads the input it was given, and waits for what does not come", () => {
    const program = new Program().label("_start");
    program.within(".bss", () => program.label("buffer").reserve(64));
    program
      .syscall(SYS.read, 0, "buffer", 64)
      .code("mov rdx, rax")
      .code(`mov edi, 1\n lea rsi, [buffer]\n mov eax, ${SYS.write}\n syscall`);
    program.exit(0);
    const host = new BufferHost("some input");
    load(program, host).run();
    expect(host.text(1)).toBe("some input");
  });

  it("can be interrupted from outside", () => {
    const machine = load(new Program().label("_start").code("again: jmp again"));
    machine.run(1000);
    machine.interrupt();
    expect(machine.run(1000)).toMatchObject({ reason: "exited", status: { signal: 2 } });
  });
});

describe("stops", () => {
  it("after each call, by name or any, and at the end with null", () => {
    const machine = load(new Program().label("_start").syscall(SYS.getpid).syscall(39).exit(3));
    expect(machine.untilSyscall()).toMatchObject({ name: "getpid", result: 1000n });
    expect(machine.untilSyscall("write")).toBeNull();
    expect(machine.exit).toMatchObject({ code: 3 });
  });

  it("at a fault, before its handler has run", () => {
    const machine = Machine.create();
    machine.load(findSample("execute-only")!.build());
    const fault = machine.untilFault();
    expect(fault).toMatchObject({ vector: 14, signal: 11, address: 0x5ea10000 });
    expect(fault!.errorCode & 0x20).toBe(0x20);
    expect(fault!.refusal).toMatchObject({ key: 1 });
    expect(machine.walk(0x5ea10000).outcome).toBe("page-fault");
    expect(machine.instructionAt(fault!.rip)).toBe("mov al, [rbx]");
    expect(machine.symbolAt(fault!.rip)).toMatch(/^_start\+0x/);
  });
});

describe("who wrote PKRU", () => {
  const PKEY_MPROTECT = 329;
  const PKEY_ALLOC = 330;

  /** The writer that the fault of reading a page with key 1 names, after PKRU was written as `body` does. */
  function writer(body: (program: Program) => void): { by: string | undefined; at: string | undefined } {
    const program = new Program().label("_start");
    program.within(".bss", () => program.align(64).label("image").reserve(4096));
    program.syscall(SYS.mmap, 0x10000000, 4096, 3, 0x32, -1, 0);
    body(program);
    program.syscall(PKEY_MPROTECT, 0x10000000, 4096, 3, 1).code("mov al, [0x10000000]");
    const machine = load(program);
    const written = machine.untilFault()!.refusal!.pkruWrittenBy!;
    return { by: written.by, at: machine.instructionAt(written.rip) };
  }

  it("the kernel, in pkey_alloc", () => {
    expect(writer((program) => void program.syscall(PKEY_ALLOC, 0, 1))).toMatchObject({
      by: "pkey_alloc",
      at: "syscall",
    });
  });

  it("the kernel, when it called a handler", () => {
    const machine = Machine.create();
    machine.load(findSample("signal-pkru")!.build());
    const writers = new Set<string | undefined>();
    for (let fault = machine.untilFault(); fault !== null; fault = machine.untilFault())
      writers.add(fault.refusal?.pkruWrittenBy?.by);
    expect([...writers]).toContain("signal delivery");
  });

  it("the program, by WRPKRU and by XRSTOR", () => {
    const wrpkru = writer((program) => {
      program.syscall(PKEY_ALLOC, 0, 0).code("mov eax, 4\n xor ecx, ecx\n xor edx, edx\n wrpkru");
    });
    expect([wrpkru.by, wrpkru.at]).toEqual([undefined, "wrpkru"]);
    const xrstor = writer((program) => {
      program.syscall(PKEY_ALLOC, 0, 0).code(`
        lea rbx, [image]
        mov eax, 0x207
        xor edx, edx
        xsave [rbx]
        mov dword ptr [rbx+0xa80], 4
        or dword ptr [rbx+512], 0x200
        mov eax, 0x200
        xrstor [rbx]
      `);
    });
    expect([xrstor.by, xrstor.at]).toEqual([undefined, "xrstor [rbx]"]);
  });
});

describe("looking", () => {
  it("changes nothing", () => {
    const machine = load(
      new Program().label("_start").syscall(SYS.mmap, 0x10000000, 8192, 3, 0x32, -1, 0).exit(0),
    );
    machine.untilSyscall("mmap");
    const before = machine.kernel.frames.inUse;
    expect(machine.read(0x10000000, 4)).toEqual(new Uint8Array(4));
    expect(machine.read(0x10001ffc, 8)).toHaveLength(4);
    expect(machine.read(0x20000000, 8)).toHaveLength(0);
    expect(machine.walk(0x10000000, WRITE).outcome).toBe("page-fault");
    expect(machine.pageTableEntry(0x10000000)).toBeNull();
    expect(machine.kernel.frames.inUse).toBe(before);
    expect(machine.maps()).toContain("10000000-10002000 rw-p");
  });
});

describe("what cannot be run", () => {
  it.each([
    ["text", new TextEncoder().encode("hello, world\n".repeat(20))],
    ["nothing", new Uint8Array()],
    ["a header alone", findSample("hello")!.build().slice(0, 64)],
  ])("is refused: %s", (_, bytes) => {
    expect(() => Machine.create().load(bytes)).toThrow(LoadError);
  });
});

it("tells of each event in strace's form", () => {
  const machine = load(new Program().label("_start").syscall(SYS.madvise, 0x1000, 4096, 4).code("ud2"));
  const records: TraceRecord[] = [];
  machine.trace((record) => records.push(record));
  machine.run();
  expect(records.map((record) => record.text)).toEqual([
    "madvise(0x1000, 4096, MADV_DONTNEED)    = -1 ENOMEM (Cannot allocate memory)",
    expect.stringMatching(/^--- SIGILL \{si_signo=SIGILL, si_code=ILL_ILLOPN, si_addr=0x40[0-9a-f]+\} ---$/),
    "+++ killed by SIGILL +++",
  ]);
});
