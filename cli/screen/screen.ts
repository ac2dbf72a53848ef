import { readFileSync } from "node:fs";
import type { Commands } from "../../debug/commands/commands.js";
import { CommandError } from "../../debug/commands/command-error.js";
import { stopOutcome } from "../../debug/commands/stop-outcome.js";
import { reasonLines } from "../../debug/commands/stop-text.js";
import type { Outcome } from "../../debug/commands/verb.js";
import type { DebugSession } from "../../debug/session/debug-session.js";
import type { Progress, StopReport } from "../../debug/session/stop-report.js";
import { shortened } from "../../debug/views/meaning.js";
import { placeName } from "../../debug/views/sources.js";
import { areaName } from "../../kernel/mm/proc-maps.js";
import { reasonOf } from "../failure.js";
import { timestamp } from "../node-modules.js";
import { span, type Line } from "./canvas.js";
import { STYLES } from "./cell-style.js";
import { draw } from "./draw.js";
import type { PanelName } from "./layout.js";
import { sourceTrouble } from "./panels/code.js";
import type { PanelSource } from "./panels/panel-source.js";
import { readPanel } from "./panels/read-panel.js";
import { ProgramTerminal } from "./program-terminal.js";
import { programSize, type ScreenHost } from "./screen-host.js";
import { initialState, type Row, type ScreenState, type Status } from "./state.js";
import { layoutOf, update, type Effect, type ScreenEvent } from "./update.js";
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
const LOG_LINES = 2000;
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
  private wake = (): void => {};
  private slice = FIRST_SLICE;
  private drawn = 0;
  /** When what is under way was begun. */
  private began = 0;
  private source: PanelSource;
  /** Panels that show the machine as it stands, with the columns that they were made for. */
  private readonly fresh = new Map<PanelName, number>();
  private outputChanged = true;

  constructor(private readonly options: ScreenOptions) {
    const { host, session, commands, colour, program } = options;
    this.terminal = new UserTerminal(
      {
        key: (key) => this.dispatch({ kind: "key", key }),
        mouse: (action, column, row) => this.dispatch({ kind: "mouse", action, column, row }),
        typed: (bytes) => this.typed(bytes),
        left: () => this.dispatch({ kind: "left" }),
        resized: (columns, rows) => this.resized(columns, rows),
        resumed: () => this.paint(),
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
    this.source = this.newSource();
  }

  async run(): Promise<number> {
    this.terminal.open();
    try {
      this.dispatch({ kind: "stopped", status: this.status(this.options.session.last) });
      this.paint();
      while (!this.leaving) {
        if (this.moving !== null) await this.advance(this.moving);
        else if (this.lines.length > 0) this.execute(this.lines.shift()!);
        else await this.woken(Infinity);
        if (timestamp() - this.drawn >= FRAME_MS || this.moving === null) this.paint();
      }
    } finally {
      this.terminal.close();
    }
    return 0;
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
        this.source = { ...this.source, [effect.panel === "memory" ? "memoryAddress" : "walkAddress"]: null };
        this.fresh.delete(effect.panel);
        return;
      case "next-thread":
        this.nextThread();
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
      this.log(`> ${line}`, "label");
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
      const known = error instanceof CommandError || error instanceof RangeError;
      const text = known ? error.message : `internal error: ${error.message}`;
      this.log(text, "refused");
      this.dispatch({ kind: "said", text, bad: true });
    }
  }

  private answer(lines: readonly string[], asked: boolean): void {
    for (const line of lines) this.log(line, "plain");
    this.changed();
    if (!asked || lines.length === 0) return;
    if (lines.length > 1) this.dispatch({ kind: "show", panel: "log", focus: false });
    else this.dispatch({ kind: "said", text: lines[0]!, bad: false });
  }

  private log(text: string, style: "plain" | "label" | "refused"): void {
    const line: Line = [span(text, STYLES[style])];
    this.source = { ...this.source, log: [...this.source.log, line].slice(-LOG_LINES) };
    this.fresh.delete("log");
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
    this.changed();
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
    this.changed();
    this.dispatch({ kind: "stopped", status: this.status(session.last) });
    if (!asked && refusedHere(report)) this.dispatch({ kind: "show", panel: "why", focus: false });
    this.attempt(() => this.begin(next, this.state.running ?? "", asked));
  }

  /** Sleeps until a key, or so long. True if the time has passed. */
  private async woken(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const passed = await new Promise<boolean>((resolve) => {
      this.wake = () => resolve(false);
      if (milliseconds < LONGEST_SLEEP) timer = setTimeout(() => resolve(true), Math.max(0, milliseconds));
    });
    clearTimeout(timer);
    this.wake = () => {};
    return passed;
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
    if (panel === "memory") this.source = { ...this.source, memoryAddress: address };
    else this.source = { ...this.source, walkAddress: address };
    this.fresh.delete(panel);
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
    if (next !== undefined) this.lines.push(`thread ${next}`);
  }

  private changeCodeMode(): void {
    const trouble = sourceTrouble(this.source);
    const mode = this.state.codeMode === "source" && trouble === null ? "instructions" : "source";
    this.dispatch({ kind: "code-mode", mode });
    this.fresh.delete("code");
    if (trouble !== null) this.dispatch({ kind: "said", text: trouble, bad: true });
  }

  // What is shown.

  /** The machine, or what is set in it, is another: every panel is read again. */
  private changed(): void {
    this.fresh.clear();
    this.source = { ...this.newSource(), log: this.source.log };
  }

  private newSource(): PanelSource {
    const { session, commands } = this.options;
    const previous: PanelSource | undefined = this.source;
    return {
      session,
      view: commands.context.view(),
      before: commands.context.registersBefore ?? null,
      codeMode: this.state.codeMode,
      memoryAddress: previous?.memoryAddress ?? null,
      walkAddress: previous?.walkAddress ?? null,
      subject: subjectOf(session.last),
      log: previous?.log ?? [],
    };
  }

  private status(report: StopReport): Status {
    const { session, program } = this.options;
    const living = [...session.machine.kernel.tasks.values()].filter(({ state }) => state !== "dead");
    const over = report.reason === "ended";
    const view = this.source.view;
    const here = over ? undefined : view.modules.lineAt(view.rip, view.task.mm);
    const name = over ? undefined : (view.nameAt(view.rip) ?? placeIn(view));
    const [reason = "at"] = reasonLines(session, report);
    const place = [name, here === undefined ? undefined : placeName(here)].filter(
      (part) => part !== undefined,
    );
    return {
      program,
      stop: place.length === 0 ? reason : `${reason} ${place.join(" ")}`,
      refused: refusedHere(report),
      instructions: session.now.instructions,
      thread: living.length > 1 ? `thread ${session.task.tid} of ${living.length}` : "",
      wantsInput: false,
      over,
      subject: subjectOf(report) ?? null,
    };
  }

  private paint(): void {
    this.drawn = timestamp();
    if (this.outputChanged) {
      this.outputChanged = false;
      this.terminal.applicationKeys = this.output.applicationKeys;
      this.state = update(this.state, { kind: "program", program: this.output.screen() }).state;
    }
    this.readPanels();
    this.terminal.show(draw(this.state));
  }

  /** Reads the panels on the screen that do not show the machine as it stands, or as it stood when it ran last. */
  private readPanels(): void {
    if (this.source.codeMode !== this.state.codeMode)
      this.source = { ...this.source, codeMode: this.state.codeMode };
    const contents: Partial<Record<PanelName, ReturnType<typeof readPanel>>> = {};
    for (const { panel, area } of layoutOf(this.state)) {
      const columns = area.columns - (area.column > 0 ? 1 : 0);
      if (this.fresh.get(panel) === columns) continue;
      this.attempt(() => (contents[panel] = readPanel(panel, this.source, columns)));
      this.fresh.set(panel, columns);
    }
    this.state = update(this.state, { kind: "contents", contents }).state;
  }
}

/** Where code without symbols is: `0x7ffff7fe4b70 in ld-linux-x86-64.so.2`. */
function placeIn({ task, rip }: PanelSource["view"]): string {
  const area = task.mm.findArea(rip);
  const name = area === null ? "" : shortened(areaName(task.mm, area));
  return `0x${rip.toString(16)}${name === "" ? "" : ` in ${name}`}`;
}

/** The address that a stop is about. */
function subjectOf({ happenings }: StopReport): number | undefined {
  for (const happening of happenings) {
    const refusal = "refusal" in happening ? happening.refusal : undefined;
    const address = refusal?.address ?? ("address" in happening ? happening.address : undefined);
    if (address !== undefined && happening.kind !== "address") return address;
    if (happening.kind === "area") return happening.change.start;
  }
  return undefined;
}

function refusedHere({ happenings }: StopReport): boolean {
  return happenings.some(
    (happening) =>
      happening.kind === "refusal" || ("refusal" in happening && happening.refusal !== undefined),
  );
}

/** @throws CommandError */
function sourceLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch (error) {
    throw new CommandError(`source: ${path}: ${reasonOf(error)}`);
  }
}
