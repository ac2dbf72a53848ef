import { PROT, SYS } from "../linux.js";
import { at, PAGE, RW, RX, sample } from "./sample.js";

const CONTENT = 0x1234;

/** Read-only data that a discard would turn into zeroes, without and with a seal. */
export const sealedRodata = sample(
  "sealed-rodata",
  "a discard zeroes read-only data, unless it is sealed",
  (program) => {
    program.requireMseal().catchFaults();
    for (const how of ["unsealed", "sealed"]) {
      program.map(0, 1, RW).store(at(0), CONTENT).protect(0, 1, PROT.READ);
      if (how === "sealed") program.seal(0, 1).report("mseal: ");
      program.discard(0, 1).report(`${how}: madvise(DONTNEED): `);
      program.load("rbx", at(0)).code("mov rax, [rbx]");
      program.print(`${how}: the data is `).printHex("rax").line("");
    }
  },
);

/** Patching code by making its page writable, without and with a seal. */
export const sealedText = sample(
  "sealed-text",
  "code can be patched after an mprotect, unless it is sealed",
  (program) => {
    program.requireMseal().catchFaults();
    for (const how of ["unsealed", "sealed"]) {
      const text = `${how}_text`;
      program.section(text, { execute: true }).code(`${how}_function: mov eax, 1\n ret`).section(".text");
      const size = PAGE;
      if (how === "sealed") {
        program.syscall(SYS.mseal, `${how}_function`, size, 0).report("mseal: ");
      }
      program
        .syscall(SYS.mprotect, `${how}_function`, size, RX | RW)
        .report(`${how}: mprotect(READ|WRITE|EXEC): `);
      program.attempt(() => program.code(`mov byte ptr [${how}_function+1], 2`));
      program.print(`${how}: a write to the code: `).printFault().line("");
      program.code(`call ${how}_function`);
      program.print(`${how}: the function gives `).printUnsigned("rax").line("");
    }
  },
);

/** [rw rw][sealed sealed][rw rw]: which pages an mprotect over all of it has changed when the seal stops it. */
export const partialMprotect = sample(
  "partial-mprotect",
  "mprotect across a sealed middle changes what lies before it",
  (program) => {
    program.requireMseal().catchFaults();
    program.map(0, 6, RW).seal(2, 2).report("mseal of pages 2 and 3: ");
    program.protect(0, 6, PROT.READ).report("mprotect(READ) of pages 0 to 5: ");
    for (let page = 0; page < 6; page++) {
      program.touch(at(page)).print(`page ${page}: a write: `).printFault().line("");
    }
  },
);

/** The same areas under munmap: a seal anywhere in the range and nothing goes. */
export const munmapAllOrNothing = sample(
  "munmap-all-or-nothing",
  "munmap across a sealed middle removes nothing",
  (program) => {
    program.requireMseal().catchFaults();
    program.map(0, 6, RW).seal(2, 2).report("mseal of pages 2 and 3: ");
    program.unmap(0, 6).report("munmap of pages 0 to 5: ");
    for (let page = 0; page < 6; page++) {
      program.touch(at(page)).print(`page ${page}: a write: `).printFault().line("");
    }
    program.unmap(0, 2).report("munmap of pages 0 and 1: ");
    program.unmap(4, 2).report("munmap of pages 4 and 5: ");
    for (const page of [0, 2, 5])
      program.peek(at(page)).print(`page ${page}: a read: `).printFault().line("");
  },
);

/** brk has no errno to give: a refused shrink shows as a break that stays. */
export const sealedHeap = sample("sealed-heap", "brk cannot shrink over a sealed page", (program) => {
  program.requireMseal().catchFaults();
  program.code(`
      mov eax, ${SYS.brk}
      xor edi, edi
      syscall
      mov r12, rax
      add r12, 4095
      and r12, -4096
  `);
  const breakAt = (pages: number, text: string): void => {
    program.code(
      `lea rdi, [r12+${pages * PAGE}]\n mov eax, ${SYS.brk}\n syscall\n sub rax, r12\n shr rax, 12`,
    );
    program.print(`${text}: the heap has `).printUnsigned("rax").line(" pages");
  };
  breakAt(4, "brk up");
  program.code(`lea rbx, [r12+${PAGE}]`).syscall(SYS.mseal, "rbx", PAGE, 0).report("mseal of page 1: ");
  breakAt(2, "brk down above the seal");
  breakAt(0, "brk down over the seal");
  breakAt(6, "brk up again");
  program.code("mov rbx, r12");
  program.attempt(() => program.code(`lock or byte ptr [rbx+${PAGE}], 0`));
  program.print("page 1: a write: ").printFault().line("");
});
