import type { Assembler } from "../assembler.js";
import { SI_CODES, SIGNAL, SYS } from "../linux.js";

/** The signals that an instruction can raise. */
export const HANDLED: readonly number[] = Object.values(SIGNAL);

/** What a signal handler returns to. */
export const restorer = "signal_restorer";

/** Names of what {@link faultHandler} puts into the program. */
export const FAULT = {
  handler: "fault_handler",
  printer: "print_fault",
  /** u32 si_signo (0: no fault), u32 si_code, u32 si_pkey, u32 zero, u64 si_addr, u64 RIP, u64 error code. */
  record: "fault_record",
  recoverRip: "fault_recover_rip",
  recoverRsp: "fault_recover_rsp",
} as const;

/** Offsets in Linux's siginfo_t and ucontext_t (asm/siginfo.h, asm/ucontext.h, asm/sigcontext.h). */
export const SIGINFO = { code: 8, addr: 16, pkey: 32 } as const;
const UCONTEXT = { rax: 144, rsp: 160, rip: 168, eflags: 176, err: 192 } as const;

/** TF: left set, it would stop the program again behind the attempt. */
const TRAP_FLAG = 0x100;

/** What of a program the printer is made with. */
export interface PrintingAssembler extends Assembler {
  print(text: string): this;
  printUnsigned(value: string): this;
}

/** Notes the fault and, inside an attempt, sends the interrupted code on behind it. */
export function faultHandler(program: Assembler): void {
  program.code(`
    ${FAULT.handler}:
      mov [${FAULT.record}], edi
      mov eax, [rsi+${SIGINFO.code}]
      mov [${FAULT.record}+4], eax
      mov eax, [rsi+${SIGINFO.pkey}]
      mov [${FAULT.record}+8], eax
      mov rax, [rsi+${SIGINFO.addr}]
      mov [${FAULT.record}+16], rax
      mov rax, [rdx+${UCONTEXT.rip}]
      mov [${FAULT.record}+24], rax
      mov rax, [rdx+${UCONTEXT.err}]
      mov [${FAULT.record}+32], rax
      mov rax, [${FAULT.recoverRip}]
      test rax, rax
      jz .fault_unexpected
      mov [rdx+${UCONTEXT.rip}], rax
      mov rax, [${FAULT.recoverRsp}]
      mov [rdx+${UCONTEXT.rsp}], rax
      and dword ptr [rdx+${UCONTEXT.eflags}], ${~TRAP_FLAG}
      ret
    .fault_unexpected:
      add edi, 128
      mov eax, ${SYS.exit_group}
      syscall
  `);
  program.within(".bss", () => {
    program.align(8).label(FAULT.record).reserve(40);
    program.label(FAULT.recoverRip).reserve(8);
    program.label(FAULT.recoverRsp).reserve(8);
  });
}

/** A routine that prints the record; keeps every register and flag. */
export function faultPrinter(program: PrintingAssembler): void {
  program.code(`
    ${FAULT.printer}:
      pushfq
      push rax
      mov eax, [${FAULT.record}]
      cmp eax, 0
      jne .fault_any
  `);
  program.print("ok");
  program.code("jmp .fault_printed\n .fault_any:");
  for (const [name, number] of Object.entries(SIGNAL) as [keyof typeof SIGNAL, number][]) {
    const other = program.unique("other");
    program.code(`cmp dword ptr [${FAULT.record}], ${number}\n jne ${other}`);
    program.print(`${name} `);
    for (const [code, codeName] of Object.entries(SI_CODES[name])) {
      const next = program.unique("next");
      program.code(`cmp dword ptr [${FAULT.record}+4], ${code}\n jne ${next}`);
      program.print(codeName);
      if (codeName === "SEGV_PKUERR") {
        program.print(", key ").code(`mov eax, [${FAULT.record}+8]`).printUnsigned("rax");
      }
      program.code("jmp .fault_printed");
      program.label(next);
    }
    program.label(other);
  }
  program.code(`
    .fault_printed:
      pop rax
      popfq
      ret
  `);
}
