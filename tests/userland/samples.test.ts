import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { samples, SKIPPED } from "../../userland/index.js";
import { hostHasKeys, hostHasMseal, runNative } from "./native.js";

const RECORDS = new URL("../recorded/samples/", import.meta.url);

interface Record {
  readonly kernels: readonly string[];
  readonly output: string;
  readonly status: number;
}

function recorded(name: string): Record {
  return JSON.parse(readFileSync(new URL(`${name}.json`, RECORDS), "utf8")) as Record;
}

describe("samples", () => {
  it("have names of their own", () => {
    const names = samples.map((sample) => sample.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  });

  it("and no record stands for a sample that is gone", () => {
    const names = readdirSync(RECORDS).map((file) => file.replace(/\.json$/, ""));
    expect(names.sort()).toEqual(samples.map((sample) => sample.name).sort());
  });

  it.each(samples)("$name is built the same at each call", (sample) => {
    expect(sample.build()).toEqual(sample.build());
  });

  it.each(samples)("$name was recorded on two kernels", (sample) => {
    const { kernels, output, status } = recorded(sample.name);
    expect(kernels.length).toBeGreaterThanOrEqual(2);
    expect(status).toBe(0);
    expect(output).toMatch(/\n$/);
  });

  it.skipIf(!hostHasMseal).each(samples)("$name does on this host what was recorded", (sample) => {
    const run = runNative(sample.build());
    if (sample.needsKeys && !hostHasKeys) {
      expect(run.stdout.toString()).toBe("skipped: no protection keys on this machine\n");
      expect(run.status).toBe(SKIPPED);
      return;
    }
    expect(run.stdout.toString()).toBe(recorded(sample.name).output);
    expect(run.status).toBe(recorded(sample.name).status);
  });
});
