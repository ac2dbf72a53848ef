import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { samples, SKIPPED } from "../../userland/index.js";

interface Recorded {
  readonly output: string;
  readonly status: number;
}

function recorded(name: string): Recorded {
  const file = new URL(`../recorded/samples/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as Recorded;
}

function run(elf: Uint8Array, options: { readonly pku?: boolean } = {}): Recorded {
  const host = new BufferHost();
  const machine = Machine.create({ ...options, host });
  machine.load(elf);
  expect(machine.run(10_000_000).reason).toBe("exited");
  return { output: host.text(1) + host.text(2), status: machine.exit!.code };
}

describe("samples in the machine", () => {
  it.each(samples)("$name prints what real Linux printed", (sample) => {
    const { output, status } = recorded(sample.name);
    expect(run(sample.build())).toEqual({ output, status });
  });

  it.each(samples)("$name without protection keys", (sample) => {
    const { output, status } = recorded(sample.name);
    const expected = sample.needsKeys
      ? { output: "skipped: no protection keys on this machine\n", status: SKIPPED }
      : { output, status };
    expect(run(sample.build(), { pku: false })).toEqual(expected);
  });
});
