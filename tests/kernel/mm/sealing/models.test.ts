import { describe, expect, it } from "vitest";
import { Machine } from "../../../../debug/machine.js";
import { SEALING_DESIGNS, SEALING_NAMES, sealingModel } from "../../../../kernel/mm/sealing/models.js";

describe("the list of models", () => {
  it("has each model once, the default first", () => {
    expect(SEALING_NAMES).toEqual([
      "linux",
      "rfc-v1",
      "rfc-v2",
      "rfc-v3",
      "v4",
      "mimmutable-2022",
      "mimmutable",
      "xnu-permanent",
      "prot-immutable",
      "guidelines",
      "hook",
    ]);
  });
  it.each(SEALING_DESIGNS.map((design) => [design.name, design] as const))(
    "%s: rules with names, texts and sources; a model of its name for every option",
    (name, design) => {
      const names = design.rules.map((rule) => rule.name);
      expect(new Set(names).size).toBe(names.length);
      for (const rule of design.rules) {
        expect(rule.name).toMatch(/^[a-z-]+$/);
        expect(rule.text.length).toBeGreaterThan(10);
        expect(rule.source).not.toBe("");
      }
      for (const option of ["", ...design.options.map((one) => `:${one.name}`)])
        expect(sealingModel(name + option).name).toBe(name + option);
    },
  );
  it("an unknown model or option lists what there is", () => {
    expect(() => sealingModel("v9")).toThrow(`no model v9; there are ${SEALING_NAMES.join(", ")}`);
    expect(() => sealingModel("v4:x")).toThrow("no option x of the model v4; there is v4:today, v4:eperm");
    expect(() => sealingModel("linux:today")).toThrow("the model linux has no options");
    expect(() => Machine.create({ sealing: "nothing" })).toThrow(RangeError);
  });
});
