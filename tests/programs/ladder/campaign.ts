import { join } from "node:path";
import { CHROMIUM, chromiumRoot } from "./chromium.js";
import { compare, difference, Places } from "./compare.js";
import { debianRoot } from "./debian-root.js";
import { MORE_ROOT } from "./more-workloads.js";
import { programs } from "./programs.js";
import type { Workload } from "./workloads.js";

const SEALAB_MS = 120_000;
const AT_ONCE = 2;

/**
 * @param args `--cli FILE`, `--with "OPTIONS OF SEALAB RUN"`, `--verbose`, and words of the names wanted
 * @returns the exit status
 */
export async function campaign(repository: string, args: readonly string[]): Promise<number> {
  const words = [...args];
  let cli = join(repository, "dist", "cli.js");
  if (words[0] === "--cli") cli = words.splice(0, 2)[1] ?? cli;
  const options = words[0] === "--with" ? (words.splice(0, 2)[1] ?? "").split(" ") : [];
  const sealab = { cli, options, milliseconds: SEALAB_MS };
  const verbose = words[0] === "--verbose" && words.shift() !== undefined;
  const cache = join(repository, ".cache", "programs");
  const root = debianRoot(cache);
  if (root === undefined) {
    console.log("skipped: Debian's packages cannot be had (apt-get download)");
    return 0;
  }
  const places = new Places(repository);
  const { workloads, missing } = programs(repository, places.fixture, true);
  const wanted = workloads.filter(
    ({ name, rung }) => words.length === 0 || words.some((word) => `${rung} ${name}`.includes(word)),
  );
  // Only when asked for: it is large.
  const browser = words.includes("chromium") ? chromiumRoot() : undefined;
  const browserRoot = browser && debianRoot(cache, browser);
  if (browserRoot !== undefined) wanted.push(CHROMIUM);
  for (const name of missing) console.log(`skipped: ${name}: the host has it not, or no compiler for it`);
  const larger = wanted.some(({ more }) => more) ? debianRoot(cache, MORE_ROOT) : undefined;
  const queue = wanted.filter(({ more }) => more !== true || larger !== undefined);
  if (queue.length < wanted.length) console.log("skipped: what needs more of Debian's packages");
  const count = queue.length;
  let failures = 0;
  const work = async (workload: Workload): Promise<void> => {
    const below = workload === CHROMIUM ? browserRoot : workload.more ? larger : root;
    const compared = await compare(sealab, below ?? root, places, workload);
    const differs = difference(compared);
    if (differs !== null) failures++;
    const ratio = `${Math.round(compared.nativeTime)} ms -> ${Math.round(compared.sealabTime)} ms`;
    console.log(
      `${differs === null ? "same   " : "DIFFERS"} ${workload.rung.padEnd(3)} ${workload.name.padEnd(32)} ${ratio}`,
    );
    if (differs !== null) console.log(`        ${differs}`);
    if (verbose && differs !== null) console.log(compared.here, compared.there);
  };
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next);
    }),
  );
  places.remove();
  console.log(`${count - failures} of ${count} do in sealab what they do on the host`);
  return failures === 0 ? 0 : 1;
}
