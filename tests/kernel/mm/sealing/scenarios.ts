import { resultOf } from "../../../../cli/check-result.js";
import { SealabTarget } from "../../../../cli/check-targets.js";
import { PLAIN } from "../../../../debug/explain/style.js";
import { sealingModel } from "../../../../kernel/mm/sealing/models.js";
import { compileScenario } from "../../../../userland/scenario/index.js";

const targets = new Map<string, SealabTarget>();

/** Runs a scenario's text under a model. @returns what is not as it says, a line each; one line where it was skipped */
export function differences(model: string, text: string): string[] {
  const compiled = compileScenario(text);
  if ("mistakes" in compiled) throw new Error(JSON.stringify(compiled.mistakes));
  const target = targets.get(model) ?? new SealabTarget(null, sealingModel(model));
  targets.set(model, target);
  const { scenario } = compiled;
  const { note, steps } = resultOf(
    { path: model, scenario, companion: null },
    target.run(scenario.elf, scenario.needs),
    PLAIN,
    100,
  );
  const wrong = steps.filter(({ passed }) => !passed);
  return [
    ...(note === null ? [] : [note]),
    ...wrong.map(({ step, expected, got }) => `${step.line}: ${step.text}: expected ${expected}, got ${got}`),
  ];
}
