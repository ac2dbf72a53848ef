import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { createDebugSession } from "../../../debug/session/create-debug-session.js";
import type { StopReport } from "../../../debug/session/stop-report.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { chaos } from "../../kernel/threads/chaos.js";

const elf = chaos();
const INSTRUCTIONS = 20_000;

function machineOf(seed: number, quantum: number): { machine: Machine; calls: string[] } {
  const machine = Machine.create({
    host: new BufferHost(),
    seed,
    quantum,
    memoryBytes: 32 << 20,
    maxTasks: 40,
  });
  machine.load(elf, { argv: ["/program", String(seed), "9"] });
  const calls: string[] = [];
  machine.on("syscallEnter", ({ instruction, task, name, resumed }) =>
    calls.push(`${instruction} ${task.tid} ${name} ${resumed}`),
  );
  machine.on("signal", ({ instruction, task, info, outcome }) =>
    calls.push(`${instruction} ${task.tid} signal ${info.signo} ${outcome}`),
  );
  return { machine, calls };
}

const named = ({ moment, thread, rip }: StopReport): string =>
  `${moment.instructions}.${moment.events} thread ${thread.tid} at ${rip.toString(16)}`;

/** Threads, forks, signals, shared memory, ptrace: all at random, from a seed. */
describe("a run of many processes that do anything", () => {
  it.each([
    [1, 50],
    [5, 400],
    [6, 50],
    [11, 400],
  ])("is the same in pieces: seed %i, quantum %i", (seed, quantum) => {
    const whole = machineOf(seed, quantum);
    whole.machine.run(INSTRUCTIONS);
    for (const slice of [1, 7, 1000]) {
      const { machine, calls } = machineOf(seed, quantum);
      while (machine.instructions < INSTRUCTIONS)
        machine.run(Math.min(slice, INSTRUCTIONS - machine.instructions));
      expect(calls).toEqual(whole.calls);
      expect(machineDigest(machine)).toBe(machineDigest(whole.machine));
    }
  });

  it.each([
    [1, 50],
    [5, 400],
  ])("is the same with a stop at everything, and each stop is found again: seed %i", (seed, quantum) => {
    const plain = machineOf(seed, quantum);
    plain.machine.run(INSTRUCTIONS);
    const digest = machineDigest(plain.machine);

    const { machine, calls } = machineOf(seed, quantum);
    const session = createDebugSession(machine, { maxInstructions: INSTRUCTIONS });
    session.setBreak({ kind: "syscall", at: "both" });
    session.setBreak({ kind: "signal" });
    session.setBreak({ kind: "fault", mended: true });
    session.setBreak({ kind: "process", events: ["fork", "vfork", "clone", "exec", "exit"] });
    session.setBreak({ kind: "refusal" });
    session.setBreak({ kind: "area" });
    const stops: StopReport[] = [];
    for (;;) {
      const stop = session.go({ kind: "continue" });
      if (stop.reason !== "break") {
        expect(stop.reason).toBe("limit");
        break;
      }
      stops.push(stop);
    }
    expect(calls).toEqual(plain.calls);
    expect(machineDigest(machine)).toBe(digest);
    expect(stops.length).toBeGreaterThan(500);
    // No two stops have one name, and they are in order.
    for (let i = 1; i < stops.length; i++) {
      const [a, b] = [stops[i - 1]!.moment, stops[i]!.moment];
      expect(b.instructions - a.instructions || b.events - a.events).toBeGreaterThan(0);
    }

    for (let i = 0; i < 40; i++) {
      const at = 1 + ((i * 7919) % (stops.length - 1));
      const { instructions, events } = stops[at]!.moment;
      expect(named(session.go({ kind: "go-to", instructions, events }))).toBe(named(stops[at]!));
      if (i % 4 !== 0) continue;
      expect(named(session.go({ kind: "reverse-continue" }))).toBe(named(stops[at - 1]!));
      expect(named(session.go({ kind: "continue" }))).toBe(named(stops[at]!));
    }
    session.go({ kind: "go-to", instructions: INSTRUCTIONS });
    expect(machineDigest(machine)).toBe(digest);
  });
});
