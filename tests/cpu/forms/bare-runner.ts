import { SYS } from "../../../userland/index.js";
import { BareMachine } from "../bare-machine.js";
import type { Runner } from "./index.js";

const PAGE = 4096;
const PT_LOAD = 1;
const PF_X = 1;
const PF_W = 2;

/** PKRU that Linux starts a program with. */
const INITIAL_PKRU = 0x55555554;

const RAX = 0;
const RDX = 2;
const RSI = 6;

/** Maps an ELF file's segments and sets RIP. */
function load(machine: BareMachine, elf: Uint8Array): void {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  const long = (at: number): number => Number(view.getBigUint64(at, true));
  const headers = long(32);
  for (let i = 0; i < view.getUint16(56, true); i++) {
    const header = headers + i * 56;
    if (view.getUint32(header, true) !== PT_LOAD) continue;
    const flags = view.getUint32(header + 4, true);
    const [offset, address, fileSize, memorySize] = [8, 16, 32, 40].map((at) => long(header + at)) as [
      number,
      number,
      number,
      number,
    ];
    const protection = { write: (flags & PF_W) !== 0, execute: (flags & PF_X) !== 0 };
    machine.map(address, Math.ceil(memorySize / PAGE), protection);
    machine.poke(address, elf.subarray(offset, offset + fileSize));
  }
  machine.cpu.registers.rip = long(24);
}

/** Runs a forms program on the CPU alone: it makes no system calls but `write` and `exit_group`. */
export function bareRunner(options: { readonly reference: boolean }): Runner {
  return (elf) => {
    const machine = new BareMachine(options);
    load(machine, elf);
    const { cpu } = machine;
    cpu.registers.pkru = INITIAL_PKRU;
    const written: Uint8Array[] = [];
    for (;;) {
      const reason = cpu.run(Infinity);
      // A program that dies has still shown how far it came.
      if (reason !== "syscall" || cpu.registers.number(RAX) !== SYS.write) return Buffer.concat(written);
      const size = cpu.registers.number(RDX);
      written.push(machine.peek(cpu.registers.number(RSI), size));
      cpu.registers.setNumber(RAX, size);
    }
  };
}
