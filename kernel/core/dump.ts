/** What a signal that dumps core leaves behind (fs/coredump.c do_coredump). */

import { unlink } from "../fs/names.js";
import { startOf } from "../fs/namespace.js";
import { openPath } from "../fs/open.js";
import { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } from "../fs/open-flags.js";
import { RegularOpenFile } from "../fs/regular-open-file.js";
import type { Kernel } from "../kernel.js";
import { RLIMIT_CORE } from "../limits.js";
import type { SignalInfo } from "../signals/siginfo.js";
import type { Task } from "../task.js";
import { coreNotes } from "./notes.js";
import { coreName } from "./pattern.js";
import { writeCore } from "./write.js";

/** The smallest limit with which a core file is begun: a page (min_coredump of binfmt_elf). */
const SMALLEST = 4096;
/** PN_XNUM less the notes: more areas than this would want a section header. */
const MOST_AREAS = 0xfffe;

/** Setting of /proc/sys/kernel, in `Kernel.tunables`. */
export const CORE_PATTERN = "kernel/core_pattern";
export const CORE_USES_PID = "kernel/core_uses_pid";

/**
 * Writes the core file of a task's process, as the process itself could: into its current directory or where the
 * pattern says, by its own rights. Its threads are all there yet.
 * @returns whether there is one, however short: what the parent is told
 */
export function dumpCore(kernel: Kernel, task: Task, signal: SignalInfo): boolean {
  const limit = task.limits.soft(RLIMIT_CORE);
  if (limit < SMALLEST || task.process.dumpable !== 1) return false;
  kernel.userfaults?.refuse();
  const { mm, fs, credentials } = task;
  if ([...mm.areas()].length > MOST_AREAS) return false;
  const name = coreName(
    kernel.tunables.get(CORE_PATTERN) ?? "core",
    kernel.tunables.get(CORE_USES_PID) === "1",
    {
      pid: task.pid,
      tid: task.tid,
      uid: credentials.uid,
      gid: credentials.gid,
      dumpable: task.process.dumpable,
      signal: signal.signo,
      seconds: Number(
        (kernel.clock.realtimeOrigin + BigInt(Math.floor(kernel.clock.monotonic()))) / 1_000_000_000n,
      ),
      hostname: kernel.hostname,
      comm: task.comm,
      executable: task.executable,
      limit,
    },
  );
  if (name === "") return false;
  const start = startOf(fs, credentials);
  // An old one goes, so that nobody's file is written over.
  unlink(start, name);
  const file = openPath(fs, credentials, fs.cwd, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
  if (!(file instanceof RegularOpenFile)) return false;
  file.hold();
  // A umask may have taken the owner's own rights (do_coredump): then it stays empty.
  const mayWrite = (file.node.mode & 0o677) === 0o600;
  if (mayWrite) writeCore(mm, coreNotes(kernel, task, signal), file, limit);
  file.release();
  return mayWrite;
}
