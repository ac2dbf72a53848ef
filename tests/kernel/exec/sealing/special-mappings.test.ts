import { describe, expect, it } from "vitest";
import { BufferHost, Machine, type MachineOptions } from "../../../../debug/index.js";
import { userCredentials } from "../../../../kernel/credentials.js";
import { FilePages } from "../../../../kernel/mm/file-pages.js";
import { PARAMETERS, readParameters } from "../../../../kernel/parameters.js";
import { DEFAULT_RELEASE, findRelease, RELEASES } from "../../../../kernel/release.js";
import type { Refusal } from "../../../../kernel/refusal.js";
import { findSample, Program, SYS } from "../../../../userland/index.js";
import { Space } from "../../mm/space.js";
import { PAGE } from "./objects.js";

const GET = 0x5345_4147;
const SET = 0x5345_4153;
const SPECIAL = ["[vvar]", "[vvar_vclock]", "[vdso]"];
const [SEALED, BOOT, SWITCH] = [
  "CONFIG_MSEAL_SYSTEM_MAPPINGS=y",
  "exec.seal_system_mappings=yes",
  "mseal.special_mappings=on",
];

function started(program: Program, options: MachineOptions = {}): { machine: Machine; host: BufferHost } {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 32 << 20, ...options });
  machine.load(program.build());
  return { machine, host };
}

const idle = (): Program => new Program().label("_start").exit(0);

function sealedNames(machine: Machine): string[] {
  return machine
    .areas()
    .filter(({ sealed }) => sealed)
    .map(({ name }) => name);
}

/** What the calls of a program came to, a line each. */
function answers(write: (program: Program) => void, options: MachineOptions, uid = 0): string[] {
  const program = new Program().label("_start");
  write(program);
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 32 << 20, ...options });
  machine.load(
    program.exit(0).build(),
    uid === 0 ? {} : { user: { uid, gid: uid, groups: [uid], name: null, home: "/" } },
  );
  machine.run();
  return host.text(1).trim().split("\n");
}

const set = (program: Program, value: number): Program =>
  program.syscall(SYS.prctl, SET, value, 0, 0, 0).printSigned("rax").line("");
const get = (program: Program): Program =>
  program.syscall(SYS.prctl, GET, 0, 0, 0, 0).printSigned("rax").line("");

describe("sm-1: a boot parameter", () => {
  it("sm-1 exec.seal_system_mappings=yes seals the vDSO and its data", () => {
    expect(sealedNames(started(idle(), { params: [BOOT] }).machine)).toEqual(SPECIAL);
  });
  it("sm-1 no, or no parameter, seals nothing", () => {
    expect(sealedNames(started(idle(), { params: ["exec.seal_system_mappings=no"] }).machine)).toEqual([]);
    expect(sealedNames(started(idle()).machine)).toEqual([]);
  });
  it("sm-1 overrides how the kernel is built: the last one holds", () => {
    const sealed = (...params: string[]): boolean =>
      sealedNames(started(idle(), { params }).machine).length > 0;
    expect(sealed(SEALED, "exec.seal_system_mappings=no")).toBe(false);
    expect(sealed("exec.seal_system_mappings=no", SEALED)).toBe(true);
  });
  it.each(["[uprobes]", "[sigpage]", "[vectors]"])(
    "sm-1 %s, where a kernel has one, is sealed by the same hand",
    (name) => {
      const s = new Space();
      const pages = new FilePages(s.env.frames, PAGE);
      expect(s.mm.mapSpecial(s.at(0), PAGE, 4, name, pages, 0, "exec.seal_system_mappings at exec")).toBe(0);
      expect(s.mm.snapshotArea(s.mm.findArea(s.at(0))!)).toMatchObject({
        name,
        sealed: true,
        sealedBy: { by: "exec.seal_system_mappings at exec" },
      });
      expect(s.mm.munmap(s.at(0), PAGE)).toBe(-1);
      expect(s.mm.mapSpecial(s.at(4), PAGE, 4, name, pages, 0)).toBe(0);
      expect(s.mm.munmap(s.at(4), PAGE)).toBe(0);
    },
  );
  it("sm-1 there is no switch for a process", () => {
    const calls = (program: Program): void => void [get(program), set(program, 0)];
    expect(answers(calls, { params: [BOOT] })).toEqual(["-22", "-22"]);
  });
});

describe("sm-2: a boot parameter and a switch for checkpoint tools", () => {
  const options = { params: [SWITCH] };
  it("sm-2 mseal.special_mappings=on seals, off does not", () => {
    expect(sealedNames(started(idle(), options).machine)).toEqual(SPECIAL);
    expect(sealedNames(started(idle(), { params: ["mseal.special_mappings=off"] }).machine)).toEqual([]);
  });
  it("sm-2 GET tells it, SET changes it", () => {
    const calls = (program: Program): void =>
      void [get(program), set(program, 0), get(program), set(program, 1), get(program)];
    expect(answers(calls, options)).toEqual(["1", "0", "0", "0", "1"]);
    expect(answers(calls, { params: ["mseal.special_mappings=off"] })).toEqual(["0", "0", "0", "0", "1"]);
  });
  it("sm-2 SET takes CAP_CHECKPOINT_RESTORE, GET takes nothing", () => {
    const calls = (program: Program): void => void [get(program), set(program, 0), get(program)];
    expect(answers(calls, options, 1000)).toEqual(["1", "-1", "1"]);
    const refusals: Refusal[] = [];
    const { machine } = started(set(new Program().label("_start"), 0).exit(0), options);
    machine.task.credentials = { ...userCredentials(0, 0), effective: ~(1n << 40n) & ((1n << 41n) - 1n) };
    machine.on("refusal", (refusal) => refusals.push(refusal));
    machine.run();
    expect(refusals.map(({ rule, errno }) => [rule, errno])).toEqual([["prctl.special-mappings", 1]]);
  });
  it("sm-2 other arguments are EINVAL", () => {
    const calls = (program: Program): void => {
      for (const args of [
        [SET, 2, 0, 0, 0],
        [SET, 0, 1, 0, 0],
        [SET, 0, 0, 0, 1],
        [GET, 1, 0, 0, 0],
        [GET, 0, 0, 1, 0],
      ])
        program
          .syscall(SYS.prctl, ...args)
          .printSigned("rax")
          .line("");
    };
    expect(answers(calls, options)).toEqual(new Array(5).fill("-22"));
  });
  it("sm-2 without the parameter there is no such prctl, as on every Linux", () => {
    const calls = (program: Program): void => void [get(program), set(program, 0)];
    expect(answers(calls, {})).toEqual(["-22", "-22"]);
    expect(answers(calls, { params: [SEALED] })).toEqual(["-22", "-22"]);
  });
  it("sm-2 what is sealed already stays so; children and the next program have it as it was set", () => {
    const host = new BufferHost();
    const machine = Machine.create({ host, memoryBytes: 32 << 20, ...options });
    machine.load(findSample("checkpoint")!.build());
    const sealed: [string, number][] = [];
    machine.on("exec", () => sealed.push(["exec", sealedNames(machine).length]));
    machine.on("syscallExit", ({ name, result }) => {
      if (name === "prctl") sealed.push([`prctl ${result}`, sealedNames(machine).length]);
    });
    machine.run();
    expect(sealed).toEqual([
      ["prctl 1", 3],
      ["prctl 0", 3],
      ["exec", 0],
      ["prctl 0", 0],
      ["prctl -1", 3],
    ]);
  });
  it("sm-2 the steps of a checkpoint tool", () => {
    const host = new BufferHost();
    const machine = Machine.create({ host, memoryBytes: 32 << 20, ...options });
    machine.load(findSample("checkpoint")!.build());
    machine.run();
    expect(host.text(1).split("\n")).toEqual([
      "the tool moves its own: EPERM",
      "the system seals its mappings",
      "turned off: ok",
      "child: moved to their old place: ok",
      "child: the vDSO begins with 0x464c457f",
      "child: turned on: ok",
      "child: sealed: ok",
      "child: capabilities dropped: ok",
      "child: turned off: EPERM",
      "child: moved once more: EPERM",
      "child: unmapped: EPERM",
      "parent: the child's status word is 0x0",
      "parent: moves its own: ok",
      "",
    ]);
  });
});

describe("sm-3: what was merged", () => {
  const config = (kernel: string): MachineOptions => ({ kernel, params: [SEALED] });
  it.each(["6.16", "6.18", "7.2"])(
    "sm-3 CONFIG_MSEAL_SYSTEM_MAPPINGS in %s: three areas, and smaps says sl",
    (kernel) => {
      const { machine } = started(idle(), config(kernel));
      expect(sealedNames(machine)).toEqual(SPECIAL);
      const flags = machine.task.mm
        .formatSmaps()
        .split("\n")
        .filter((line) => line.startsWith("VmFlags"));
      expect(flags.filter((line) => line.endsWith(" sl "))).toHaveLength(3);
    },
  );
  it("sm-3 before 6.15 there is no such option", () => {
    for (const kernel of ["6.10", "6.12", "6.14"])
      expect(() => started(idle(), config(kernel))).toThrow(
        `Linux ${kernel} has no such option, 6.16 is the first here`,
      );
    expect(
      sealedNames(started(idle(), { kernel: "6.12", params: ["CONFIG_MSEAL_SYSTEM_MAPPINGS=n"] }).machine),
    ).toEqual([]);
  });
  it("sm-3 no call turns it off: a checkpoint tool fails", () => {
    const host = new BufferHost();
    const machine = Machine.create({ host, memoryBytes: 32 << 20, ...config("6.18") });
    machine.load(findSample("checkpoint")!.build());
    machine.run();
    expect(host.text(1)).toContain("child: moved to their old place: EPERM\n");
    expect(host.text(1)).not.toContain("turned off");
  });
  it("sm-3 a kernel without it, as those that answered the tests, seals nothing", () => {
    for (const kernel of RELEASES)
      expect(sealedNames(started(idle(), { kernel: kernel.name }).machine)).toEqual([]);
  });
  it("sm-3 a refusal says who sealed", () => {
    const refusals: Refusal[] = [];
    const { machine } = started(unmapsVdso(), config("6.18"));
    machine.on("refusal", (refusal) => refusals.push(refusal));
    machine.run();
    expect(refusals[0]!.area).toMatchObject({
      name: "[vdso]",
      sealedBy: { by: "CONFIG_MSEAL_SYSTEM_MAPPINGS at exec" },
    });
  });
});

/** Unmaps its vDSO, whose address is AT_SYSINFO_EHDR's (33) in the auxiliary vector; started without environment. */
function unmapsVdso(): Program {
  const program = new Program().label("_start").code(`
      lea rbx, [rsp+8]
    .strings:
      add rbx, 8
      cmp qword ptr [rbx], 0
      jne .strings
      add rbx, 8
    .vector:
      add rbx, 16
      cmp qword ptr [rbx-8], 33
      jne .vector
      mov rdi, [rbx]
  `);
  return program.syscall(SYS.munmap, "rdi", 2 * PAGE).exit(0);
}

describe("--param", () => {
  const read = (...texts: string[]): unknown => readParameters(texts, DEFAULT_RELEASE, RELEASES);
  it("an unknown one lists the known", () => {
    const known = PARAMETERS.map(({ name }) => name).join(", ");
    expect(() => read("mseal.everything=on")).toThrow(
      `mseal.everything=on: no such parameter; there are ${known}`,
    );
    expect(() => read("")).toThrow("no such parameter");
  });
  it("an unknown value lists the values", () => {
    for (const text of ["vdso=2", "vdso=", "vdso"]) expect(() => read(text)).toThrow("vdso is one of 1, 0");
  });
  it("vdso=0 maps none", () => {
    const { machine } = started(idle(), { params: ["vdso=0"] });
    expect(machine.areas().some(({ name }) => SPECIAL.includes(name))).toBe(false);
  });
  it("each has both values, a text and a source", () => {
    for (const { name, values, text, source, since } of PARAMETERS) {
      for (const value of values) expect(() => read(`${name}=${value}`)).not.toThrow();
      expect(text.length * source.length).toBeGreaterThan(0);
      if (since !== undefined) expect(findRelease(since)).toBeDefined();
    }
  });
});
