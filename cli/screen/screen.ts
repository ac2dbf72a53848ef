import { readFileSync } from "node:fs";
import type { Commands } from "../../debug/commands/commands.js";
import { CommandError } from "../../debug/commands/command-error.js";
import { stopOutcome } from "../../debug/commands/stop-outcome.js";
import type { Outcome } from "../../debug/commands/verb.js";
import { ReplayDiffers } from "../../debug/recording/replay-differs.js";
import type { DebugSession } from "../../debug/session/debug-session.js";
import type { Progress, StopReport } from "../../debug/session/stop-report.js";
import { BOUND_STATUS, DIFFERS_STATUS, Failure, reasonOf } from "../failure.js";
import { timestamp } from "../node-modules.js";
import { draw } from "./draw.js";
import { PanelBoard } from "./panel-board.js";
import { sourceTrouble } from "./panels/code.js";
import { ProgramTerminal } from "./program-terminal.js";
import { programSize, type ScreenHost } from "./screen-host.js";
import { initialState, type Row, type ScreenState, type Status } from "./state.js";
import { panelAbout, statusOf } from "./stop-status.js";
import { layoutOf } from "./looking.js";
import type { Effect, ScreenEvent } from "./screen-event.js";
import { update } from "./update.js";
import { UserTerminal } from "./user-terminal.js";

export interface ScreenOptions {
  readonly session: DebugSession;
  readonly commands: Commands;
  /** What the machine was made with, behind the session's own host where there is one. */
  readonly host: ScreenHost;
  /** For the bar at the top. */
  readonly program: string;
  /** False: no colour. */
  readonly colour: boolean;
  /** Milliseconds for all of it; no bound unless told. */
  readonly timeout?: number;
}

/** The debugger on the whole terminal, until the user quits. @returns the exit status */
export function runScreen(options: ScreenOptions): Promise<number> {
  return new Screen(options).run();
}

/** Milliseconds that the machine runs between two looks at the keys. */
const SLICE_MS = 25;
const FIRST_SLICE = 100_000;
const LARGEST_SLICE = 50_000_000;
/** Milliseconds between two drawings while it runs. */
const FRAME_MS = 60;
/** Milliseconds after which what runs is no mere step. */
const LONG_MS = 500;
const LONGEST_SLEEP = 2 ** 30;

type Moving = Extract<Outcome, { readonly kind: "motion" | "question" }>;

class Screen {
  private state: ScreenState;
  private readonly terminal: UserTerminal;
  private readonly output: ProgramTerminal;
  /** Command lines that are still to be carried out. */
  private readonly lines: string[] = [];
  private moving: Moving | null = null;
  private leaving = false;
  /** Status to leave with: of a replay that differed, even if the user looked on. */
  private exitStatus = 0;
  private wake = (): void => {};
  private slice = FIRST_SLICE;
  private drawn = 0;
  private readonly deadline: number;
  /** When what is under way was begun. */
  private began = 0;
  private readonly panels: PanelBoard;
  private outputChanged = true;

  constructor(private readonly options: ScreenOptions) {
    const { host, session, commands, colour, program } = options;
    this.deadline = timestamp() + (options.timeout ?? Infinity);
    this.terminal = new UserTerminal(
      {
        key: (key) => this.dispatch({ kind: "key", key }),
        mouse: (action, column, row) => this.dispatch({ kind: "mouse", action, column, row }),
        typed: (bytes) => this.typed(bytes),
        left: () => this.dispatch({ kind: "left" }),
        resized: (columns, rows) => this.resized(columns, rows),
        resumed: () => this.paint(),
        gone: () => {
          this.leaving = true;
          this.wake();
        },
      },
      colour,
    );
    const { columns, rows } = this.terminal;
    this.state = initialState(columns, rows, program);
    this.output = new ProgramTerminal(
      programSize({ columns, rows }),
      (bytes) => this.typed(bytes),
      () => {
        this.outputChanged = true;
        this.wake();
      },
    );
    host.output = (bytes) => this.output.write(bytes, session.machine.instructions);
    stopOutcome(commands.context, session.last);
    this.panels = new PanelBoard(commands.context);
  }

  async run(): Promise<number> {
    this.terminal.open();
    try {
      this.dispatch({ kind: "stopped", status: this.status() });
      this.paint();
      while (!this.leaving) {
        if (timestamp() >= this.deadline)
          throw new Failure(BOUND_STATUS, `stopped after ${this.options.timeout! / 1000} seconds`);
        if (this.moving !== null) await this.advance(this.moving);
        else if (this.lines.length > 0) this.execute(this.lines.shift()!);
        else await this.woken(Infinity);
        if (timestamp() - this.drawn >= FRAME_MS || this.moving === null) this.paint();
      }
    } finally {
      this.terminal.close();
    }
    return this.exitStatus;
  }

  private dispatch(event: ScreenEvent): void {
    const { state, effects } = update(this.state, event);
    this.state = state;
    this.terminal.forProgram = state.mode === "program";
    for (const effect of effects) this.carryOut(effect);
    this.wake();
  }

  private carryOut(effect: Effect): void {
    const { session } = this.options;
    switch (effect.kind) {
      case "line":
        this.lines.push(effect.line);
        return;
      case "toggle":
        this.toggle(effect.row);
        return;
      case "look":
        this.look(effect.panel, effect.address, true);
        return;
      case "look-away":
        this.panels.look(effect.panel, null);
        return;
      case "next-thread":
        this.nextThread();
        return;
      case "thread":
        this.chooseThread(effect.tid);
        return;
      case "code-mode":
        this.changeCodeMode();
        return;
      case "complete":
        this.dispatch({ kind: "completed", names: this.options.commands.completions(effect.text) });
        return;
      case "interrupt":
        this.lines.length = 0;
        session.interrupt();
        return;
      case "quit":
        this.leaving = true;
        return;
      case "redraw":
        this.terminal.redraw();
        return;
      case "suspend":
        this.terminal.suspended();
        return;
    }
  }

  /** Carries out a command line; what moves is begun. */
  private execute(line: string): void {
    const looking = /^(memory|walk)\s+(.+)$/.exec(line);
    this.attempt(() => {
      if (looking !== null) {
        const address = this.options.commands.context.address(looking[2]!);
        this.look(looking[1] as "memory" | "walk", address, false);
        return;
      }
      this.panels.log(`> ${line}`, "label");
      this.begin(this.options.commands.execute(line), line, true);
    });
  }

  /** @param asked the user wants to read the answer: it is no stop's text */
  private begin(outcome: Outcome, line: string, asked: boolean): void {
    const { session } = this.options;
    switch (outcome.kind) {
      case "lines":
        this.answer(outcome.lines, asked);
        return;
      case "motion":
        session.begin(outcome.motion);
        this.moving = outcome;
        break;
      case "question":
        session.ask(outcome.question);
        this.moving = outcome;
        break;
      case "source":
        this.lines.unshift(...sourceLines(outcome.path));
        return;
      case "quit":
        this.leaving = true;
        return;
    }
    this.began = timestamp();
    this.dispatch({ kind: "running", verb: line, instructions: session.now.instructions });
  }

  /** Does what may be refused, and tells the user why it was. */
  private attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      // The session refuses with RangeErrors what makes no sense; all else is a mistake of ours, and the run stands.
      if (!(error instanceof Error)) throw error;
      this.lines.length = 0;
      const differs = error instanceof ReplayDiffers;
      if (differs) this.exitStatus = DIFFERS_STATUS;
      const known = differs || error instanceof CommandError || error instanceof RangeError;
      const text = known ? error.message : `internal error: ${error.message}`;
      this.panels.log(text, "refused");
      this.dispatch({ kind: "said", text, bad: true });
    }
  }

  private answer(lines: readonly string[], asked: boolean): void {
    for (const line of lines) this.panels.log(line, "plain");
    this.panels.changed();
    this.state = { ...this.state, status: this.status() };
    if (!asked || lines.length === 0) return;
    if (lines.length > 1) this.dispatch({ kind: "show", panel: "log", focus: false });
    else this.dispatch({ kind: "said", text: lines[0]!, bad: false });
  }

  /** Runs a slice of what is under way. */
  private async advance(moving: Moving): Promise<void> {
    const { session } = this.options;
    let progress: Progress | null = null;
    const begun = timestamp();
    this.attempt(() => (progress = session.advance(this.slice)));
    const took = timestamp() - begun;
    if (begun - this.began > LONG_MS && !this.state.runsLong) this.dispatch({ kind: "runs-long" });
    if (took < SLICE_MS / 2) this.slice = Math.min(LARGEST_SLICE, this.slice * 2);
    else if (took > SLICE_MS * 2) this.slice = Math.max(1000, Math.floor(this.slice / 2));
    await this.follow(moving, progress);
  }

  private async follow(moving: Moving, progress: Progress | null): Promise<void> {
    const { session } = this.options;
    switch (progress?.state) {
      case "running":
      case "searching": {
        const instructions = progress.state === "searching" ? progress.at : session.now.instructions;
        this.state = { ...this.state, status: { ...this.state.status, instructions, wantsInput: false } };
        await new Promise((resolve) => setImmediate(resolve));
        return;
      }
      case "waiting":
        await this.wait(progress.input, progress.deadline);
        return;
      case "stopped":
        this.finish(moving, progress.report);
        return;
      case undefined:
        // It could not go on; the machine stands somewhere.
        this.finish(null, session.last);
    }
  }

  /** All tasks wait: so do we, for a key or until the time has passed. */
  private async wait(input: boolean, deadline: number | null): Promise<void> {
    const { session, host } = this.options;
    const { machine } = session;
    const status: Status = {
      ...this.state.status,
      instructions: session.now.instructions,
      wantsInput: input,
    };
    this.state = { ...this.state, status };
    this.output.showUntil(session.now.instructions);
    // It may wait for long: where it does is worth seeing.
    this.panels.changed();
    this.paint();
    if (host.pending > 0 && machine.fromOutside({ kind: "keys" })) return;
    const milliseconds = deadline === null ? Infinity : (deadline - machine.kernel.clock.monotonic()) / 1e6;
    const passed = await this.woken(milliseconds);
    if (passed && deadline !== null && session.moving) session.passTime(deadline);
  }

  private finish(moving: Moving | null, report: StopReport): void {
    const { session } = this.options;
    this.moving = null;
    const asked = moving?.kind === "question";
    let next: Outcome = { kind: "lines", lines: [] };
    if (moving !== null)
      this.attempt(() => (next = moving.kind === "motion" ? moving.finish(report) : moving.finish()));
    this.output.showUntil(session.now.instructions);
    this.panels.changed();
    this.dispatch({ kind: "stopped", status: this.status() });
    const about = asked ? null : panelAbout(report);
    if (about !== null) this.dispatch({ kind: "show", panel: about, focus: false });
    this.attempt(() => this.begin(next, this.state.running ?? "", asked));
  }

  /** Sleeps until a key, or so long. True if the time has passed. */
  private async woken(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const passed = await new Promise<boolean>((resolve) => {
      this.wake = () => resolve(false);
      const most = Math.max(0, Math.min(milliseconds, this.deadline - timestamp()));
      if (most < LONGEST_SLEEP) timer = setTimeout(() => resolve(true), most);
    });
    clearTimeout(timer);
    this.wake = () => {};
    return passed && timestamp() < this.deadline;
  }

  private typed(bytes: Uint8Array): void {
    const { host, session } = this.options;
    host.type(bytes);
    session.machine.fromOutside({ kind: "keys" });
    this.wake();
  }

  private resized(columns: number, rows: number): void {
    const { host, session } = this.options;
    const size = programSize({ columns, rows });
    host.resize(columns, rows);
    this.output.resize(size.columns, size.rows);
    session.machine.fromOutside({ kind: "resize" });
    this.dispatch({ kind: "resized", columns, rows });
    this.paint();
  }

  // What the keys do beside command lines.

  private toggle({ address, source }: Row): void {
    const { session, commands } = this.options;
    const { modules } = session.machine;
    const { mm } = session.task;
    const here = session.breaks().filter(({ what }) => {
      if (what.kind !== "address") return false;
      if (address !== undefined) return what.address === address;
      const line = modules.lineAt(what.address, mm);
      return line !== undefined && line.file === source?.file && line.line === source.line;
    });
    this.attempt(() => {
      for (const { id } of here) session.deleteBreak(id);
      const place = address === undefined ? `${source!.file}:${source!.line}` : `*0x${address.toString(16)}`;
      if (here.length > 0) this.answer([`break ${here.map(({ id }) => id).join(", ")} deleted`], true);
      else this.begin(commands.execute(`break ${place}`), "", true);
    });
  }

  /** @param fromRow the row stays chosen, in its panel */
  private look(panel: "memory" | "walk", address: number, fromRow: boolean): void {
    this.panels.look(panel, address);
    const focus =
      !fromRow || this.state.zoomed || (this.state.focus !== "code" && this.state.focus !== "registers");
    this.dispatch({ kind: "show", panel, focus });
  }

  private nextThread(): void {
    const { session } = this.options;
    const tids = [...session.machine.kernel.tasks.values()]
      .filter((task) => task.state !== "dead")
      .map(({ tid }) => tid)
      .sort((a, b) => a - b);
    const next = tids[(tids.indexOf(session.task.tid) + 1) % tids.length];
    if (next !== undefined) this.chooseThread(next);
  }

  private chooseThread(tid: number): void {
    const { commands } = this.options;
    this.attempt(() => this.begin(commands.execute(`thread ${tid}`), "", false));
  }

  private changeCodeMode(): void {
    const trouble = sourceTrouble(this.panels.source);
    const mode = this.state.codeMode === "source" && trouble === null ? "instructions" : "source";
    this.dispatch({ kind: "code-mode", mode });
    if (trouble !== null) this.dispatch({ kind: "said", text: trouble, bad: true });
  }

  // What is shown.

  private status(): Status {
    const { session, program } = this.options;
    return statusOf(session, this.panels.source.view, program);
  }

  private paint(): void {
    this.drawn = timestamp();
    if (this.outputChanged) {
      this.outputChanged = false;
      this.terminal.applicationKeys = this.output.applicationKeys;
      this.state = update(this.state, { kind: "program", program: this.output.screen() }).state;
    }
    this.attempt(() => {
      const contents = this.panels.contents(layoutOf(this.state), this.state.codeMode);
      this.state = update(this.state, { kind: "contents", contents }).state;
    });
    this.terminal.show(draw(this.state));
  }
}

/** @throws CommandError */
function sourceLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    throw new CommandError(`source: ${path}: ${reasonOf(error)}`);
  }
}
