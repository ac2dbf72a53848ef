import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { PATIENCE_MS } from "../patience.js";

const driver = fileURLToPath(new URL("terminal-driver.py", import.meta.url));

/** Python 3 drives the pty. */
export const noPython =
  process.platform === "win32" || spawnSync("python3", ["-c", "import termios, pty"]).status !== 0;

export type Step =
  | readonly [waitFor: string, action: "keys", text: string]
  | readonly [waitFor: string, action: "window", size: readonly [number, number]]
  | readonly [waitFor: string, action: "signal", number: number]
  | readonly [waitFor: string, action: "stopped" | "nothing", value: null];

export interface Session {
  readonly output: string;
  /** As Python has it: negative for a signal. */
  readonly status: number;
  /** The terminal's settings are as they were. */
  readonly restored: boolean;
  readonly problems: readonly string[];
}

/** Runs a program on a pty of the host, pressing keys. */
export function session(argv: readonly string[], steps: readonly Step[]): Session {
  const seconds = PATIENCE_MS / 1000;
  const { stdout, stderr, status } = spawnSync("python3", [driver], {
    input: JSON.stringify({ argv, steps, seconds }),
    encoding: "utf8",
    timeout: 2 * PATIENCE_MS,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Session;
}
