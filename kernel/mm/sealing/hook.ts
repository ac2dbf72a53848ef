import type { BpfProgram } from "../../bpf/instruction.js";
import { HookedModel } from "./hooked-model.js";
import { linux, linuxSealing } from "./linux.js";
import { ProgramJudge } from "./program-judge.js";
import { rulesOf } from "./rules.js";
import type { SealingDesign, SealingModel } from "./sealing-model.js";

/** Kept with seals that were made while a program was attached. */
const UNDER_PROGRAM = 0x4000_0000;

const PROPOSED = "Pedro Falcato in the thread on v3, linux-mm, December 2023; never implemented";
const rule = rulesOf("sealab: the idea leaves it open");

const ATTACH = rule(
  "attach",
  "a program attached to the address space is asked of each refusal by a seal, and may permit the call after all; all else stays as it is",
  PROPOSED,
);
const PROGRAM = rule(
  "program",
  "the program is classic BPF, attached with prctl(0x5345414c, struct sock_fprog *, 0, 0, 0) and checked before as seccomp checks its filters: what it reads, where it jumps, how it ends; 4096 instructions at most",
);
const ANSWER = rule(
  "answer",
  "1 permits, 0 lets the refusal stand, and so does any other answer or a division by zero, which the refusal then tells of",
);
const ONCE = rule(
  "once",
  "a program is attached once, for good, and decides only of areas that are sealed after that; who takes control later cannot lift a seal",
);
const INHERIT = rule("inherit", "a forked child has the program too; exec takes it away");

function model(name: string): SealingModel {
  return {
    ...linuxSealing,
    name,
    attached: 0,
    attach(program: BpfProgram) {
      return new HookedModel(name, this, new ProgramJudge(program), UNDER_PROGRAM, program.length);
    },
  };
}

/** Mainline's rules, and a program of the guest's own that may lift refusals. */
export const hook: SealingDesign = {
  name: "hook",
  title: "mainline's rules, and a BPF program of the process that may lift a refusal",
  source: PROPOSED,
  options: [],
  rules: [...linux.rules, ATTACH, PROGRAM, ANSWER, ONCE, INHERIT],
  create: model,
};
