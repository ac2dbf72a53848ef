/**
 * What a short run does without: loading Node's own modules takes longer than many a program runs. These are loaded
 * at their first use.
 */
import * as fs from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const childProcess = (): typeof import("node:child_process") =>
  require("node:child_process") as typeof import("node:child_process");
export const crypto = (): typeof import("node:crypto") =>
  require("node:crypto") as typeof import("node:crypto");
export const zlib = (): typeof import("node:zlib") => require("node:zlib") as typeof import("node:zlib");

/** Whether a descriptor is a terminal. */
export function isatty(fd: number): boolean {
  return mayBeTerminal(fd) && (require("node:tty") as typeof import("node:tty")).isatty(fd);
}

function mayBeTerminal(fd: number): boolean {
  if (process.platform === "win32") return true;
  try {
    const stat = fs.fstatSync(fd);
    return stat.isCharacterDevice() && stat.rdev !== fs.statSync("/dev/null").rdev;
  } catch {
    return false;
  }
}

/** Milliseconds since some time or other: what performance.now() says, without its module. */
export function timestamp(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}
