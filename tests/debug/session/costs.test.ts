import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { createDebugSession } from "../../../debug/session/create-debug-session.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { Program } from "../../../userland/index.js";

const PAGES = 512;

/** Writes a word of each of 512 pages, round and round, and never ends. */
function writer(): Uint8Array {
  const made = new Program();
  made.within(".bss", () =>
    made
      .align(4096)
      .label("cells")
      .reserve(PAGES * 4096),
  );
  return made
    .label("_start")
    .code("lea rdx, [cells]\n xor ecx, ecx\n again: inc rcx")
    .code(`mov eax, ecx\n and eax, ${PAGES - 1}\n shl eax, 12\n mov [rdx+rax], rcx\n jmp again`)
    .build();
}

function machineOf(): Machine {
  const machine = Machine.create({ host: new BufferHost(), memoryBytes: 16 << 20 });
  machine.load(writer(), { argv: ["writer"] });
  return machine;
}

/** The digests of an undisturbed run at some instructions. */
function digests(at: readonly number[]): Map<number, string> {
  const machine = machineOf();
  return new Map(
    [...at]
      .sort((a, b) => a - b)
      .map((instructions) => {
        machine.run(instructions - machine.instructions);
        return [instructions, machineDigest(machine)];
      }),
  );
}

describe("snapshots that come and go", () => {
  it("leave every moment what it was, though their memory is used again", () => {
    const places = [
      400_000, 1_000, 399_000, 350_000, 200_000, 600_000, 599_990, 250_000, 555_555, 900_000, 3,
    ];
    const expected = digests(places);
    const machine = machineOf();
    // Nothing costs any time: there is a snapshot after each slice, and soon too many of 2 MiB.
    const session = createDebugSession(machine, { clock: () => machine.instructions / 10_000 });
    for (const instructions of places) {
      session.go({ kind: "go-to", instructions });
      expect(machineDigest(machine), `at ${instructions}`).toBe(expected.get(instructions));
    }
    expect(session.costs.bytes).toBeLessThan(40 << 20);
  });

  it("and one of the user's own stays", () => {
    const machine = machineOf();
    const session = createDebugSession(machine, { clock: () => machine.instructions / 10_000 });
    session.go({ kind: "go-to", instructions: 300_000 });
    const own = machine.snapshot();
    const digest = machineDigest(machine);
    session.go({ kind: "go-to", instructions: 2_000_000 });
    machine.restore(own);
    expect(machineDigest(machine)).toBe(digest);
  });
});

describe("a stop long after the last snapshot", () => {
  it("has snapshots near it: the first step back is short", () => {
    const LIMIT = 3_000_001;
    const machine = machineOf();
    let last = -1;
    let spent = 0;
    // Each snapshot takes as long as 50,000 instructions.
    const clock = (): number => {
      if (machine.instructions === last) spent += 5;
      last = machine.instructions;
      return machine.instructions / 10_000 + spent;
    };
    const session = createDebugSession(machine, { maxInstructions: LIMIT, clock, shortWayBack: true });
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "limit" });
    expect(machine.instructions).toBe(LIMIT);
    const expected = digests([LIMIT, LIMIT - 1]);
    expect(machineDigest(machine)).toBe(expected.get(LIMIT));

    let retired = 0;
    const run = machine.run.bind(machine);
    machine.run = (most) => {
      const before = machine.instructions;
      const result = run(most);
      retired += machine.instructions - before;
      return result;
    };
    session.go({ kind: "reverse-step-instruction" });
    expect(machineDigest(machine)).toBe(expected.get(LIMIT - 1));
    expect(retired).toBeLessThan(3_000);
  });
});
