import { Code } from "iced-x86";
import type { FormsProgram } from "../layout.js";
import { HandCases, scratch, type Memory, type Outputs } from "./hand-cases.js";

/** Where RSP is while a case runs. */
const TOP = scratch(0x200);
const AROUND: Memory = { offset: 0x200 - 40, length: 80 };

/** Runs a body on a stack of its own, filled with a pattern; RSP's distance from it is printed as R15. */
function onStack(cases: HandCases, title: string, body: string | (() => void), outputs: Outputs): void {
  const { program } = cases;
  const fill = program.unique("fill");
  const whole = (): void => {
    program.code(`
      mov edi, ${TOP - 64}
      mov rax, 0x1716151413121110
      mov ecx, 16
      ${fill}:
      mov [rdi], rax
      add rdi, 8
      rol rax, 7
      dec ecx
      jnz ${fill}
      mov r13, rsp
      mov esp, ${TOP}
      mov rax, 0x8877665544332211
      mov rbx, 0xffeeddccbbaa9988
      mov r9, 0x0123456789abcdef
      mov ebp, ${TOP + 16}
      mov esi, ${TOP - 24}
    `);
    if (typeof body === "string") program.code(body);
    else body();
    program.code(`mov r15, rsp\n mov rsp, r13\n lea r15, [r15-${TOP}]`);
  };
  cases.add(title, whole, { ...outputs, registers: ["r15", ...(outputs.registers ?? [])], memory: [AROUND] });
}

export function stack(): FormsProgram {
  const cases = new HandCases();
  const push = (title: string, body: string | (() => void)): void => {
    onStack(cases, title, body, {});
  };
  push("push rax", "push rax");
  push("push r9", "push r9");
  push("push ax", "push ax");
  push("push r9w", "push r9w");
  push("push rsp", "push rsp");
  push("push imm8", "push -3");
  push("push imm32", "push 0x12345678");
  push("push imm32 negative", "push -0x12345678");
  push("push m64", "push qword ptr [rsi]");
  push("push m16", "push word ptr [rsi]");
  push("push [rsp]", "push qword ptr [rsp+8]");
  for (const [title, code, operand] of [
    ["pushw imm8", Code.Pushw_imm8, "-5"],
    ["push imm16", Code.Push_imm16, "0x1234"],
    ["push rm64", Code.Push_rm64, "rbx"],
    ["push rm16", Code.Push_rm16, "bx"],
  ] as const) {
    push(title, () => cases.program.form(code, [operand]));
  }
  for (const flags of [0x202, 0xad7, 0x602]) {
    push(`pushfq ${flags}`, `push ${flags}\n popfq\n pushfq\n cld`);
    push(`pushfw ${flags}`, `push ${flags}\n popfq\n pushf\n cld`);
  }
  const pop = (
    title: string,
    body: string | (() => void),
    registers: readonly string[] = ["rbx", "r9"],
  ): void => {
    onStack(cases, title, body, { registers });
  };
  pop("pop rbx", "pop rbx");
  pop("pop r9", "pop r9");
  pop("pop bx", "pop bx");
  pop("pop r9w", "pop r9w");
  pop("pop rsp", `mov qword ptr [rsp], ${TOP - 8}\n pop rsp`);
  pop("pop m64", "pop qword ptr [rsi]");
  pop("pop m16", "pop word ptr [rsi]");
  // The address is computed with RSP as it is after the pop.
  pop("pop [rsp+8]", "pop qword ptr [rsp+8]");
  pop("pop [rsp]", "pop qword ptr [rsp]");
  pop("pop rm64", () => cases.program.form(Code.Pop_rm64, ["rbx"]));
  pop("pop rm16", () => cases.program.form(Code.Pop_rm16, ["bx"]));
  for (const value of [0, 0xad5, 0xffffffff - 0x100 - 0x40000, 0x4000, 0x200000]) {
    const name = value.toString(16);
    // TF and AC stay clear; IF, IOPL, VM and the reserved bits do not follow.
    pop(`popfq ${name}`, `mov eax, ${value}\n push rax\n popfq\n pushfq\n pop rbx\n push 0x202\n popfq`);
    pop(
      `popfw ${name}`,
      `mov eax, ${value & 0xfeff}\n push ax\n popf\n pushfq\n pop rbx\n push 0x202\n popfq`,
    );
  }
  for (const level of [0, 1, 2, 3, 31, 32]) {
    for (const size of [0, 8, 24]) {
      if (level > 3 && size > 0) continue;
      const up = level > 3 ? "lea rbp, [rbp+0x200]\n" : "";
      pop(`enter ${size}, ${level}`, `${up}enter ${size}, ${level}\n mov rbx, rbp`, ["rbx"]);
      pop(
        `enterw ${size}, ${level}`,
        () => {
          cases.program
            .code(up)
            .form(Code.Enterw_imm16_imm8, [String(size), String(level)])
            .code("mov rbx, rbp");
        },
        ["rbx"],
      );
    }
  }
  pop("leave", "leave\n mov rbx, rbp", ["rbx"]);
  pop("leavew", () => cases.program.form(Code.Leavew, []).code("mov rbx, rbp"), ["rbx"]);
  for (const value of ["0", "-1", "0x5500"]) {
    cases.add(`sahf, lahf ${value}`, `mov rax, ${value}\n sahf\n mov rbx, rax\n lahf`, {
      registers: ["rax"],
      flags: 0x8d5 & ~0x800,
    });
  }
  return cases.finish();
}
