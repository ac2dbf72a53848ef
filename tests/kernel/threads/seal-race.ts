import { MADV, MAP, PROT, SYS } from "../../../userland/linux.js";
import { Program } from "../../../userland/program.js";
import { endThread, joinThread, startThread } from "../../../userland/runtime/threads.js";

const PAGE = 4096;
export const AREA = 0x5ea10000;
export const PAGES = 8;
/** Read-only from the start, and sealed by the first seal of all. */
export const KEPT = 3;
export const CONTENT = 0x5ea1_ed5e_a1ed;
const ROUNDS = 24;
const RW = PROT.READ | PROT.WRITE;
const RIP = 168;
/** Bytes of `mov [rbx], rax`, which a refused write is stepped over by. */
const STORE_BYTES = 3;

/**
 * Threads over one region of eight pages: one seals it page by page while the others store to it, unmap and map it
 * anew, change its protection, and discard it. Page 3 holds a number, is read-only, and is sealed before the race.
 * Prints what page 3 holds and how each kind of call has ended, added up; the sums depend on the interleaving.
 */
export function sealRace(): Uint8Array {
  const program = new Program();
  program.label("_start").onSignal(11, "on_fault").onSignal(7, "on_fault");
  program.syscall(SYS.mmap, AREA, PAGES * PAGE, RW, MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED, -1, 0);
  program.code(`mov rbx, ${AREA + KEPT * PAGE}\n mov rax, ${CONTENT}\n mov [rbx], rax`);
  program.syscall(SYS.mprotect, AREA + KEPT * PAGE, PAGE, PROT.READ);
  program.syscall(SYS.mseal, AREA + KEPT * PAGE, PAGE, 0);
  const threads = ["sealer", "writer", "unmapper", "protector", "discarder"];
  const words = threads.map((name) => startThread(program, name));
  for (const word of words) joinThread(program, word);
  program.code(`mov rbx, ${AREA + KEPT * PAGE}\n mov rax, [rbx]`);
  program.print("page 3 holds ").printHex("rax").line("");
  for (const counter of ["faults", "sealed", "refused", "done"])
    program.code(`mov rax, [${counter}]`).print(`${counter} `).printUnsigned("rax").line("");
  program.exit(0);

  for (const counter of ["faults", "sealed", "refused", "done"])
    program.within(".bss", () => program.align(8).label(counter).reserve(8));
  program.code(`
    on_fault:
      lock inc qword ptr [faults]
      add qword ptr [rdx+${RIP}], ${STORE_BYTES}
      ret
    count:
      test rax, rax
      js .was_refused
      lock inc qword ptr [done]
      ret
    .was_refused:
      lock inc qword ptr [refused]
      ret
  `);

  loop(program, "sealer", PAGES, () => {
    program.code(`mov eax, ${SYS.mseal}\n mov rdi, r13\n mov esi, ${PAGE}\n xor edx, edx\n syscall`);
    program.code("test rax, rax\n js .no_seal\n lock inc qword ptr [sealed]\n .no_seal:");
    // Lets the others have a few goes at a region that is partly sealed.
    program.code("mov ecx, 200\n .wait: pause\n dec ecx\n jnz .wait");
  });
  loop(program, "writer", ROUNDS * 4, () => program.code("mov rbx, r13\n mov rax, r12\n mov [rbx], rax"));
  loop(program, "unmapper", ROUNDS, () => {
    program.syscall(SYS.munmap, "r13", PAGE).code("call count");
    program
      .syscall(SYS.mmap, "r13", PAGE, RW, MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED, -1, 0)
      .code("call count");
  });
  loop(program, "protector", ROUNDS, () => {
    program.syscall(SYS.mprotect, "r13", 2 * PAGE, PROT.READ).code("call count");
    program.syscall(SYS.mprotect, "r13", PAGE, RW).code("call count");
  });
  loop(program, "discarder", ROUNDS, () =>
    program.syscall(SYS.madvise, "r13", 2 * PAGE, MADV.DONTNEED).code("call count"),
  );
  return program.build();
}

/** A thread that does something `times` times, R13 going round the region's pages and R12 counting. */
function loop(program: Program, name: string, times: number, body: () => void): void {
  program.label(name).code("xor r12d, r12d");
  const again = program.unique("round");
  program.code(`
    ${again}:
    mov r13, r12
    and r13, ${PAGES - 1}
    shl r13, 12
    add r13, ${AREA}
  `);
  body();
  program.code(`inc r12\n cmp r12, ${times}\n jb ${again}`);
  endThread(program);
}
