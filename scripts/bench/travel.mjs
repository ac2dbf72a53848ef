// What going back costs: a run of 100 million instructions with and without a session's snapshots, then steps back at
// its end. Milliseconds of the process's own time, so that other programs of the computer do not count.
import { performance } from "node:perf_hooks";
import { createDebugSession, Machine } from "../../dist/index.js";
import { Program } from "../../dist/userland.js";
import { KERNELS } from "./programs.mjs";

const INSTRUCTIONS = 100e6;
const STEPS = 20;
const now = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** A loop that writes all over 4 MiB: many pages are others in every snapshot. */
function scatter() {
  const program = new Program();
  program.within(".data", () =>
    program
      .align(4096)
      .label("cells")
      .bytes(new Uint8Array(4 << 20)),
  );
  return program
    .label("_start")
    .code("lea rdx, [cells]\n mov ecx, 2000000000")
    .code("again: imul eax, ecx, 2654435\n and eax, 0x3ffff8\n add [rdx+rax], rcx\n dec ecx\n jnz again")
    .exit(0)
    .build();
}

function machineOf(elf) {
  const machine = Machine.create();
  machine.load(elf, { argv: ["program", "2000000000"] });
  return machine;
}

const number = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(2));

export function travel() {
  console.log(`\nGoing back, at the end of ${INSTRUCTIONS / 1e6} million instructions`);
  const programs = { hash: KERNELS.hash(), vm: KERNELS.vm(), scatter: scatter() };
  for (const [name, elf] of Object.entries(programs)) {
    machineOf(elf).run(INSTRUCTIONS);
    const plain = machineOf(elf);
    let from = now();
    plain.run(INSTRUCTIONS);
    const alone = now() - from;
    const machine = machineOf(elf);
    const session = createDebugSession(machine, {
      maxInstructions: INSTRUCTIONS,
      clock: now,
      shortWayBack: true,
    });
    from = now();
    session.go({ kind: "continue" });
    const watched = now() - from;
    const { snapshots, bytes, share } = session.costs;
    const steps = [];
    for (let i = 0; i < STEPS; i++) {
      const started = performance.now();
      const before = now();
      session.go({ kind: "reverse-step-instruction" });
      steps.push({ own: now() - before, real: performance.now() - started });
      if (machine.instructions !== INSTRUCTIONS - 1 - i) throw new Error("a step back went astray");
    }
    const first = steps[0].own;
    const others = steps
      .slice(1)
      .map(({ real }) => real)
      .sort((a, b) => a - b);
    console.log(
      `${name}: run ${number(alone)} ms, with a session ${number(watched)} ms; ${snapshots} snapshots ` +
        `(${number(bytes / 2 ** 20)} MiB) are ${(100 * share).toFixed(1)} % of it; ` +
        `first step back ${number(first)} ms, others ${number(others[others.length >> 1])} ms ` +
        `(the longest ${number(others.at(-1))})`,
    );
  }
}
