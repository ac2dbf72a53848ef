import { join } from "node:path";
import { compile, VARIANTS, type Variant } from "./compile.js";
import { C_PROGRAMS, WORKLOADS, type Workload } from "./workloads.js";

export interface Programs {
  readonly workloads: readonly Workload[];
  /** What there is no compiler for. */
  readonly missing: readonly string[];
}

/** All workloads, or the quick ones; compiles the C programs into the fixture. */
export function programs(sources: string, fixture: string, all: boolean): Programs {
  const workloads = WORKLOADS.filter(({ quick }) => all || quick === true);
  const missing: string[] = [];
  for (const [rung, name, quick] of C_PROGRAMS) {
    for (const variant of Object.keys(VARIANTS) as Variant[]) {
      if (!all && !quick.includes(variant)) continue;
      const made = compile(join(sources, `${name}.c`), name, variant, join(fixture, "bin"));
      const title = `${name}.c, ${variant}`;
      if (made === undefined) missing.push(title);
      else workloads.push({ rung, name: title, argv: [`/work/bin/${name}-${variant}`], quick: true });
    }
  }
  return { workloads, missing };
}
