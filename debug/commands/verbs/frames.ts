/** `frame`, `up`, `down`: whose variables and registers are looked at. */

import { frameRows } from "../../views/frames.js";
import { sourceRows } from "../../views/sources.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { lines, type Outcome, type Verb } from "../verb.js";

/** So deep a recursion is looked at. */
const MOST_FRAMES = 10_000;

/** Chooses a frame, and shows it with its source line. @throws CommandError where there is none */
function choose(context: Context, level: number): Outcome {
  const row = level < 0 ? undefined : frameRows(context.thread(), Math.min(level + 1, MOST_FRAMES))[level];
  if (row === undefined) {
    const last = frameRows(context.thread(), MOST_FRAMES).length - 1;
    throw new CommandError(
      level < 0 ? "this is the innermost frame" : `no frame ${level}; the outermost is ${last}`,
    );
  }
  context.frame = level;
  const { source } = row;
  const code =
    source === undefined
      ? []
      : sourceRows(context.view(), { file: source.file, around: source.line, count: 1 });
  return lines(row.text, ...code.map(({ text }) => text));
}

export const FRAMES: readonly Verb[] = [
  {
    name: "frame",
    aliases: ["f"],
    group: "looking",
    usage: "[N]",
    help: "The frame that is looked at; N: another one of the backtrace.",
    more: [
      "It stays chosen until the program goes on.",
      "print, info locals, info registers, list and disassemble are about it.",
    ],
    run: ({ context, argument }) =>
      choose(context, argument === "" ? context.frame : Number(context.count(`${argument}+1`, 1)) - 1),
  },
  {
    name: "up",
    group: "looking",
    usage: "[N]",
    help: "The caller's frame, or N frames up.",
    repeats: true,
    run: ({ context, argument }) => choose(context, context.frame + context.count(argument, 1)),
  },
  {
    name: "down",
    group: "looking",
    usage: "[N]",
    help: "The frame that it called, or N frames down.",
    repeats: true,
    run: ({ context, argument }) => choose(context, context.frame - context.count(argument, 1)),
  },
];
