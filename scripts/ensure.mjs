// Installs from the lock file and builds, each only where it has not been done. No output when there is nothing to do.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { installProblem } from "./install-state.mjs";
import { isBuilt } from "./source-hash.mjs";

const cwd = fileURLToPath(new URL("../", import.meta.url));

function run(what, command, args) {
  process.stderr.write(`${what}\n`);
  // npm is a script on Windows, which only a shell starts. Its output goes to stderr: stdout is the program's.
  const result = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) {
    process.stderr.write(`${command} ${args.join(" ")} failed\n`);
    process.exit(1);
  }
}

const problem = installProblem();
if (problem !== null) {
  // --ignore-scripts: the build comes next, and no dependency needs its own.
  run(`sealab: ${problem}; installing from package-lock.json (once)`, "npm", [
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
  ]);
}
if (!isBuilt()) run("sealab: building (once)", process.execPath, ["scripts/build.mjs"]);
