import { describe, expect, it } from "vitest";
import { Machine, type MachineOptions } from "../../../../debug/index.js";
import { refusalLines } from "../../../../debug/explain/refusal-text.js";
import { parseElf, type ElfImage, type ReadAt } from "../../../../kernel/exec/elf.js";
import { readMarks } from "../../../../kernel/exec/elf-marks.js";
import type { Refusal } from "../../../../kernel/refusal.js";
import { SYS, type Program } from "../../../../userland/index.js";
import {
  closeRelro,
  LATER,
  LIBRARY,
  mapLibrary,
  NODELETE,
  object,
  PAGE,
  R,
  run,
  RW,
  TEXTREL,
  type ObjectOptions,
  type Ran,
} from "./objects.js";

const sealElf: MachineOptions = { sealElf: true };
const marked: MachineOptions = { sealElf: "marked" };
const leave = (program: Program): unknown => program.exit(0);
/** The start of a program that is not position independent, and the end of anything that it maps by itself. */
const PROGRAM = [0x40_0000, 0x5000_0000] as const;
const OFF = ["GLIBC_TUNABLES=glibc.rtld.seal=0"];

function own(program: Program): unknown {
  return program.syscall(SYS.mprotect, "relro", PAGE, R);
}

/** A program, a loader (PT_INTERP) and two libraries: one that is there at the start, one that is loaded later. */
function loaded(
  options: {
    machine?: MachineOptions;
    program?: ObjectOptions;
    library?: ObjectOptions;
    later?: ObjectOptions;
    env?: readonly string[];
  } = {},
): Ran {
  const pie = { type: "static-pie" } as const;
  const library = object(leave, { ...pie, ...options.library });
  const later = object(leave, { ...pie, ...options.later });
  const program = object(
    (code) => {
      mapLibrary(code, "/later.so", later, LATER);
      closeRelro(code, later, LATER);
      code.exit(0);
    },
    { interpreter: "/loader", ...options.program },
  );
  const entry = Number(new DataView(program.buffer, program.byteOffset).getBigUint64(24, true));
  const loader = object((code) => {
    mapLibrary(code, "/library.so", library, LIBRARY);
    closeRelro(code, library, LIBRARY);
    closeRelro(code, program, 0);
    own(code);
    code.load("rax", entry).code("jmp rax");
  }, pie);
  const files = { "/program": program, "/loader": loader, "/library.so": library, "/later.so": later };
  return run(files, { ...sealElf, ...options.machine }, options.env);
}

describe("gl-1: the mark that a linker leaves", () => {
  const image = (notes: Uint8Array): [ElfImage, ReadAt] => {
    const header = {
      type: 4,
      flags: 4,
      offset: 0n,
      vaddr: 0n,
      filesz: BigInt(notes.length),
      memsz: 0n,
      align: 8n,
    };
    const whole = {
      type: 2,
      entry: 0n,
      phoff: 0n,
      phnum: 1,
      interpreter: null,
      executableStack: false,
    } as const;
    return [
      { ...whole, programHeaders: [header] },
      (offset, length) => notes.subarray(offset, offset + length),
    ];
  };
  const words = (...values: number[]): number[] =>
    values.flatMap((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, v >>> 24]);
  const GNU = [0x47, 0x4e, 0x55, 0];

  it("gl-1 is a GNU property of type 3 without data, in ET_EXEC and ET_DYN", () => {
    for (const type of ["exec", "static-pie"] as const) {
      const elf = object(leave, { type, memorySeal: true });
      const read: ReadAt = (offset, length) => elf.subarray(offset, offset + length);
      expect(readMarks(parseElf(read) as ElfImage, read).memorySeal).toBe(true);
    }
    const plain = object(leave);
    const read: ReadAt = (offset, length) => plain.subarray(offset, offset + length);
    expect(readMarks(parseElf(read) as ElfImage, read).memorySeal).toBe(false);
  });
  it("gl-1 is found behind other notes and other properties", () => {
    const buildId = [...words(4, 20, 3), ...GNU, ...new Array<number>(20).fill(7)];
    const feature = [...words(0xc000_0002, 4, 3), 0, 0, 0, 0];
    const property = [...words(4, 24, 5), ...GNU, ...feature, ...words(3, 0)];
    expect(readMarks(...image(Uint8Array.from(property))).memorySeal).toBe(true);
    expect(readMarks(...image(Uint8Array.from([...buildId, ...property]))).memorySeal).toBe(true);
    const other = [...words(4, 16, 5), ...GNU, ...feature];
    expect(readMarks(...image(Uint8Array.from(other))).memorySeal).toBe(false);
  });
  it("gl-1 a note that breaks off, or that has another name, is none", () => {
    const property = Uint8Array.from([...words(4, 8, 5), ...GNU, ...words(3, 0)]);
    for (let length = 0; length < property.length; length++)
      expect(readMarks(...image(property.subarray(0, length))).memorySeal).toBe(false);
    const other = property.slice();
    other[12] = 0x58;
    expect(readMarks(...image(other)).memorySeal).toBe(false);
    expect(readMarks(...image(Uint8Array.from(words(4, 0xffff_fff0, 5, 0x554e_47)))).memorySeal).toBe(false);
  });
  it("gl-1 counts for one object, not for what it is loaded with", () => {
    const ran = loaded({ machine: marked, library: { memorySeal: true } });
    expect(ran.areas(...PROGRAM).some((area) => area.endsWith("sealed"))).toBe(false);
    expect(ran.areas(LIBRARY, LATER)).toEqual(["r-- sealed", "r-x sealed", "rw-", "r-- sealed"]);
  });
  it("gl-1 --seal-elf without `marked` takes every object as marked", () => {
    expect(loaded().areas(LIBRARY, LATER)).toEqual(["r-- sealed", "r-x sealed", "rw-", "r-- sealed"]);
  });
});

describe("gl-2: what is sealed, and when", () => {
  it("gl-2 of a static program the segments that are not writable, at exec", () => {
    const ran = run({ "/program": object(leave) }, sealElf);
    expect(ran.areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "rw-"]);
  });
  it("gl-2 and its relro once the program itself has made it read-only", () => {
    const ran = run(
      {
        "/program": object((program) => {
          own(program);
          program.exit(0);
        }),
      },
      sealElf,
    );
    expect(ran.areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "rw-", "r-- sealed"]);
  });
  it("gl-2 mprotect of anything else that is writable seals nothing", () => {
    const ran = run(
      {
        "/program": object((program) => {
          program.syscall(SYS.mprotect, "data", PAGE, R);
          program.exit(0);
        }),
      },
      sealElf,
    );
    expect(ran.areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "r--", "rw-"]);
  });
  it("gl-2 a part of relro is not relro", () => {
    const program = object((code) => {
      code
        .syscall(SYS.mprotect, "relro", 2 * PAGE, RW)
        .syscall(SYS.mprotect, "relro", PAGE - 1, R)
        .exit(0);
    });
    // A length is rounded up to pages: this is the whole of it after all.
    expect(
      run({ "/program": program }, sealElf)
        .areas(...PROGRAM)
        .at(-1),
    ).toBe("r-- sealed");
    const two = object((code) => {
      code.section(".data.rel.ro").reserve(PAGE).section(".text");
      code.syscall(SYS.mprotect, "relro", PAGE, R).exit(0);
    });
    expect(
      run({ "/program": two }, sealElf)
        .areas(...PROGRAM)
        .slice(-2),
    ).toEqual(["r--", "rw-"]);
  });
  it("gl-2 the interpreter and every library of the start", () => {
    const ran = loaded();
    expect(ran.areas(...PROGRAM)).toEqual(["r-- sealed", "r-x sealed", "rw-", "r-- sealed"]);
    expect(ran.areas(LIBRARY, LATER)).toEqual(["r-- sealed", "r-x sealed", "rw-", "r-- sealed"]);
    const interpreter = ran.areas(0x7f00_0000_0000).filter((area) => area.endsWith("sealed"));
    expect(interpreter).toEqual(["r-- sealed", "r-x sealed", "r-- sealed"]);
  });
  it("gl-2 not what is loaded later: it must be possible to unload it", () => {
    expect(loaded().areas(LATER, LATER + 0x10_0000)).toEqual(["r--", "r-x", "rw-", "r--"]);
  });
  it("gl-2 but what is marked as never to be unloaded", () => {
    const ran = loaded({ later: { dynamic: [NODELETE] } });
    expect(ran.areas(LATER, LATER + 0x10_0000).filter((area) => area.endsWith("sealed"))).toEqual([
      "r-- sealed",
      "r-x sealed",
      "r-- sealed",
    ]);
  });
  it("gl-2 a program whose text is relocated is sealed when that is over", () => {
    const options: ObjectOptions = { dynamic: [TEXTREL] };
    const open = run({ "/program": object(leave, options) }, sealElf);
    expect(open.areas(...PROGRAM).filter((area) => area.endsWith("sealed"))).toEqual([]);
    const closed = run(
      {
        "/program": object((program) => {
          own(program);
          program.exit(0);
        }, options),
      },
      sealElf,
    );
    expect(closed.areas(...PROGRAM).slice(0, 2)).toEqual(["r-- sealed", "r-x sealed"]);
  });
  it("gl-2 the heap and the stack stay as they are", () => {
    const ran = loaded();
    expect(ran.areas(0x7fff_0000_0000).at(-1)).toBe("rw-");
  });
  it("gl-2 exec begins anew, a forked child goes on", () => {
    const program = object((code) => {
      own(code);
      code.syscall(SYS.fork).code("test rax, rax\n jnz .parent");
      code.load("rdi", "_start").code("and rdi, -4096").syscall(SYS.munmap, "rdi", PAGE);
      code.print("child: ").printErrno("rax").line("").exit(0);
      code.code(".parent:").syscall(SYS.wait4, -1, 0, 0, 0).exit(0);
    });
    expect(run({ "/program": program }, sealElf).text).toBe("child: EPERM\n");
  });
  it("gl-2 is refused with who sealed it", () => {
    const refusals: Refusal[] = [];
    const program = object((code) => {
      code.load("rdi", "_start").code("and rdi, -4096").syscall(SYS.mprotect, "rdi", PAGE, 7);
      own(code);
      code.syscall(SYS.munmap, "relro", PAGE).exit(0);
    });
    const machine = Machine.create({ memoryBytes: 32 << 20, ...sealElf });
    machine.on("refusal", (refusal) => refusals.push(refusal));
    machine.load(program);
    machine.run();
    const lines = refusals.map((refusal) => refusalLines(refusal).find((line) => line.startsWith("sealed")));
    expect(lines).toEqual([
      "sealed   by --seal-elf at exec, at instruction 0, thread 1000",
      expect.stringMatching(
        /^sealed {3}by --seal-elf once relro was read-only, at instruction \d+, thread 1000$/,
      ),
    ]);
  });
});

describe("gl-3: what stays open", () => {
  it("gl-3 pages of a mutable section among segments that are sealed", () => {
    const elf = object(leave, { open: true });
    // The section's program header, over a page of the text's instead.
    const view = new DataView(elf.buffer, elf.byteOffset);
    const at =
      64 +
      56 *
        [...Array(view.getUint16(56, true)).keys()].find(
          (i) => view.getUint32(64 + 56 * i, true) === 0x65a3_dbe5,
        )!;
    view.setBigUint64(at + 16, 0x40_1000n, true);
    const ran = run({ "/program": elf }, sealElf);
    expect(ran.areas(...PROGRAM).slice(0, 3)).toEqual(["r-- sealed", "r--", "r-x sealed"]);
  });
});

describe("gl-4: a hint", () => {
  it("gl-4 where memory cannot be sealed the program runs all the same", () => {
    const ran = run(
      { "/program": object((program) => program.line("runs").exit(0)) },
      { ...sealElf, sealing: "rfc-v3:unconfigured" },
    );
    expect(ran.text).toBe("runs\n");
    expect(ran.areas(...PROGRAM).some((area) => area.endsWith("sealed"))).toBe(false);
  });
  it.each([
    "linux",
    "rfc-v1",
    "rfc-v2",
    "rfc-v3",
    "v4",
    "mimmutable:asked",
    "xnu-permanent",
    "prot-immutable",
    "guidelines",
  ])("gl-4 under %s it is sealed with all that the model has", (sealing) => {
    const ran = loaded({ machine: { sealing } });
    const areas = ran.areas(LIBRARY, LATER);
    expect(areas).not.toHaveLength(0);
    for (const area of areas) expect(area.endsWith("sealed")).toBe(!area.startsWith("rw"));
  });
});

describe("gl-5: the tunable", () => {
  const files = { "/program": object(leave) };
  const sealed = (env: readonly string[], options = sealElf): number =>
    run(files, options, env)
      .areas(...PROGRAM)
      .filter((area) => area.endsWith("sealed")).length;
  it("gl-5 0 turns it off", () => {
    expect(sealed(OFF)).toBe(0);
    expect(
      sealed([
        "A=1",
        "GLIBC_TUNABLES=glibc.malloc.check=3:glibc.rtld.seal=0:glibc.rtld.optional_static_tls=1",
      ]),
    ).toBe(0);
  });
  it("gl-5 1 and 2 leave it on, and so does what is no tunable of that name", () => {
    for (const text of [
      "glibc.rtld.seal=1",
      "glibc.rtld.seal=2",
      "glibc.rtld.sealed=0",
      "xglibc.rtld.seal=0",
      "",
    ])
      expect(sealed([`GLIBC_TUNABLES=${text}`])).toBe(2);
    expect(sealed(["XGLIBC_TUNABLES=glibc.rtld.seal=0"])).toBe(2);
  });
  it("gl-5 of two the last counts", () => {
    expect(sealed(["GLIBC_TUNABLES=glibc.rtld.seal=0:glibc.rtld.seal=2"])).toBe(2);
  });
  it("gl-5 does nothing where --seal-elf is not asked for, and nothing to a model's own rule", () => {
    expect(sealed(["GLIBC_TUNABLES=glibc.rtld.seal=2"], {})).toBe(0);
    expect(sealed(OFF, { ...sealElf, sealing: "mimmutable" })).toBe(3);
  });
});

describe("gl-6: what is released", () => {
  it("gl-6 no loader and no kernel seals a program by itself", () => {
    const ran = loaded({ machine: { sealElf: false } });
    expect(ran.areas().some((area) => area.endsWith("sealed"))).toBe(false);
  });
});
