import { describe, expect, it } from "vitest";
import { sealab } from "./command.js";

describe("sealab run --seal-elf", () => {
  it("a refusal says that it was sealed at exec", () => {
    const { stdout, stderr } = sealab(["run", "--seal-elf", "--explain", "--sample", "open-section"]);
    expect(stdout).toContain("mprotect of the text to what it is: EPERM\n");
    expect(stderr).toContain("by --seal-elf at exec, at instruction 0, thread 1000");
  });
  it("marked: nothing of a program that is not", () => {
    const { stdout } = sealab(["run", "--seal-elf=marked", "--sample", "open-section"]);
    expect(stdout).toContain("mprotect of the text to what it is: ok\n");
  });
  it("GLIBC_TUNABLES of the program turns it off", () => {
    const env = ["--env", "GLIBC_TUNABLES=glibc.rtld.seal=0"];
    expect(sealab(["run", "--seal-elf", ...env, "--sample", "open-section"]).stdout).not.toContain(
      "is: EPERM",
    );
  });
  it("another value is a mistake", () => {
    const { stderr, status } = sealab(["run", "--seal-elf=some", "--sample", "hello"]);
    expect(stderr).toBe("sealab: --seal-elf=some: not one of all, marked (sealab --help)\n");
    expect(status).toBe(2);
  });
});

describe("sealab run --param", () => {
  it("may be repeated, and the last one about a thing holds", () => {
    const params = ["--param", "mseal.special_mappings=on", "--param", "exec.seal_system_mappings=no"];
    expect(
      sealab(["run", "--param", "mseal.special_mappings=on", "--sample", "checkpoint"]).stdout,
    ).toContain("the tool moves its own: EPERM\n");
    expect(sealab(["run", ...params, "--sample", "checkpoint"]).stdout).toContain(
      "the tool moves its own: ok\n",
    );
  });
  it("an unknown one lists the known, another value the values, before the program starts", () => {
    const unknown = sealab(["run", "--param", "mseal.all=on", "--sample", "hello"]);
    expect(unknown.stderr).toMatch(
      /^sealab: --param mseal\.all=on: no such parameter; there are CONFIG_MSEAL_SYSTEM_MAPPINGS, mseal\.special_mappings, .*\n$/,
    );
    expect([unknown.stdout, unknown.status]).toEqual(["", 2]);
    expect(sealab(["run", "--param", "vdso=maybe", "--sample", "hello"]).stderr).toBe(
      "sealab: --param vdso=maybe: vdso is one of 1, 0 (sealab --help)\n",
    );
  });
  it("what the release has not is refused", () => {
    const args = [
      "run",
      "--kernel",
      "6.12",
      "--param",
      "CONFIG_MSEAL_SYSTEM_MAPPINGS=y",
      "--sample",
      "hello",
    ];
    expect(sealab(args).stderr).toContain("Linux 6.12 has no such option, 6.16 is the first here");
  });
});

describe("sealab compare", () => {
  it("takes both", () => {
    const { stdout } = sealab([
      ...[
        "compare",
        "--sample",
        "--sealing",
        "linux,xnu-permanent",
        "--seal-elf",
        "--param",
        "vdso=0",
        "open-section",
      ],
    ]);
    expect(stdout).toContain("mprotect");
    expect(sealab(["compare", "--sample", "--param", "x=1", "hello"]).status).toBe(2);
  });
  it("what OpenBSD's exec closes is where its model parts from Linux's", () => {
    const { stdout } = sealab([
      "compare",
      "--sample",
      "--sealing",
      "linux,mimmutable,mimmutable:asked",
      "open-section",
    ]);
    expect(stdout).toContain("mprotect of the stack to what it is: EPERM");
  });
});

describe("sealab models", () => {
  it("tells what OpenBSD's exec does, and the option without it", () => {
    const { stdout } = sealab(["models", "mimmutable"]);
    for (const text of ["  exec\n", "  loader\n", "  mutable\n", "mimmutable:asked\n"])
      expect(stdout).toContain(text);
  });
});
