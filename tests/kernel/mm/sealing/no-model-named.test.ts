import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SEALING_NAMES } from "../../../../kernel/mm/sealing/models.js";

const MM = join(import.meta.dirname, "..", "..", "..", "..", "kernel", "mm");
/** As a string of its own: `linux` in a comment on Linux is no model. */
const NAMED = new RegExp(`["'\`](${SEALING_NAMES.join("|")})(:[a-z,-]+)?["'\`]`);
/** Of sealing/, what is not a model's own file. */
const COMMON = /sealing\/(range|sealing-model|models|parts)\.js"/;

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "sealing" ? [] : sources(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

describe("kernel/mm outside of sealing/", () => {
  const files = sources(MM);
  it("is looked through", () => {
    expect(files.length).toBeGreaterThan(40);
    expect(files.some((file) => file.endsWith("munmap.ts"))).toBe(true);
  });
  it.each(files.map((file) => [file.slice(MM.length + 1), file]))(
    "%s names no model of sealing",
    (_, file) => {
      const text = readFileSync(file, "utf8");
      expect(NAMED.exec(text)?.[0]).toBeUndefined();
      for (const line of text.split("\n"))
        if (/^(import|export) .*\/sealing\//.test(line)) expect(line).toMatch(COMMON);
    },
  );
  it("and models.ts alone lists them", () => {
    const folder = join(MM, "sealing");
    const listing = readdirSync(folder).filter((name) =>
      /import .* from "\.\/guidelines\.js"/.test(readFileSync(join(folder, name), "utf8")),
    );
    expect(listing).toEqual(["models.ts"]);
  });
});
