import { MAP, MREMAP, PROT, SYS } from "../linux.js";
import { ANONYMOUS, at, PAGE, RW, sample, type Sample, type SampleProgram } from "./sample.js";

const CONTENT = 0x5ea1;
const PAGES = 2;

/**
 * Makes a call on memory without a seal, then on the same memory with one, and looks what is left. The call without
 * the seal shows that it is the seal, and nothing else, that refuses.
 */
function refusal(
  name: string,
  call: string,
  needsKeys: boolean,
  make: (program: SampleProgram) => void,
): Sample {
  const write = (program: SampleProgram): void => {
    program.requireMseal().catchFaults();
    if (needsKeys) program.allocateKey(0).code("mov r12, rax");
    program.map(0, PAGES, RW).store(at(0), CONTENT);
    make(program);
    program.report(`unsealed: ${call}: `);
    program.map(0, PAGES, RW).store(at(0), CONTENT);
    program.seal(0, PAGES).report("mseal: ");
    make(program);
    program.report(`sealed: ${call}: `);
    program.attempt(() => program.load("rbx", at(0)).code("mov rax, [rbx]"));
    program.print("read: ").printFault().print(", ").printHex("rax").line("");
    program.touch(at(0)).print("write: ").printFault().line("");
  };
  return sample(name, `a seal refuses ${call}`, write, { needsKeys });
}

export const refusedMunmap = refusal("refused-munmap", "munmap", false, (program) => {
  program.unmap(0, PAGES);
});

export const refusedMprotect = refusal("refused-mprotect", "mprotect", false, (program) => {
  program.protect(0, PAGES, PROT.READ);
});

export const refusedMremap = refusal("refused-mremap", "mremap", false, (program) => {
  program.syscall(SYS.mremap, at(0), PAGES * PAGE, PAGES * PAGE, MREMAP.MAYMOVE | MREMAP.FIXED, at(8));
});

export const refusedMapFixed = refusal("refused-map-fixed", "mmap MAP_FIXED", false, (program) => {
  program.syscall(SYS.mmap, at(0), PAGE, RW, ANONYMOUS | MAP.FIXED, -1, 0);
});

export const refusedPkeyMprotect = refusal("refused-pkey-mprotect", "pkey_mprotect", true, (program) => {
  program.syscall(SYS.pkey_mprotect, at(0), PAGES * PAGE, RW, "r12");
});
