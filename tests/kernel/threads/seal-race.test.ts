import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { AREA, CONTENT, KEPT, PAGES, sealRace } from "./seal-race.js";

/** CI runs a thousand, in a step of its own, and so does whoever asks. */
const SEEDS = Number(process.env["SEALAB_SEEDS"] ?? 20);
const PAGE = 4096;
const STEP = 1500;

interface Race {
  readonly output: string;
  readonly instructions: number;
  readonly trace: string;
  /** Who made which call, one after the other: the interleaving. */
  readonly order: string;
}

const elf = sealRace();

/** Runs the race in steps; after each, the machine's invariants hold, and what was sealed is as it was. */
function race(seed: number, traced = false): Race {
  const host = new BufferHost();
  const machine = Machine.create({ host, seed, quantum: 40, memoryBytes: 16 * 2 ** 20 });
  const lines: string[] = [];
  if (traced) machine.trace((record) => lines.push(JSON.stringify(record)));
  const order: string[] = [];
  machine.on("syscallEnter", ({ task, name }) => order.push(`${task.tid} ${name}`));
  machine.load(elf);
  const sealed = new Map<number, string>();
  let result = machine.run(STEP);
  for (; result.reason === "budget"; result = machine.run(STEP)) {
    checkSeals(machine, sealed);
    expect(checkMachine(machine.kernel)).toEqual([]);
  }
  expect(result).toEqual({ reason: "exited", status: { code: 0, signal: null, core: false } });
  return {
    output: host.text(1),
    instructions: machine.instructions,
    trace: lines.join("\n"),
    order: order.join(),
  };
}

/** A sealed page stays mapped, sealed, and as it was protected. */
function checkSeals(machine: Machine, sealed: Map<number, string>): void {
  const now = new Map<number, string>();
  for (const area of machine.areas()) {
    if (!area.sealed || area.end <= AREA || area.start >= AREA + PAGES * PAGE) continue;
    for (let page = area.start; page < area.end; page += PAGE) now.set(page, area.prot.toString());
  }
  for (const [page, was] of sealed) expect(now.get(page), `page ${page.toString(16)}`).toBe(was);
  for (const [page, prot] of now) sealed.set(page, prot);
}

describe("a thread seals a region while others write, unmap, protect and discard it", () => {
  it(`holds for ${SEEDS} seeds`, { timeout: SEEDS * 6_000 }, () => {
    const runs = new Set<string>();
    for (let seed = 0; seed < SEEDS; seed++) {
      const { output, order } = race(seed);
      expect(output).toContain(`page ${KEPT} holds 0x${CONTENT.toString(16)}\n`);
      runs.add(order);
    }
    // Seeds do explore: hardly two have the same order of calls.
    expect(runs.size).toBeGreaterThan(SEEDS * 0.9);
  });

  it("is the same run for the same seed, to the instruction and the trace's last line", () => {
    for (const seed of [1, 7, 4242]) {
      const first = race(seed, true);
      expect(race(seed, true)).toEqual(first);
      expect(first.trace).toContain("mseal");
    }
    expect(race(1, true).trace).not.toBe(race(2, true).trace);
  });
});
