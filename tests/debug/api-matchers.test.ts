import { expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import "../../debug/vitest/index.js";
import { Program, SYS } from "../../userland/index.js";

// The worked example of docs/api.md: a regression test of a key, a seal and MADV_DONTNEED.

const HEAP = 0x5ea10000;

it("a sealed page that its key makes read-only keeps its data", () => {
  const program = new Program().label("_start").syscall(SYS.mmap, HEAP, 4096, 3, 0x32, -1, 0);
  program.syscall(SYS.pkey_alloc, 0, 0).syscall(SYS.pkey_mprotect, HEAP, 4096, 3, 1);
  program.code(`mov byte ptr [${HEAP}], 42`).syscall(SYS.mseal, HEAP, 4096, 0);
  program.code("xor ecx, ecx\n xor edx, edx\n mov eax, 8\n wrpkru"); // key 1: no writes
  program.syscall(SYS.madvise, HEAP, 4096, 4).exit(0); // MADV_DONTNEED
  const machine = Machine.create({ reversible: true });
  machine.load(program.build());
  expect(machine.untilSyscall("madvise")).toBeRefused({ by: /^madvise/, errno: "EPERM" });
  expect(machine).toHaveArea({ start: HEAP, prot: "rw-", key: 1, sealed: true });
  expect(machine.read(HEAP, 1)).toEqual(Uint8Array.of(42));
  expect(machine.reverseTo("area", ({ kind }) => kind === "seal")).toMatchObject({ start: HEAP });
  expect(machine.registers.pkru).toBe(0x55555550); // before the WRPKRU
});
