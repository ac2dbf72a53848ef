import { CommandError } from "../../debug/commands/command-error.js";
import type { Commands } from "../../debug/commands/commands.js";
import { ReplayDiffers } from "../../debug/recording/replay-differs.js";
import { DIFFERS_STATUS, USAGE_STATUS } from "../failure.js";
import { writeAll } from "../output.js";
import type { Driver } from "./driver.js";
import { readScript, type ScriptLine } from "./script.js";

const DEEPEST_SOURCE = 16;
const HISTORY = 500;

/** The debugger as lines: scripts, and what the user types. */
export class LineMode {
  private readonly history: string[] = [];

  constructor(
    private readonly commands: Commands,
    private readonly driver: Driver,
  ) {}

  /**
   * Does lines one after the other, up to the first that cannot be done.
   * @returns null at their end; else with which status to leave
   */
  async script(lines: readonly ScriptLine[], depth = 0): Promise<number | null> {
    for (const { text, from } of lines) {
      const status = await this.line(text, from, depth);
      if (status !== null) return status;
    }
    return null;
  }

  /** Commands from the terminal, to `quit` or the end of input. @returns the status to leave with */
  async prompt(): Promise<number> {
    let last = "";
    for (;;) {
      const typed = await this.ask();
      if (typed === null) return 0;
      if (typed.trim() !== "") last = this.commands.repeats(typed) ? typed : "";
      const text = typed.trim() === "" ? last : typed;
      const status = await this.line(text, null, 0);
      if (status !== null) return status;
    }
  }

  /** @param from where a script's line stands; null: typed, and a mistake is no end */
  private async line(text: string, from: string | null, depth: number): Promise<number | null> {
    try {
      const outcome = await this.driver.run(text);
      if (outcome.kind === "quit") return 0;
      if (outcome.kind === "source") {
        if (depth >= DEEPEST_SOURCE)
          throw new CommandError(`source ${outcome.path}: too many files in files`);
        return await this.script(scriptLines(outcome.path), depth + 1);
      }
      say(outcome.lines);
      return null;
    } catch (error) {
      const differs = error instanceof ReplayDiffers;
      if (!differs && !(error instanceof CommandError)) throw error;
      if (from === null) {
        say([error.message]);
        return null;
      }
      writeAll(2, `sealab: ${from}: ${error.message}\n`);
      return differs ? DIFFERS_STATUS : USAGE_STATUS;
    }
  }

  /** A typed line; null at the end of input. */
  private async ask(): Promise<string | null> {
    const { createInterface } = await import("node:readline");
    return new Promise((resolve) => {
      // For each line anew: in between the terminal is the program's.
      const reader = createInterface({
        input: process.stdin,
        output: process.stdout,
        historySize: HISTORY,
        history: [...this.history],
        completer: (line: string) => {
          const word = /\S*$/.exec(line)![0];
          return [this.commands.completions(line), word];
        },
      });
      let answer: string | null = null;
      reader.on("history", (lines) => this.history.splice(0, this.history.length, ...lines));
      reader.on("SIGINT", () => {
        writeAll(1, "\n");
        reader.prompt();
      });
      reader.on("line", (text) => {
        answer = text;
        reader.close();
      });
      reader.on("close", () => {
        if (answer === null) writeAll(1, "\n");
        resolve(answer);
      });
      reader.setPrompt("(sealab) ");
      reader.prompt();
    });
  }
}

/** @throws CommandError */
function scriptLines(path: string): ScriptLine[] {
  try {
    return readScript(path);
  } catch (error) {
    throw new CommandError(`source ${(error as Error).message}`);
  }
}

export function say(lines: readonly string[]): void {
  if (lines.length > 0) writeAll(1, `${lines.join("\n")}\n`);
}
