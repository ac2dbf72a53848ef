import { describe, expect, it } from "vitest";
import { EACCES, EINVAL, ELOOP, ENOENT, ENOEXEC } from "../../../kernel/errno.js";
import { hello } from "../../../userland/samples/hello.js";
import { bareKernel } from "../bare-kernel.js";

const HELLO = hello.build();

function edited(...changes: [offset: number, ...bytes: number[]][]): Uint8Array {
  const bytes = HELLO.slice();
  for (const [offset, ...values] of changes) bytes.set(values, offset);
  return bytes;
}

/** The errno and phrase of a start that fails. */
function refusal(program: Uint8Array | string, mode?: number): { errno: number; fatal: boolean } {
  const machine = bareKernel();
  machine.add("/program", program, mode);
  const failure = machine.start("/program");
  if (failure === null) throw new Error("it started");
  return { errno: failure.errno, fatal: failure.fatal };
}

describe("execve", () => {
  it("runs a program", () => {
    const machine = bareKernel();
    machine.add("/program", HELLO);
    expect(machine.start("/program")).toBeNull();
    expect(machine.kernel.run(1000)).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
    expect(machine.output()).toMatch(/^hello/);
  });

  it("stops after exactly as many instructions as it may run", () => {
    const machine = bareKernel();
    machine.add("/program", HELLO);
    machine.start("/program");
    for (const count of [1, 2, 3]) {
      const before = machine.kernel.cpu.instructions;
      expect(machine.kernel.run(count).reason).toBe("budget");
      expect(machine.kernel.cpu.instructions - before).toBe(count);
    }
  });

  it("refuses what is no program of this machine", () => {
    expect(refusal("")).toEqual({ errno: ENOEXEC, fatal: false });
    expect(refusal("no program")).toEqual({ errno: ENOEXEC, fatal: false });
    expect(refusal(HELLO.slice(0, 40))).toEqual({ errno: ENOEXEC, fatal: false });
    // Truncated inside the program headers.
    expect(refusal(HELLO.slice(0, 100))).toEqual({ errno: ENOEXEC, fatal: false });
    // e_type ET_REL, e_machine AArch64, e_phentsize 55, e_phnum 0.
    expect(refusal(edited([16, 1, 0]))).toEqual({ errno: ENOEXEC, fatal: false });
    expect(refusal(edited([18, 183, 0]))).toEqual({ errno: ENOEXEC, fatal: false });
    expect(refusal(edited([54, 55, 0]))).toEqual({ errno: ENOEXEC, fatal: false });
    expect(refusal(edited([56, 0, 0]))).toEqual({ errno: ENOEXEC, fatal: false });
  });

  it("refuses what may not be executed", () => {
    expect(refusal(HELLO, 0o644)).toEqual({ errno: EACCES, fatal: false });
    const machine = bareKernel();
    expect(machine.start("/nothing")).toMatchObject({ errno: ENOENT });
    expect(machine.start("/tmp")).toMatchObject({ errno: EACCES });
  });

  it("kills the task when segments cannot be mapped: the old program is gone", () => {
    // p_filesz of the first segment larger than its p_memsz.
    const machine = bareKernel();
    machine.add("/program", edited([64 + 40, 1, 0, 0, 0, 0, 0, 0, 0]));
    expect(machine.start("/program")).toMatchObject({ errno: EINVAL, fatal: true });
    expect(machine.kernel.current.exitStatus).toEqual({ code: 0, signal: 11, core: false });
  });

  it("runs a script's interpreter with the script's path", () => {
    const machine = bareKernel();
    machine.add("/interpreter", HELLO);
    machine.add("/script", "#!/interpreter -x\n");
    machine.add("/loop", "#!/loop\n");
    expect(machine.start("/script", ["script", "one"])).toBeNull();
    const { mm, user } = machine.kernel.current;
    const [start, end] = [mm.layout.argStart, mm.layout.argEnd];
    const args = user.read(start, end - start);
    if (typeof args === "number") throw new Error("no arguments");
    expect(new TextDecoder().decode(args).split("\0")).toEqual(["/interpreter", "-x", "/script", "one", ""]);
    expect(machine.kernel.current.comm).toBe("script");
    expect(machine.start("/loop")).toMatchObject({ errno: ELOOP });
  });
});
