import { expect } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import type { Machine } from "../../debug/machine.js";
import { loadMachine, saveMachine } from "../../debug/snapshot/machine-file.js";
import { runTo, type Started } from "../debug/snapshot/programs.js";

/**
 * A program that is saved at some parts of its run goes on in another machine as if nothing had been: it says the same.
 * @param whenSaved looks at a machine that is saved
 * @param atEnd compares the machine that went on with the one that ran in one piece
 * @returns that one
 */
export function expectGoesOn(
  begin: () => Started,
  parts: readonly number[],
  atEnd: (ended: Machine, whole: Machine) => void = () => undefined,
  whenSaved: (machine: Machine) => void = () => undefined,
): Started {
  const whole = begin();
  runTo(whole.machine, Infinity);
  const { instructions } = whole.machine;
  for (const part of parts) {
    const first = begin();
    runTo(first.machine, Math.floor(instructions * part));
    whenSaved(first.machine);
    const host = new BufferHost();
    const second = loadMachine(saveMachine(first.machine), { host });
    runTo(second, Infinity);
    expect(first.host.text(1) + host.text(1)).toBe(whole.host.text(1));
    atEnd(second, whole.machine);
  }
  return whole;
}
