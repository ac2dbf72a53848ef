import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bareKernel } from "../bare-kernel.js";

/** Programs and answers of Linux 6.18.44 with protection keys: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../../recorded/signals/${name}`, import.meta.url);

function run(name: string, ...args: string[]): { status: number; output: string } {
  const machine = bareKernel();
  machine.add(`/${name}`, readFileSync(recorded(`${name}.elf`)));
  expect(machine.start(`/${name}`, [name, ...args])).toBeNull();
  const result = machine.kernel.run(10_000_000);
  if (result.reason !== "exited") throw new Error(`${name} ${args.join(" ")}: ${result.reason}`);
  const { code, signal } = result.status;
  return { status: signal === null ? code : 128 + signal, output: machine.output() };
}

const text = (name: string): string => readFileSync(recorded(name), "latin1");

describe("signals, as programs see them on Linux 6.18", () => {
  it("frames of every exception: siginfo, ucontext, trap number, error code, CR2, FPU state", () => {
    expect(run("faults").output).toBe(text("faults.txt"));
  });

  it("order, masks, flags, alternate stacks, waiting and restarting", () => {
    expect(run("signals").output).toBe(text("signals.txt"));
  });

  for (const line of text("deaths.txt").trim().split("\n")) {
    const [, number, status, output] = /^(\d+) (\d+) ?(.*)$/.exec(line)!;
    it(`death ${number}: status ${status}`, () => {
      const answer = run("deaths", number!);
      expect(answer.status).toBe(Number(status));
      expect(answer.output.trim()).toBe(output);
    });
  }

  const scenarios = text("sigreturn.txt").split(/^(?=\d\d \d+$)/m);
  for (const scenario of scenarios) {
    const [head, ...lines] = scenario.split("\n");
    const [number, status] = head!.split(" ");
    it(`sigreturn from an edited frame, scenario ${number}`, () => {
      const answer = run("sigreturn", number!);
      expect(answer.output).toBe(lines.join("\n"));
      expect(answer.status).toBe(Number(status));
    });
  }
});
