import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { bareKernel } from "../bare-kernel.js";

/** Programs and their answers on Linux 6.18.44, as root: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../../recorded/credentials/${name}`, import.meta.url);
const INSTRUCTIONS = 200_000_000;

function run(name: string): { ours: string; theirs: string } {
  const machine = bareKernel();
  const path = `/${name}`;
  machine.add(path, readFileSync(recorded(`${name}.elf`)));
  expect(machine.start(path, [path], ["HOME=/"])).toBeNull();
  const end = machine.kernel.run(INSTRUCTIONS);
  expect(end).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
  const theirs = gunzipSync(readFileSync(recorded(`${name}.txt.gz`))).toString("latin1");
  return { ours: machine.output(), theirs };
}

describe("ids, capabilities and set-user-ID programs as Linux 6.18 has them", () => {
  const { ours, theirs } = run("identity");
  const walks = (text: string): string[] => text.split(/^(?=walk \d)/m);

  it("has every walk", () => {
    expect(walks(ours).length).toBe(walks(theirs).length);
    expect(walks(theirs).length).toBeGreaterThanOrEqual(100);
  });

  it("each step and each program executed leaves the same state", () => {
    const differing = walks(theirs).findIndex((walk, i) => walk !== walks(ours)[i]);
    expect(walks(ours)[differing]).toBe(walks(theirs)[differing]);
  });
});

describe("what one process may do to another, as on Linux 6.18", () => {
  const { ours, theirs } = run("kinship");
  const ourSections = ours.split(/^-- /m);

  theirs
    .split(/^-- /m)
    .slice(1)
    .forEach((section, i) => {
      it(section.slice(0, section.indexOf("\n")), () => {
        const [here, there] = [ourSections[i + 1] ?? "", section].map((text) => text.split("\n"));
        there!.forEach((line, at) => expect(here![at]).toBe(line));
        expect(here!.length).toBe(there!.length);
      });
    });
});
