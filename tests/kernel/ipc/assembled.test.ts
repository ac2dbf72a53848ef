import { expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { Program } from "../../../userland/program.js";

/* What the C programs beside this test at length, where there is no C compiler. */

const SYS = {
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  fork: 57,
  exit: 60,
  wait4: 61,
  semget: 64,
  semop: 65,
  semctl: 66,
};
const IPC_CREAT = 0o1000;
const SETVAL = 16;
const GETVAL = 12;
const SEM_UNDO = 0x1000;

it("a segment is shared with a child that exits, semaphores order the two, and undo comes with its end", () => {
  const program = new Program();
  program.label("_start");
  program.syscall(SYS.shmget, 0, 4096, IPC_CREAT | 0o600).code("mov r12, rax");
  program.syscall(SYS.shmat, "r12", 0, 0).code("mov rbx, rax");
  // Removed at once: it lives as long as it is attached.
  program.syscall(SYS.shmctl, "r12", 0, 0);
  program.syscall(SYS.semget, 0, 2, IPC_CREAT | 0o600).code("mov r13, rax");
  program.syscall(SYS.semctl, "r13", 1, SETVAL, 5);
  program.syscall(SYS.fork).code("test rax, rax\n jnz .parent");
  program.syscall(SYS.semop, "r13", "minus_undo", 1);
  program.code("mov dword ptr [rbx], 42");
  program.syscall(SYS.semop, "r13", "plus", 1);
  program.syscall(SYS.semop, "r13", "plus", 1);
  program.exit(0).code(".parent:");
  program.syscall(SYS.semop, "r13", "minus_two", 1).printErrno().print(" ");
  program.code("mov eax, [rbx]").printUnsigned("rax").print(" ");
  program.syscall(SYS.wait4, -1, 0, 0, 0);
  program.syscall(SYS.semctl, "r13", 1, GETVAL, 0).printUnsigned("rax").print(" ");
  program.syscall(SYS.shmat, "r12", 0, 0).printErrno().print("\n");
  program.syscall(SYS.semctl, "r13", 0, 0, 0);
  program.exit(0);
  program.within(".data", () => {
    const word = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];
    const operation = (name: string, index: number, change: number, flags: number): void => {
      program.label(name).bytes([...word(index), ...word(change), ...word(flags)]);
    };
    operation("plus", 0, 1, 0);
    operation("minus_two", 0, -2, 0);
    operation("minus_undo", 1, -3, SEM_UNDO);
  });
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 16 << 20 });
  machine.load(program.build());
  expect(machine.run(10_000_000).reason).toBe("exited");
  // Attaching to what is marked for removal is allowed as long as it is there.
  expect(host.text(1)).toBe("ok 42 5 ok\n");
  const { kernel } = machine;
  expect(checkMachine(kernel, [kernel.init.leader.mm])).toEqual([]);
  expect(kernel.ipc.sharedMemory.ids.count).toBe(1);
  kernel.init.leader.mm.drop();
  expect(kernel.ipc.sharedMemory.ids.count).toBe(0);
  expect(kernel.ipc.semaphores.ids.count).toBe(0);
});
