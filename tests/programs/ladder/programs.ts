import { existsSync } from "node:fs";
import { join } from "node:path";
import { compile, VARIANTS, type Variant } from "./compile.js";
import { hostWorkloads } from "./host-workloads.js";
import { MORE_WORKLOADS } from "./more-workloads.js";
import { C_PROGRAMS, WORKLOADS, type Workload } from "./workloads.js";

export interface Programs {
  readonly workloads: readonly Workload[];
  /** What the host has not: a program, or a compiler for one. */
  readonly missing: readonly string[];
}

/** All workloads, or the quick ones; compiles the C programs into the fixture. */
export function programs(repository: string, fixture: string, all: boolean): Programs {
  const sources = join(repository, "tests", "programs");
  const workloads = WORKLOADS.filter(({ quick }) => all || quick === true);
  if (all) workloads.push(...MORE_WORKLOADS);
  const missing: string[] = [];
  for (const workload of hostWorkloads(repository).filter(({ quick }) => all || quick === true)) {
    if (existsSync(workload.argv[0]!)) workloads.push(workload);
    else missing.push(workload.name);
  }
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
