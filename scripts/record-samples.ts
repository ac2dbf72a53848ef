/**
 * Records what the sample programs print on real Linux, into tests/recorded/samples/NAME.json.
 *
 *     node record-samples.mjs [--oracle COMMAND]
 *
 * Runs every sample on the host and, given --oracle or SEALAB_ORACLE, by `COMMAND --batch DIR`, which runs each
 * executable in DIR and leaves NAME.txt (output) and NAME.status (`STATUS …`) in DIR.out. Both must agree.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { samples } from "../userland/samples/index.js";

const RECORDS = join("tests", "recorded", "samples");

interface Answer {
  readonly output: string;
  readonly status: number;
}

function onHost(program: string): Answer {
  const run = spawnSync("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", program], {
    timeout: 60_000,
  });
  if (run.error) throw run.error;
  return { output: run.stdout.toString() + run.stderr.toString(), status: run.status ?? -1 };
}

/** `6.12.117` of `6.12.117+deb12-cloud-amd64`: what a distribution adds says nothing about the mm. */
function version(name: string): string {
  return /^\d+(\.\d+)*/.exec(name)?.[0] ?? name;
}

/** The oracle names its kernel in a batch by what a script prints there. */
function onOracle(command: string, folder: string): { kernel: string; answers: Map<string, Answer> } {
  writeFileSync(join(folder, "uname.sh"), "#!/bin/sh\nuname -r\n", { mode: 0o755 });
  execFileSync(command, ["--batch", folder], { stdio: ["ignore", "inherit", "inherit"] });
  const read = (name: string): string => readFileSync(join(`${folder}.out`, name), "utf8");
  const answers = new Map<string, Answer>();
  for (const { name } of samples) {
    answers.set(name, { output: read(`${name}.txt`), status: Number.parseInt(read(`${name}.status`)) });
  }
  return { kernel: version(read("uname.sh.txt")), answers };
}

const { values } = parseArgs({ options: { oracle: { type: "string" } } });
const oracle = values.oracle ?? process.env["SEALAB_ORACLE"];
const parent = mkdtempSync(join(tmpdir(), "samples-"));
const folder = join(parent, "batch");
mkdirSync(folder);
mkdirSync(RECORDS, { recursive: true });
try {
  for (const one of samples) writeFileSync(join(folder, one.name), one.build(), { mode: 0o755 });
  const there = oracle === undefined ? undefined : onOracle(oracle, folder);
  let disagreements = 0;
  for (const { name } of samples) {
    const here = onHost(join(folder, name));
    const kernels = [version(release())];
    const file = join(RECORDS, `${name}.json`);
    const answer = there?.answers.get(name);
    if (there && answer) {
      kernels.unshift(there.kernel);
      if (answer.output !== here.output || answer.status !== here.status) {
        disagreements++;
        console.error(`${name}: ${kernels.join(" and ")} differ:`, answer, here);
        continue;
      }
    } else if (existsSync(file)) {
      const recorded = JSON.parse(readFileSync(file, "utf8")) as Answer & { kernels: string[] };
      const same = recorded.output === here.output && recorded.status === here.status;
      if (same) kernels.unshift(...recorded.kernels.filter((kernel) => !kernels.includes(kernel)));
    }
    writeFileSync(file, JSON.stringify({ kernels, ...here }, null, 2) + "\n");
    console.log(`${name}: status ${String(here.status)} on ${kernels.join(", ")}`);
  }
  process.exitCode = disagreements === 0 ? 0 : 1;
} finally {
  rmSync(parent, { recursive: true, force: true });
}
