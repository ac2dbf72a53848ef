// What a call on the map costs among 100 to 65,000 areas, in sealab alone: microseconds of the host, the best of
// several rounds. The calls are made by a program; between its phases it calls getpid, where the clock is read.
import { performance } from "node:perf_hooks";
import { Machine } from "../../dist/index.js";
import { Program } from "../../dist/userland.js";

const SIZES = [100, 1_000, 10_000, 65_000];
const ROUNDS = 9;
/** Slots of three pages: one that can be read, one that can be written, and a hole. */
const SLOT = 0x3000;
const BASE = 0x1_0000_0000;
const GIANT = 0x100_0000_0000;
const SYS = {
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  madvise: 28,
  getpid: 39,
  fork: 57,
  exit: 60,
  wait4: 61,
  mseal: 462,
};
const FIXED = 0x32;
const [NONE, READ, WRITE] = [0, 1, 3];
const [WILLNEED, DONTNEED] = [3, 4];

/** What a round does, in turn: a call for each of `calls` slots, from slot to slot by a step that visits them all. */
const PHASES = [
  ["mmap", (p, at) => p.syscall(SYS.mmap, at(2), 4096, NONE, FIXED, -1, 0)],
  ["munmap", (p, at) => p.syscall(SYS.munmap, at(2), 4096)],
  ["mprotect", (p, at) => p.syscall(SYS.mprotect, at(1), 4096, NONE)],
  ["mprotect back", (p, at) => p.syscall(SYS.mprotect, at(1), 4096, WRITE)],
  ["madvise", (p, at) => p.syscall(SYS.madvise, at(1), 4096, DONTNEED)],
  ["find", (p, at) => p.syscall(SYS.madvise, at(1), 4096, WILLNEED)],
];

function build(areas) {
  const slots = Math.floor(areas / 2);
  const calls = Math.min(slots, 1000);
  const seals = Math.min(calls, Math.floor(slots / (ROUNDS + 1)));
  const step = 7919 % slots || 1;
  const p = new Program();
  let labels = 0;
  const at = (page) => {
    p.code(`mov r14, r13\n imul r14, r14, ${SLOT}\n mov rax, ${BASE + page * 4096}\n add r14, rax`);
    return "r14";
  };
  const loop = (count, body, first = "xor r13d, r13d") => {
    const label = `l${labels++}`;
    p.code(`${first}\n mov r12d, ${count}\n ${label}:`);
    body();
    p.code(
      `add r13, ${step}\n cmp r13, ${slots}\n jb ${label}n\n sub r13, ${slots}\n ${label}n: dec r12\n jnz ${label}`,
    );
  };
  const mark = () => p.syscall(SYS.getpid);
  p.label("_start");
  loop(slots, () => {
    p.syscall(SYS.mmap, at(0), 4096, READ, FIXED, -1, 0);
    p.syscall(SYS.mmap, at(1), 4096, WRITE, FIXED, -1, 0);
  });
  mark();
  p.code(`mov r15d, ${ROUNDS}\n round:`);
  for (const [, call] of PHASES) {
    loop(calls, () => call(p, at));
    mark();
  }
  // Seals stay: each round has pages of its own.
  const where = `mov rax, r15\n imul rax, rax, ${(seals * step) % slots}\n xor edx, edx\n mov ecx, ${slots}\n div rcx\n mov r13, rdx`;
  loop(seals, () => p.syscall(SYS.mseal, at(0), 4096, 0), where);
  mark();
  p.syscall(SYS.fork).code("test rax, rax\n jnz parent");
  p.syscall(SYS.exit, 0).code("parent:").syscall(SYS.wait4, -1, 0, 0, 0);
  mark();
  for (const bytes of [4096, 1 << 30]) {
    const place = GIANT + bytes * 8;
    p.code(`mov r14, r15\n shl r14, ${Math.log2(bytes) + 1}\n mov rax, ${place}\n add r14, rax`);
    p.syscall(SYS.mmap, "r14", bytes, WRITE, FIXED | 0x4000, -1, 0);
    mark();
    p.syscall(SYS.mprotect, "r14", bytes, READ);
    mark();
    p.syscall(SYS.mseal, "r14", bytes, 0);
    mark();
  }
  p.code("dec r15\n jnz round");
  return { elf: p.exit(0).build(), calls, seals };
}

/** Microseconds a call, by name. */
function measure(areas) {
  const { elf, calls, seals } = build(areas);
  const machine = Machine.create({ memoryBytes: 128 << 20 });
  machine.load(elf);
  const marks = [];
  machine.on("syscallEnter", ({ number }) => {
    if (number === SYS.getpid) marks.push(performance.now());
  });
  machine.run();
  if (machine.exit?.code !== 0) throw new Error(`areas: ${JSON.stringify(machine.exit)}`);
  const names = [
    ...PHASES.map(([name]) => [name, calls]),
    ["mseal", seals],
    ["fork", 1],
    ["", 0],
    ["mprotect 4 KiB", 1],
    ["mseal 4 KiB", 1],
    ["", 0],
    ["mprotect 1 GiB", 1],
    ["mseal 1 GiB", 1],
  ];
  const result = {};
  names.forEach(([name, count], phase) => {
    if (count === 0) return;
    const times = Array.from({ length: ROUNDS }, (_, round) => {
      const i = 1 + round * names.length + phase;
      return marks[i] - marks[i - 1];
    });
    result[name] = (Math.min(...times) * 1000) / count;
  });
  return result;
}

/** Prints the table. */
export function areas() {
  measure(SIZES[0]);
  const columns = SIZES.map(measure);
  const row = (name, cells) => console.log(name.padEnd(16) + cells.map((cell) => cell.padStart(12)).join(""));
  console.log(
    "\nCalls on the map in sealab (microseconds of the host a call, the program's own part included)",
  );
  row(
    "areas",
    SIZES.map((size) => size.toLocaleString("en")),
  );
  for (const name of ["mmap", "munmap", "mprotect", "madvise", "mseal", "find", "fork"])
    row(
      name,
      columns.map((column) => column[name].toFixed(2)),
    );
  for (const name of ["mprotect", "mseal"])
    row(
      `${name} 4K/1G`,
      columns.map((column) => `${column[`${name} 4 KiB`].toFixed(0)}/${column[`${name} 1 GiB`].toFixed(0)}`),
    );
}
