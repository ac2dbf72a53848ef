/*
 * prctl(PR_SET_SEAL_HOOK, const struct sock_fprog *program, 0, 0, 0): attaches a program to the caller's address space
 * that may lift refusals by seals. Only in sealing models that take one (docs/models.md); no Linux has it.
 *
 * Refuses, in this order:
 *   EINVAL  the model takes no program; an argument that is not 0
 *   EPERM   a program is attached already: it stays
 *   EFAULT  the sock_fprog cannot be read
 *   EINVAL  no instructions, or more than 4096
 *   EFAULT  the instructions cannot be read
 *   EINVAL  the program does not pass verifyBpf
 *
 * prctl(PR_GET_SEAL_HOOK, 0, 0, 0, 0): how many instructions the program has; 0: there is none.
 */
import { BPF_INSTRUCTION_BYTES, BPF_MAX_INSTRUCTIONS, decodeBpf } from "../kernel/bpf/instruction.js";
import { verifyBpf, type BpfMistake } from "../kernel/bpf/verify.js";
import { EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { CONTEXT_BYTES } from "../kernel/mm/sealing/program-judge.js";
import type { SyscallCall } from "./call.js";

export const PR_SET_SEAL_HOOK = 0x5345_414c;
export const PR_GET_SEAL_HOOK = 0x5345_414d;

/** struct sock_fprog: a length in instructions, and a pointer at offset 8. */
const FPROG_BYTES = 16;

export function setSealHook(call: SyscallCall): number {
  const { mm, user } = call;
  const { sealing } = mm.env;
  if (sealing.attached === undefined || !unused(call, 2)) return -EINVAL;
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`prctl.${rule}`, errno, () => ({
      text,
      source: "PR_SET_SEAL_HOOK",
      applied: "nothing is attached",
    }));
  if (sealing.attach === undefined)
    return mm.refuse("prctl.hook-attached", EPERM, () => ({
      text: "a program is attached already, for good",
      source: "PR_SET_SEAL_HOOK",
    }));
  const head = user.read(call.word(1), FPROG_BYTES);
  if (typeof head === "number") return refuse("hook-address", EFAULT, "the sock_fprog cannot be read");
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const length = view.getUint16(0, true);
  const wrong = (mistake: BpfMistake): number => {
    const where = mistake.at === null ? "" : `instruction ${mistake.at}: `;
    return refuse("hook-program", EINVAL, where + mistake.text);
  };
  if (length === 0 || length > BPF_MAX_INSTRUCTIONS)
    return wrong({ at: null, text: `${length} instructions; 1 to ${BPF_MAX_INSTRUCTIONS} are permitted` });
  const bytes = user.read(view.getBigUint64(8, true), length * BPF_INSTRUCTION_BYTES);
  if (typeof bytes === "number") return refuse("hook-address", EFAULT, "the instructions cannot be read");
  const program = decodeBpf(bytes);
  const mistake = verifyBpf(program, CONTEXT_BYTES);
  if (mistake !== null) return wrong(mistake);
  mm.env.sealing = sealing.attach(program);
  return 0;
}

export function sealHookLength(call: SyscallCall): number {
  const { attached } = call.mm.env.sealing;
  return attached === undefined || !unused(call, 1) ? -EINVAL : attached;
}

/** The arguments from that position on are 0. */
function unused(call: SyscallCall, from: number): boolean {
  for (let i = from; i < 5; i++) if (call.n(i) !== 0) return false;
  return true;
}
