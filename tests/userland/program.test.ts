import { describe, expect, it } from "vitest";
import { AssemblerError, Program, SIGNAL, SYS } from "../../userland/index.js";
import { hostRunsPrograms, runNative } from "./native.js";

function run(write: (program: Program) => void, options = {}): [output: string, status: number | null] {
  const program = new Program().label("_start") as Program;
  write(program);
  const { stdout, status } = runNative(program.build(options));
  return [stdout.toString(), status];
}

describe("Program", () => {
  it("refuses a syscall argument that an earlier one overwrites", () => {
    expect(() => new Program().syscall(SYS.write, 1, "rdi", 2)).toThrow(AssemblerError);
    expect(() => new Program().syscall(SYS.write, "rdi", "rsi", "rdx")).not.toThrow();
  });
});

describe.skipIf(!hostRunsPrograms)("Program on the host", () => {
  it("prints numbers", () => {
    const values = [0n, 1n, 9n, 10n, 1n << 63n, -1n, -4096n, -1234567890123n];
    const [output, status] = run((program) => {
      for (const value of values) {
        program.printUnsigned(value).print(" ").printSigned(value).print(" ").printHex(value).line("");
      }
      program.exit(42);
    });
    const lines = values.map((value) => {
      const unsigned = BigInt.asUintN(64, value);
      return `${unsigned} ${BigInt.asIntN(64, value)} 0x${unsigned.toString(16)}\n`;
    });
    expect(output).toBe(lines.join(""));
    expect(status).toBe(42);
  });

  it("prints what system calls came to", () => {
    const [output] = run((program) => {
      for (const result of [0, 4096, -1, -12, -22, -38, -77, -4095]) program.printErrno(result).print(" ");
      program.line("").exit(0);
    });
    expect(output).toBe("ok ok EPERM ENOMEM EINVAL ENOSYS error? error? \n");
  });

  it("keeps registers and flags when it prints", () => {
    const [output] = run((program) => {
      program.code(
        "mov eax, 1\n mov ecx, 2\n mov edx, 3\n mov esi, 4\n mov edi, 5\n mov r11d, 6\n std\n stc",
      );
      program.line("x").printHex("rcx").line("");
      program.code("pushfq\n pop rbx\n and ebx, 0x401\n cld");
      for (const register of ["rax", "rcx", "rdx", "rsi", "rdi", "r11", "rbx"])
        program.printHex(register).print(" ");
      program.line("").exit(0);
    });
    expect(output).toBe("x\n0x2\n0x1 0x2 0x3 0x4 0x5 0x6 0x401 \n");
  });

  it("goes on after faults, and says which", () => {
    const [output, status] = run((program) => {
      program.catchFaults();
      for (const text of [
        "nop",
        "xor eax, eax\n mov [rax], al",
        "mov [_start], al",
        "mov rax, 0x8000000000000000\n mov al, [rax]",
        "ud2",
        "int3",
        "xor ecx, ecx\n div ecx",
        "push rax\n push rax\n hlt",
      ]) {
        program.attempt(() => program.code(text));
        program.printFault().line("");
      }
      program.code("ud2");
    });
    expect(output.split("\n")).toEqual([
      "ok",
      "SIGSEGV SEGV_MAPERR",
      "SIGSEGV SEGV_ACCERR",
      "SIGSEGV SI_KERNEL",
      "SIGILL ILL_ILLOPN",
      "SIGTRAP SI_KERNEL",
      "SIGFPE FPE_INTDIV",
      "SIGSEGV SI_KERNEL",
      "",
    ]);
    expect(status).toBe(128 + SIGNAL.SIGILL);
  });

  it("runs as a static-pie", () => {
    const [output, status] = run(
      (program) => {
        program.catchFaults().print("anywhere: ");
        program.attempt(() => program.code("ud2"));
        program.printFault().line("").exit(7);
      },
      { type: "static-pie" },
    );
    expect([output, status]).toEqual(["anywhere: SIGILL ILL_ILLOPN\n", 7]);
  });
});
