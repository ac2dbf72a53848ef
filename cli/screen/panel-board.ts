import type { Context } from "../../debug/commands/context.js";
import { span, type Line } from "./canvas.js";
import { STYLES } from "./cell-style.js";
import type { PanelName, Placed } from "./layout.js";
import type { PanelSource } from "./panels/panel-source.js";
import { readPanel } from "./panels/read-panel.js";
import type { CodeMode, ScreenState } from "./state.js";
import { subjectOf } from "./stop-status.js";

const LOG_LINES = 2000;

/** What the panels read, and which of them have read it: a panel is read when it is on the screen. */
export class PanelBoard {
  source: PanelSource;
  /** Panels that show the machine as it stands, with the columns that they were read for. */
  private readonly fresh = new Map<PanelName, number>();

  constructor(private readonly context: Context) {
    this.source = this.read({ codeMode: "source", memoryAddress: null, walkAddress: null, log: [] });
  }

  /** The machine, or what is set in it, is another: every panel is to be read again. */
  changed(): void {
    this.fresh.clear();
    this.source = this.read(this.source);
  }

  /** Memory and walk show what is at an address; null: what they do unless told. */
  look(panel: "memory" | "walk", address: number | null): void {
    this.source = { ...this.source, [panel === "memory" ? "memoryAddress" : "walkAddress"]: address };
    this.fresh.delete(panel);
  }

  log(text: string, style: "plain" | "label" | "refused"): void {
    const line: Line = [span(text, STYLES[style])];
    this.source = { ...this.source, log: [...this.source.log, line].slice(-LOG_LINES) };
    this.fresh.delete("log");
  }

  /** What the panels on the screen show that do not yet show the machine as it stands, or stood when it ran last. */
  contents(placed: readonly Placed[], codeMode: CodeMode): ScreenState["contents"] {
    if (codeMode !== this.source.codeMode) {
      this.source = { ...this.source, codeMode };
      this.fresh.delete("code");
    }
    const contents: Partial<Record<PanelName, ReturnType<typeof readPanel>>> = {};
    for (const { panel, area } of placed) {
      const columns = area.columns - (area.column > 0 ? 1 : 0);
      if (this.fresh.get(panel) === columns) continue;
      contents[panel] = readPanel(panel, this.source, columns);
      this.fresh.set(panel, columns);
    }
    return contents;
  }

  private read(wishes: Pick<PanelSource, "codeMode" | "memoryAddress" | "walkAddress" | "log">): PanelSource {
    const { context } = this;
    const { codeMode, memoryAddress, walkAddress, log } = wishes;
    return {
      session: context.session,
      view: context.view(),
      before: context.registersBefore ?? null,
      subject: subjectOf(context.session.last),
      codeMode,
      memoryAddress,
      walkAddress,
      log,
    };
  }
}
