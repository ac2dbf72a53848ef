import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { hostRunsPrograms } from "../userland/native.js";
import { compare, difference, Places } from "./ladder/compare.js";
import { debianRoot } from "./ladder/debian-root.js";
import { programs } from "./ladder/programs.js";

/**
 * Rungs L4 to L7 of the ladder: shells, interpreters, processes and threads of Debian's do in sealab what they do on
 * the host. `npm run ladder` runs all of them.
 */
const REPOSITORY = join(import.meta.dirname, "..", "..");
const SEALAB = { cli: join(REPOSITORY, "dist", "cli.js"), milliseconds: PATIENCE_MS };
/** Scripts there give each other 50 ms: a busy host may be asked again. */
const QUESTIONS = 4;

const root = hostRunsPrograms ? debianRoot(join(REPOSITORY, ".cache", "programs")) : undefined;
if (root === undefined)
  console.log("skipped: the ladder: Debian's packages cannot be had (apt-get download)");
const places = new Places(REPOSITORY);
afterAll(() => places.remove());
const { workloads, missing } =
  root === undefined ? { workloads: [], missing: [] } : programs(REPOSITORY, places.fixture, false);
for (const name of missing) console.log(`skipped: ${name}: the host has it not, or no compiler for it`);

describe.skipIf(root === undefined)("the ladder (skipped where Debian's packages cannot be had)", () => {
  it.concurrent.each(workloads)("$rung $name", async (workload) => {
    let differs = difference(await compare(SEALAB, root!, places, workload));
    for (let asked = 1; differs !== null && asked < QUESTIONS; asked++)
      differs = difference(await compare(SEALAB, root!, places, workload));
    expect(differs).toBeNull();
  });
});
