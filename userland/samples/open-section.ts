import { SYS } from "../linux.js";
import { PAGE, RW, RX, sample, type SampleProgram } from "./sample.js";

const READ = 1;

function protect(program: SampleProgram, label: string, prot: number): SampleProgram {
  program.load("rdi", label).code(`and rdi, ${-PAGE}`);
  return program.syscall(SYS.mprotect, "rdi", PAGE, prot);
}

/**
 * What a system has sealed of a program before its first instruction, and the section that it leaves open for the
 * program to write once, make read-only and seal (OpenBSD's `.openbsd.mutable`).
 */
export const openSection = sample(
  "open-section",
  "a program changes its own segments: where the system seals them at exec, only one section is left open",
  (program) => {
    program.requireMseal().catchFaults();
    program.section(".data").align(8).label("data").reserve(8);
    program
      .section(".openbsd.mutable", { write: true })
      .label("open")
      .u64(7)
      .reserve(PAGE - 8);
    program.section(".text");
    protect(program, "_start", RX).report("mprotect of the text to what it is: ");
    protect(program, "data", RW).report("mprotect of the data to what it is: ");
    protect(program, "rsp", RW).report("mprotect of the stack to what it is: ");
    program.code("mov qword ptr [open], 8");
    protect(program, "open", READ).report("mprotect(READ) of the open section: ");
    program.syscall(SYS.mseal, "open", PAGE, 0).report("mseal of it: ");
    protect(program, "open", RW).report("mprotect(READ|WRITE) of it: ");
    program.code("mov rax, [open]").print("it holds ").printUnsigned("rax").line("");
  },
);
