import { expect, it } from "vitest";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { Machine } from "../../../../debug/machine.js";
import { ENOSYS, EPERM } from "../../../../kernel/errno.js";
import { Program } from "../../../../userland/program.js";

/* Rules about what sealab has not: it is to be refused as on a kernel that was built without it (docs/deviations.md). */

const IO_SETUP = 206;
const IO_DESTROY = 207;
const MMAP = 9;
const MUNMAP = 11;
const MSEAL = 462;
const PLACE = 0x1000_0000;

function run(code: (program: Program) => void): Machine {
  const program = new Program();
  program.label("_start");
  code(program);
  const machine = Machine.create({ host: new BufferHost() });
  machine.load(program.build());
  machine.run(10_000);
  return machine;
}

it("M-1 nobody meets a kernel of 32 bits: a 32-bit call of mseal (462 by int 0x80) seals as the 64-bit one", () => {
  const machine = run((program) =>
    program
      .syscall(MMAP, PLACE, 4096, 3, 0x32, -1, 0)
      .code(`mov eax, ${MSEAL}\n mov ebx, ${PLACE}\n mov ecx, 4096\n xor edx, edx\n int 0x80`)
      .code("cmp rax, 0\n jne .no")
      .syscall(MUNMAP, PLACE, 4096)
      .code(`cmp rax, -${EPERM}\n jne .no`)
      .exit(7)
      .label(".no")
      .exit(1),
  );
  expect(machine.exit).toMatchObject({ code: 7 });
});

it("H-4 there are no rings of asynchronous IO that a seal could keep: io_setup and io_destroy are ENOSYS", () => {
  const machine = run((program) =>
    program
      .syscall(IO_SETUP, 1, 0)
      .code(`cmp rax, -${ENOSYS}\n jne .no`)
      .syscall(IO_DESTROY, 0)
      .code(`cmp rax, -${ENOSYS}\n jne .no`)
      .exit(7)
      .label(".no")
      .exit(1),
  );
  expect(machine.exit).toMatchObject({ code: 7 });
});
