import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SEALING_NAMES } from "../../../../kernel/mm/sealing/models.js";
import { differences } from "./scenarios.js";

const FOLDER = join(import.meta.dirname, "scenarios");
const files = readdirSync(FOLDER).map((file) => file.replace(/\.scenario$/, ""));

describe("a program under its model, through the system calls", () => {
  it("there is one for each model", () => {
    expect(files.filter((name) => SEALING_NAMES.includes(name)).sort()).toEqual([...SEALING_NAMES].sort());
  });
  it.each(files)("%s", (name) => {
    const text = readFileSync(join(FOLDER, `${name}.scenario`), "utf8");
    expect(differences(name.replace("v4-eperm", "v4:eperm"), text)).toEqual([]);
  });
});
