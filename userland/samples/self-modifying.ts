import { at, RWX, sample } from "./sample.js";

/** Code that is changed between two runs of it, and while it runs. */
export const selfModifying = sample(
  "self-modifying",
  "code that is written over is run as it is then",
  (program) => {
    program.catchFaults().map(0, 1, RWX);
    for (const value of [1, 2, 3]) {
      // mov eax, value; ret
      program.store(at(0), 0xc300000000b8 + value * 0x100).callAt(at(0));
      program.print("call: ").printUnsigned("rax").print(" (").printFault().line(")");
    }
    // The instruction after the store is the one it changes.
    program.code(`
        mov ecx, 4
        xor esi, esi
      again:
        call changing
        add esi, eax
        dec ecx
        jnz again
    `);
    program.print("four calls that change the next instruction: ").printUnsigned("rsi").line("");
    program.exit(0);
    program.section("changing", { write: true, execute: true }).code(`
      changing:
        mov byte ptr [changed+1], cl
      changed:
        mov eax, 0
        ret
    `);
    program.section(".text");
  },
);
