import { expect, it } from "vitest";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { Machine } from "../../../../debug/machine.js";
import { ENOSYS } from "../../../../kernel/errno.js";
import { Program } from "../../../../userland/program.js";

/* Rules about what sealab has not: it is to be refused as on a kernel that was built without it (docs/deviations.md). */

const IO_SETUP = 206;
const IO_DESTROY = 207;
const SIGSEGV = 11;

function run(code: (program: Program) => void): Machine {
  const program = new Program();
  program.label("_start");
  code(program);
  const machine = Machine.create({ host: new BufferHost() });
  machine.load(program.build());
  machine.run(10_000);
  return machine;
}

it("M-1 there is no entry for 32-bit code, so nobody meets a kernel of 32 bits: int 0x80 is a general protection fault", () => {
  const machine = run((program) => program.code("mov eax, 374\n int 0x80").exit(0));
  expect(machine.exit).toMatchObject({ signal: SIGSEGV });
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
