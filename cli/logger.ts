import { pino, type Logger } from "pino";
import { ENOSYS } from "../kernel/errno.js";
import type { Machine } from "../debug/machine.js";

export type { Logger } from "pino";

/** sealab's own log: JSON lines on stderr, written at once. */
export function createLogger(level: string): Logger {
  const output = pino.destination({ fd: 2, sync: true });
  // What standard error does not take is lost: there is nobody to tell.
  output.on("error", () => {});
  return pino({ level, base: null }, output);
}

/** What is worth a line: a call that sealab does not have, refusals, signals, changes of areas. */
export function logMachine(log: Logger, machine: Machine): void {
  if (log.isLevelEnabled("warn")) {
    machine.on("syscallExit", ({ name, number, result, instruction }) => {
      if (result === BigInt(-ENOSYS)) log.warn({ name, number, instruction }, "no such system call here");
    });
  }
  if (log.isLevelEnabled("info")) {
    machine.on("signal", ({ info, outcome, instruction }) =>
      log.info({ signal: info.signo, code: info.code, outcome, instruction }, "signal"),
    );
  }
  if (log.isLevelEnabled("debug")) {
    machine.on("refusal", ({ rule, errno, text }) => log.debug({ rule, errno }, text));
  }
  if (log.isLevelEnabled("trace")) {
    machine.on("area", (change) => log.trace(change, "area"));
    machine.on("fault", ({ address, errorCode, rip, signal }) =>
      log.trace({ address, errorCode, rip, signal }, "page fault"),
    );
  }
}
