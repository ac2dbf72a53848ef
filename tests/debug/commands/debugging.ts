import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../../../debug/commands/command-error.js";
import { Commands } from "../../../debug/commands/commands.js";
import { Machine } from "../../../debug/machine.js";
import { createDebugSession } from "../../../debug/session/create-debug-session.js";
import { findSample } from "../../../userland/index.js";

/** A program under the debugger's commands, in this process. */
export interface Debugged {
  readonly commands: Commands;
  /** Does commands, each to its end; all that they print. A command that cannot be done prints `error: WHY`. */
  do(...lines: readonly string[]): string;
}

export const KEEPER_SOURCE = readFileSync(join(import.meta.dirname, "keeper.c"), "utf8");
const KEEPER = readFileSync(join(import.meta.dirname, "keeper.elf"));

/** keeper.c, as keeper.elf has it. */
export function keeper(): Debugged {
  return debugging(KEEPER, "/keeper/keeper");
}

export function sample(name: string): Debugged {
  return debugging(findSample(name)!.build(), `/${name}`);
}

export function debugging(elf: Uint8Array, path: string): Debugged {
  const machine = Machine.create();
  machine.load(elf, { path });
  machine.modules.files = { text: (name) => (name.endsWith("/keeper.c") ? KEEPER_SOURCE : undefined) };
  const commands = new Commands(createDebugSession(machine, {}));
  const one = (line: string): readonly string[] => {
    try {
      return commands.complete(commands.execute(line)) ?? ["(quit)"];
    } catch (error) {
      if (error instanceof CommandError) return [`error: ${error.message}`];
      throw error;
    }
  };
  return { commands, do: (...lines) => lines.flatMap(one).join("\n") };
}

/** The number of keeper.c's first line that contains this. */
export function lineOf(code: string): number {
  const at = KEEPER_SOURCE.split("\n").findIndex((line) => line.includes(code));
  if (at < 0) throw new Error(`keeper.c has no ${code}`);
  return at + 1;
}
