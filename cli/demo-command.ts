import { BufferHost } from "../debug/buffer-host.js";
import { explanationLines } from "../debug/explain/explanation.js";
import { areaText, grouped } from "../debug/explain/refusal-text.js";
import { COLOURED, PLAIN, wrap, type Style } from "../debug/explain/style.js";
import { Machine } from "../debug/machine.js";
import type { TraceRecord } from "../debug/trace/record.js";
import { findSample, samples, type Sample, type StoryLine } from "../userland/index.js";
import { Failure, NOT_FOUND_STATUS } from "./failure.js";
import { explanationOptions } from "./observers.js";
import { UsageError } from "./option-parser.js";
import { columnsOf, wantsColour, writeAll } from "./output.js";

const DEFAULT_SAMPLE = "jit-heap";
const HELP = `Usage: sealab demo [SAMPLE]

Runs a sample program and tells what happens: each system call, what the program
prints, each refusal and the reason. The default is ${DEFAULT_SAMPLE}; the samples:

`;

/** `sealab demo`. */
export function demoCommand(args: readonly string[]): number {
  const [name = DEFAULT_SAMPLE, ...more] = args;
  if (name === "--help" || name === "-h") {
    const names = samples.map((sample) => `  ${sample.name.padEnd(24)}${sample.title}\n`);
    writeAll(1, HELP + names.join(""));
    return 0;
  }
  if (name.startsWith("-")) throw new UsageError(`demo: unknown option ${name}`);
  if (more.length > 0) throw new UsageError(`demo: unexpected argument ${more[0]!}`);
  const sample = findSample(name);
  if (sample === undefined)
    throw new Failure(NOT_FOUND_STATUS, `${name}: no such sample (sealab samples lists them)`);
  return new Telling(sample).run();
}

/** One sample's run, told on stdout. */
class Telling {
  private readonly columns = columnsOf(1);
  private readonly style: Style = wantsColour(1) ? COLOURED : PLAIN;
  private readonly host = new BufferHost();
  private readonly machine = Machine.create({ host: this.host });
  private readonly counts = new Map<string, number>();
  private readonly explained = new Set<string>();
  private shownOutput = 0;

  constructor(private readonly sample: Sample) {}

  run(): number {
    const { sample, machine, style } = this;
    this.line(style.strong(`sealab demo: ${sample.name}`) + style.faint(` – ${sample.title}`));
    this.line(style.faint("─".repeat(this.columns)));
    for (const text of this.storyFor((line) => line.on === "start")) this.prose(text);
    const detach = machine.trace((record) => this.tell(record));
    machine.load(sample.build(), { path: `/${sample.name}`, argv: [sample.name] });
    machine.run();
    detach();
    this.line("");
    for (const text of this.storyFor((line) => line.on === "end")) this.prose(text);
    this.ending();
    const { exit } = machine;
    if (exit === null) return 1;
    return exit.signal === null ? exit.code : 128 + exit.signal;
  }

  private storyFor(wanted: (line: StoryLine) => boolean): string[] {
    return (this.sample.story ?? []).filter(wanted).map((line) => line.text);
  }

  private count(key: string): number {
    const next = (this.counts.get(key) ?? 0) + 1;
    this.counts.set(key, next);
    return next;
  }

  private tell(record: TraceRecord): void {
    switch (record.type) {
      case "syscall":
        this.tellSyscall(record);
        break;
      case "signal": {
        const nth = this.count("fault");
        const story = this.storyFor((line) => line.on === "fault" && line.nth === nth);
        this.event("✗", record.text, true, story, record);
        break;
      }
      case "exec":
      case "exit":
        this.line("");
        this.line(this.style.faint(`  ${record.text}`));
        break;
    }
  }

  private tellSyscall(record: Extract<TraceRecord, { type: "syscall" }>): void {
    const nth = this.count(`syscall ${record.name}`);
    const story = this.storyFor(
      (line) => line.on === "syscall" && line.name === record.name && line.nth === nth,
    );
    const isOutput = record.name === "write" && record.errno === undefined;
    if (isOutput) {
      if (story.length > 0) {
        this.line("");
        for (const text of story) this.prose(text);
      }
      this.programOutput();
    } else if (record.errno === undefined && record.name.startsWith("rt_sig")) {
      // How faults are caught is no part of these stories.
    } else {
      this.event(
        record.errno === undefined ? "▸" : "✗",
        record.text,
        record.errno !== undefined,
        story,
        record,
      );
    }
  }

  private event(
    mark: string,
    text: string,
    refused: boolean,
    story: readonly string[],
    record: TraceRecord,
  ): void {
    const { style } = this;
    this.line("");
    for (const sentence of story) this.prose(sentence);
    this.line(
      `${refused ? style.refused(mark) : style.allowed(mark)} ${style.strong(text.replace(/ {2,}= /, " = "))}`,
    );
    this.explain(explanationLines(record, { ...explanationOptions(this.machine, 1), style }));
  }

  /** What the explanation before has said already is not said again, but for a fault, which gets all of it. */
  private explain(lines: readonly string[]): void {
    const isFault = lines.length > 0 && lines[lines.length - 1]!.includes("code ");
    const fresh = isFault ? lines : lines.filter((line) => !this.explained.has(line));
    for (const line of fresh) this.line(`    ${line}`);
    if (fresh.length < lines.length) this.line(this.style.faint("    (the rest as above)"));
    for (const line of lines) this.explained.add(line);
  }

  /** What the program has printed since the last time. */
  private programOutput(): void {
    const text = this.host.text(1).slice(this.shownOutput);
    this.shownOutput += text.length;
    for (const line of text.split("\n").filter((one) => one !== ""))
      this.line(this.style.allowed(`  │ ${line}`));
  }

  private prose(text: string): void {
    for (const line of wrap(text, this.columns - 2)) this.line(`  ${this.style.faint(line)}`);
  }

  private ending(): void {
    const { machine, style } = this;
    const watched = machine.areas().filter((area) => area.sealed || area.key !== 0);
    if (watched.length > 0) {
      this.line("");
      this.line("The areas with a seal or a key, at the end:");
      for (const area of watched) this.line(`  ${areaText(area)}`);
    }
    this.line(style.faint("─".repeat(this.columns)));
    this.line(style.faint(`${grouped(machine.instructions)} instructions. Next:`));
    this.line(`  npx sealab run --trace --explain --sample ${this.sample.name}`);
    this.line("  npx sealab demo page-crossing-jump");
    this.line("  npx sealab --help");
  }

  private line(text: string): void {
    writeAll(1, `${text}\n`);
  }
}
