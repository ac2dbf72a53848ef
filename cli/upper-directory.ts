import * as fs from "node:fs";
import { join } from "node:path";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";

/**
 * Makes the directory of `--upper` if it is missing and claims it for this process: a file `lock` holds the process's
 * number while it is in use. A lock whose process is gone is taken over.
 * @returns gives it free
 * @throws Failure
 */
export function claimUpper(directory: string): () => void {
  const lock = join(directory, "lock");
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (let attempt = 0; ; attempt++) {
      try {
        fs.writeFileSync(lock, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST" || attempt > 1) throw error;
        const owner = Number(fs.readFileSync(lock, "utf8"));
        if (isRunning(owner))
          throw new Failure(
            USAGE_STATUS,
            `--upper: ${directory}: in use by process ${owner} (or remove ${lock})`,
          );
        fs.rmSync(lock, { force: true });
      }
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure(USAGE_STATUS, `--upper: ${directory}: ${reasonOf(error)}`);
  }
  const release = (): void => fs.rmSync(lock, { force: true });
  process.once("exit", release);
  return release;
}

function isRunning(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Killed, and waiting for its parent to ask how it ended. */
function isZombie(pid: number): boolean {
  if (process.platform !== "linux") return false;
  try {
    return /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
