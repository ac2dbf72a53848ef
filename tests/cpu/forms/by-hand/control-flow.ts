import { Code } from "iced-x86";
import type { FormsProgram } from "../layout.js";
import { HandCases, scratch } from "./hand-cases.js";

const CONDITIONS = ["o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"];

/** Each combination of CF, PF, ZF, SF and OF. */
function flagCombinations(): number[] {
  const bits = [0x1, 0x4, 0x40, 0x80, 0x800];
  return Array.from({ length: 32 }, (_, i) =>
    bits.reduce((sum, bit, at) => ((i >> at) & 1 ? sum | bit : sum), 0x202),
  );
}

/** One bit of RBX for each combination of flags: whether the branch was taken. */
function conditional(cases: HandCases, condition: string, short: boolean): void {
  const { program } = cases;
  const [loop, taken, next] = [program.unique("loop"), program.unique("taken"), program.unique("next")];
  cases.add(
    `j${condition} ${short ? "short" : "near"}`,
    `
      xor ebx, ebx
      xor r12d, r12d
      lea rsi, [flag_combinations]
      ${loop}:
      push qword ptr [rsi+r12*8]
      popfq
      j${condition} ${short ? "short " : ""}${taken}
      jmp ${next}
      ${taken}:
      bts rbx, r12
      ${next}:
      inc r12d
      cmp r12d, 32
      jne ${loop}
    `,
    { registers: ["rbx"] },
  );
}

const LOOPS = [
  ["loop", Code.Loop_rel8_64_RCX, Code.Loop_rel8_64_ECX],
  ["loope", Code.Loope_rel8_64_RCX, Code.Loope_rel8_64_ECX],
  ["loopne", Code.Loopne_rel8_64_RCX, Code.Loopne_rel8_64_ECX],
] as const;

const COUNTS = [1n, 2n, 5n, 0x100000001n, 0x100000002n, 0x80000000n, 0n];

/** Goes round at most seven times, so that a count of zero (which is the largest) ends too. */
function loops(cases: HandCases): void {
  for (const [name, ...codes] of LOOPS) {
    for (const [size, code] of codes.entries()) {
      for (const count of COUNTS) {
        for (const flags of [0x202, 0x242, 0x2d7]) {
          const { program } = cases;
          const [again, on] = [program.unique("again"), program.unique("on")];
          const body = (): void => {
            program.code(`
              mov rcx, ${count}
              xor ebx, ebx
              jmp ${on}
              ${again}:
              inc ebx
              cmp ebx, 7
              je ${on}_end
              ${on}:
              push ${flags}
              popfq
            `);
            program.form(code, [again]);
            program.label(`${on}_end`);
          };
          const title = `${name} with ${size === 0 ? "rcx" : "ecx"} ${count.toString(16)}, flags ${flags.toString(16)}`;
          cases.add(title, body, { registers: ["rbx", "rcx"], flags: 0x8d5 });
        }
      }
    }
  }
  for (const [name, code] of [
    ["jrcxz", Code.Jrcxz_rel8_64],
    ["jecxz", Code.Jecxz_rel8_64],
  ] as const) {
    for (const count of [0n, 1n, 0x100000000n, -1n]) {
      const { program } = cases;
      const taken = program.unique("taken");
      const body = (): void => {
        program.code(`mov rcx, ${count}\n mov ebx, 1`).form(code, [taken]).code("mov ebx, 2").label(taken);
      };
      cases.add(`${name} with ${count.toString(16)}`, body, { registers: ["rbx", "rcx"] });
    }
  }
}

function calls(cases: HandCases): void {
  const { program } = cases;
  const pop = "mov rdx, [rsp]\n sub rdx, rsi\n mov rbx, rsp\n sub rbx, r13\n inc ecx\n ret";
  for (const [title, call, ret] of [
    ["call rel32", "call $", pop],
    ["call r64", "lea rax, [$]\n call rax", pop],
    ["call r64 with REX", "lea r9, [$]\n call r9", pop],
    ["call rsp-relative memory", "lea rax, [$]\n push rax\n call qword ptr [rsp]\n pop rax", pop],
    ["call m64", `lea rax, [$]\n mov [${scratch(0)}], rax\n call qword ptr [${scratch(0)}]`, pop],
    ["ret imm16", "push 1\n push 2\n call $", pop.replace("ret", "ret 16")],
  ] as const) {
    const [target, after] = [program.unique("target"), program.unique("after")];
    cases.add(
      title,
      `
        xor ecx, ecx
        mov r13, rsp
        lea rsi, [${after}]
        ${call.replace("$", target)}
        ${after}:
        jmp ${after}_end
        ${target}:
        ${ret}
        ${after}_end:
        mov r12, rsp
        sub r12, r13
        mov rsp, r13
      `,
      { registers: ["rbx", "rcx", "r12"] },
    );
  }
  for (const [title, jump] of [
    ["jmp rel8", "jmp short $"],
    ["jmp rel32", "jmp $"],
    ["jmp r64", "lea rax, [$]\n jmp rax"],
    ["jmp m64", `lea rax, [$]\n mov [${scratch(0)}], rax\n mov ebx, ${scratch(0)}\n jmp qword ptr [rbx]`],
    ["push and ret", "lea rax, [$]\n push rax\n ret"],
    ["push and ret 0", "lea rax, [$]\n push rax\n ret 0"],
  ] as const) {
    const target = program.unique("target");
    cases.add(title, `xor ecx, ecx\n ${jump.replace("$", target)}\n mov ecx, 7\n ${target}:\n inc ecx`, {
      registers: ["rcx"],
    });
  }
}

export function controlFlow(): FormsProgram {
  const cases = new HandCases();
  cases.program.within(".rodata", () =>
    cases.program
      .align(8)
      .label("flag_combinations")
      .u64(...flagCombinations()),
  );
  for (const condition of CONDITIONS) {
    conditional(cases, condition, false);
    conditional(cases, condition, true);
  }
  loops(cases);
  calls(cases);
  return cases.finish();
}
