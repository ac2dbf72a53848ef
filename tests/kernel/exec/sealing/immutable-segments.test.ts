import { describe, expect, it } from "vitest";
import type { MachineOptions } from "../../../../debug/index.js";
import { SYS, type Program } from "../../../../userland/index.js";
import { LIBRARY, mapLibrary, closeRelro, object, PAGE, R, run, RW, TEXTREL, type Ran } from "./objects.js";

const PROGRAM = [0x40_0000, 0x5000_0000] as const;
const leave = (program: Program): unknown => program.exit(0);
const own = (program: Program): unknown => program.syscall(SYS.mprotect, "relro", PAGE, R);

describe.each(["mimmutable", "mimmutable-2022"])("ob-8: %s at exec", (sealing) => {
  const options: MachineOptions = { sealing };
  const start = (elf: Uint8Array, more: MachineOptions = {}): Ran =>
    run({ "/program": elf }, { ...options, ...more });
  const lines = (
    write: (program: Program) => void,
    ...rest: Parameters<typeof object> extends [unknown, ...infer T] ? T : never
  ): string[] =>
    start(
      object(
        (program) => {
          write(program);
          program.exit(0);
        },
        ...rest,
      ),
    )
      .text.trim()
      .split("\n");
  const protect = (program: Program, label: string, prot: number): Program =>
    program
      .load("rdi", label)
      .code("and rdi, -4096")
      .syscall(SYS.mprotect, "rdi", PAGE, prot)
      .printErrno("rax")
      .line("");

  it("ob-8 text, read-only data, data and bss are immutable; relro waits", () => {
    expect(start(object(leave)).areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "rw- sealed", "rw-"]);
  });
  it("ob-8 the stack is immutable", () => {
    expect(start(object(leave)).areas(0x7fff_0000_0000).at(-1)).toBe("rw- sealed");
    expect(lines((program) => protect(program, "rsp", RW))).toEqual(["EPERM"]);
  });
  it("ob-8 the stack still grows", () => {
    expect(
      lines((program) => program.code("sub rsp, 0x40000\n mov qword ptr [rsp], 1").line("grew")),
    ).toEqual(["grew"]);
  });
  it("ob-8 mprotect, munmap, mmap over them and discards are EPERM", () => {
    expect(
      lines((program) => {
        protect(program, "_start", 7);
        protect(program, "data", R);
        program.syscall(SYS.munmap, "data", PAGE).printErrno("rax").line("");
        program.syscall(SYS.mmap, "data", PAGE, RW, 0x32, -1, 0).printErrno("rax").line("");
      }),
    ).toEqual(["EPERM", sealing === "mimmutable" ? "EPERM" : "ok", "EPERM", "EPERM"]);
  });
  it("ob-8 relro is closed by the program itself, and immutable from then on", () => {
    const elf = object((program) => {
      own(program);
      protect(program, "relro", RW).exit(0);
    });
    expect(start(elf).text).toBe("EPERM\n");
    expect(
      start(elf)
        .areas(...PROGRAM)
        .every((area) => area.endsWith("sealed")),
    ).toBe(true);
  });
  it("ob-8 PT_OPENBSD_MUTABLE stays open for one mprotect and one mimmutable", () => {
    const calls = (program: Program): void => {
      protect(program, "open", R);
      program.syscall(SYS.mseal, "open", PAGE, 0).printErrno("rax").line("");
      protect(program, "open", RW);
    };
    expect(lines(calls, { open: true })).toEqual(["ok", "ok", "EPERM"]);
  });
  it("ob-8 its header covers whole pages, outward", () => {
    const elf = object(leave, { open: true, relro: false });
    const view = new DataView(elf.buffer, elf.byteOffset);
    const at =
      64 +
      56 *
        Array.from({ length: view.getUint16(56, true) }, (_, i) => i).find(
          (i) => view.getUint32(64 + 56 * i, true) === 0x65a3_dbe5,
        )!;
    const address = view.getBigUint64(at + 16, true);
    // From the last byte of the page before to the first byte of the section.
    view.setBigUint64(at + 16, address - 1n, true);
    view.setBigUint64(at + 40, 2n, true);
    const areas = start(elf)
      .machine.areas()
      .filter(({ start, end }) => start <= Number(address) && end > Number(address) - 1);
    expect(
      areas.map(({ start, end, sealed }) => [start - Number(address), end - Number(address), sealed]),
    ).toEqual([[-PAGE, PAGE, false]]);
  });
  it("ob-8 a segment marked as mutable stays open", () => {
    const elf = object(leave, { relro: false });
    const view = new DataView(elf.buffer, elf.byteOffset);
    for (let i = 0; i < view.getUint16(56, true); i++) {
      const flags = view.getUint32(64 + 56 * i + 4, true);
      if (view.getUint32(64 + 56 * i, true) === 1 && flags === 6)
        view.setUint32(64 + 56 * i + 4, (flags | 0x0800_0000) >>> 0, true);
    }
    expect(start(elf).areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "rw-"]);
  });
  it("ob-8 a segment that is writable and executable stays open", () => {
    const elf = object(leave, { relro: false });
    const view = new DataView(elf.buffer, elf.byteOffset);
    for (let i = 0; i < view.getUint16(56, true); i++)
      if (view.getUint32(64 + 56 * i, true) === 1 && view.getUint32(64 + 56 * i + 4, true) === 5)
        view.setUint32(64 + 56 * i + 4, 7, true);
    expect(start(elf).areas(...PROGRAM)).toEqual(["r-- sealed", "rwx", "rw- sealed"]);
  });
  it("ob-8 text relocations keep text and read-only data open until relro is closed", () => {
    const elf = object(leave, { dynamic: [TEXTREL] });
    expect(
      start(elf)
        .areas(...PROGRAM)
        .slice(0, 2),
    ).toEqual(["r--", "r-x"]);
    const closed = object(
      (program) => {
        own(program);
        program.exit(0);
      },
      { dynamic: [TEXTREL] },
    );
    expect(
      start(closed)
        .areas(...PROGRAM)
        .every((area) => area.endsWith("sealed")),
    ).toBe(true);
  });
  it("ob-8 the loader's part: interpreter, libraries and their data", () => {
    const pie = { type: "static-pie" } as const;
    const library = object(leave, { ...pie, open: true });
    const program = object(leave, { interpreter: "/loader" });
    const entry = Number(new DataView(program.buffer, program.byteOffset).getBigUint64(24, true));
    const loader = object((code) => {
      mapLibrary(code, "/library.so", library, LIBRARY);
      closeRelro(code, library, LIBRARY);
      closeRelro(code, program, 0);
      own(code);
      code.load("rax", entry).code("jmp rax");
    }, pie);
    const ran = run({ "/program": program, "/loader": loader, "/library.so": library }, options);
    expect(ran.areas(...PROGRAM).every((area) => area.endsWith("sealed"))).toBe(true);
    const inLibrary = ran.areas(LIBRARY, LIBRARY + 0x10_0000);
    expect(inLibrary.filter((area) => !area.endsWith("sealed"))).toEqual(["rw-"]);
    expect(inLibrary).toContain("rw- sealed");
  });
  it("ob-8 the heap and what the program maps are its own business", () => {
    expect(
      lines((program) => {
        program.syscall(SYS.brk, 0).code("mov r12, rax\n lea rdi, [rax+8192]").syscall(SYS.brk, "rdi");
        protect(program, "r12", R);
        program.syscall(SYS.mmap, 0, PAGE, RW, 0x22, -1, 0).code("mov r12, rax");
        protect(program, "r12", R);
      }),
    ).toEqual(["ok", "ok"]);
  });
  it("ob-8 `asked` leaves all of it out", () => {
    const ran = run(
      {
        "/program": object((program) => {
          own(program);
          program.exit(0);
        }),
      },
      { sealing: `${sealing}:asked` },
    );
    expect(ran.areas().some((area) => area.endsWith("sealed"))).toBe(false);
  });
  it("ob-8 a refusal names the model's exec", () => {
    const ran = start(object(leave));
    expect(ran.machine.areas()[0]!.sealedBy).toMatchObject({ by: "the model at exec", instruction: 0 });
  });
  it("ob-8 samples end as under Linux where they leave their own segments alone", () => {
    expect(lines((program) => program.line("hello"))).toEqual(["hello"]);
  });
});
