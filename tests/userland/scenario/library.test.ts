import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { companionPath, findScenarios, readScenario, type ScenarioFile } from "../../../cli/check-files.js";
import { resultOf } from "../../../cli/check-result.js";
import { SealabTarget } from "../../../cli/check-targets.js";
import { PLAIN } from "../../../debug/explain/style.js";
import { recordFor } from "../../../userland/scenario/index.js";

const library = fileURLToPath(new URL("../../../userland/scenarios/", import.meta.url));
const paths = findScenarios([library], "");

function scenario(path: string): ScenarioFile {
  const read = readScenario(path);
  if (!("scenario" in read)) throw new Error(JSON.stringify(read));
  return read;
}

/** What differs from real Linux, a line each. */
function differences(target: SealabTarget, path: string): string[] {
  const file = scenario(path);
  const { outcome, note, steps } = resultOf(
    file,
    target.run(file.scenario.elf, file.scenario.needs),
    PLAIN,
    100,
  );
  if (outcome === "skipped") return [];
  const lines = steps.filter(({ passed }) => !passed);
  return [
    ...(note === null ? [] : [note]),
    ...lines.map(({ step, expected, got }) => `${step.line}: ${step.text}: expected ${expected}, got ${got}`),
  ];
}

const name = (path: string): string => path.slice(library.length).replaceAll("\\", "/");

describe("the library of scenarios", () => {
  it("has a hundred and fifty at least", () => expect(paths.length).toBeGreaterThanOrEqual(150));

  it.each(paths.map((path) => [name(path), path]))("%s is recorded, and of this text", (_, path) => {
    expect(existsSync(companionPath(path))).toBe(true);
    const { companion, scenario: compiled } = scenario(path);
    for (const { kernel } of companion!.recorded) {
      const [major, minor] = kernel.split(".").map(Number);
      const record = recordFor(companion, major! * 1000 + minor!, compiled.steps);
      expect(record).toMatchObject({ kernel });
    }
  });

  for (const release of ["6.18", "6.16", "6.12"]) {
    const target = new SealabTarget(release);
    it.each(paths.map((path) => [name(path), path]))(`${release}: %s answers as Linux does`, (_, path) => {
      expect(differences(target, path)).toEqual([]);
    });
  }
});
