/** One gdb's conversation with the machine: packets in, packets out. Nothing runs but in the machine's own `run`. */

import type { RunResult } from "../../kernel/run-loop.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { Task } from "../../kernel/task.js";
import { GuestMemory } from "../guest-memory.js";
import type { Machine } from "../machine.js";
import { BadPacket, fromHex, hexNumber, latin1Bytes, latin1Text, toHex, unescapeBytes } from "./bytes.js";
import { GuestFiles } from "./guest-files.js";
import { monitor } from "./monitor.js";
import { Objects } from "./objects.js";
import { parseResume, parseStopPoint } from "./packet-commands.js";
import { framed, PacketReader } from "./packet-reader.js";
import { RegisterFile } from "./register-file.js";
import { linuxSignal } from "./signals.js";
import type { TimelineOptions } from "../timeline/timeline.js";
import { RunControl, type Outcome } from "./run-control.js";
import { BAD, FAULT, NO_SUCH, OK, UNKNOWN } from "./replies.js";
import { stopReply } from "./stop-reply.js";
import type { Action, StopEvent, Stops } from "./stops.js";
import { parseThreadId } from "./thread-id.js";
import { Threads } from "./threads.js";

/** Bytes of a packet, either way. */
const PACKET_SIZE = 0x20000;
/** Bytes of memory or of an object that fit into one, however they are written. */
const PART_BYTES = PACKET_SIZE / 2 - 16;
const FEATURES = [
  "QStartNoAckMode+",
  "multiprocess+",
  "swbreak+",
  "hwbreak+",
  "vContSupported+",
  "fork-events+",
  "vfork-events+",
  "exec-events+",
  "QPassSignals+",
  "QCatchSyscalls+",
  "qXfer:features:read+",
  "qXfer:auxv:read+",
  "qXfer:exec-file:read+",
  "qXfer:siginfo:read+",
  "qXfer:threads:read+",
  "ReverseStep+",
  "ReverseContinue+",
];

export class GdbSession {
  private readonly control: RunControl;
  private readonly registers: RegisterFile;
  private files: GuestFiles;
  private reader = new PacketReader();
  private acknowledges = true;
  private readonly threads: Threads;
  private readonly objects: Objects;
  private sent = "";
  private refusal: Refusal | null = null;
  private readonly stopListening: () => void;

  /** @param send bytes to gdb, as latin-1 */
  constructor(
    private readonly machine: Machine,
    private readonly send: (text: string) => void,
    timeline: TimelineOptions = {},
  ) {
    const { kernel } = machine;
    this.control = new RunControl(machine, (event) => this.stopped(event), timeline);
    this.threads = new Threads(kernel, this.control.stops);
    this.registers = new RegisterFile(kernel);
    this.objects = new Objects(this.threads, this.registers, () => this.control.last, PART_BYTES);
    this.registers.atCall = (task) => this.standsAtCall(task);
    this.files = this.newFiles();
    this.stopListening = machine.on("refusal", (refusal) => (this.refusal = refusal));
  }

  /** While true the machine is to be run, by `advance`. */
  get running(): boolean {
    return this.control.running;
  }

  get outcome(): Outcome | null {
    return this.control.outcome;
  }

  /** No process is debugged any more, and gdb has been told so. */
  get isOver(): boolean {
    return this.control.isOver;
  }

  private get stops(): Stops {
    return this.control.stops;
  }

  /** Bytes of a new client: what the last one had set is gone. */
  restart(): void {
    this.control.restart();
    this.reader = new PacketReader();
    this.acknowledges = true;
    this.threads.multiprocess = false;
    this.threads.general = null;
    this.files.closeAll();
    this.files = this.newFiles();
  }

  /** The machine goes on without a debugger. */
  close(): void {
    this.files.closeAll();
    this.stopListening();
    this.control.close();
  }

  /** Bytes from gdb. */
  receive(bytes: Uint8Array): void {
    for (const incoming of this.reader.read(bytes)) {
      if (this.outcome !== null) return;
      switch (incoming.kind) {
        case "interrupt":
          this.control.interrupt();
          break;
        case "resend":
          if (this.sent !== "") this.send(this.sent);
          break;
        case "damaged":
          if (this.acknowledges) this.send("-");
          break;
        case "packet":
          if (this.acknowledges) this.send("+");
          this.handle(incoming.payload);
          break;
      }
    }
  }

  /**
   * Runs the machine for at most about so many instructions, and tells gdb what it stopped for.
   * @returns how the run ended; null where it went back
   */
  advance(maxInstructions: number): RunResult | null {
    return this.control.advance(maxInstructions);
  }

  private stopped(event: StopEvent | null): void {
    // Null: the machine has ended, and who was debugged has been told of.
    if (event === null) this.reply("N");
    else {
      this.threads.general = event.kind === "ended" ? null : event.task;
      this.reply(this.stopReply(event));
    }
  }

  private handle(payload: string): void {
    let reply: string | null;
    try {
      reply = this.answer(payload);
    } catch (error) {
      if (!(error instanceof BadPacket)) throw error;
      reply = BAD;
    }
    if (reply !== null) this.reply(reply);
    if (payload === "QStartNoAckMode") this.acknowledges = false;
  }

  private reply(payload: string): void {
    this.sent = framed(payload);
    this.send(this.sent);
  }

  /** The answer, or null where it comes when the machine has stopped, or never. */
  private answer(payload: string): string | null {
    const rest = payload.slice(1);
    switch (payload[0]) {
      case "?":
        return this.control.last === null ? this.firstStop() : this.stopReply(this.control.last);
      case "g":
        return this.withTask((task) => this.registers.read(task).map(toHex).join(""));
      case "G":
        return this.withTask((task) => this.writeAll(task, fromHex(rest)));
      case "p":
        return this.withTask((task) => {
          const value = this.registers.read(task)[hexNumber(rest)];
          return value === undefined ? BAD : toHex(value);
        });
      case "P": {
        const [index, value] = rest.split("=");
        const values = new Map([[hexNumber(index), fromHex(value ?? "")]]);
        return this.withTask((task) => this.writeRegisters(task, values));
      }
      case "m":
        return this.readMemory(rest);
      case "M":
        return this.writeMemory(rest, fromHex);
      case "X":
        return this.writeMemory(rest, unescapeBytes);
      case "Z":
      case "z":
        return this.stopPoint(rest, payload[0] === "Z");
      case "H":
        return this.threads.choose(rest);
      case "T":
        return this.threads.find(parseThreadId(rest)) === undefined ? NO_SUCH : OK;
      case "c":
      case "s":
        return this.resume(parseResume(payload[0]));
      case "C":
      case "S":
        return this.resume(parseResume(payload.split(";")[0]!));
      case "b":
        return this.reverse(rest);
      case "D":
        return this.detach(rest);
      case "k":
        this.control.kill(this.machine.kernel.init);
        return null;
      case "v":
        return this.verb(payload);
      case "q":
        return this.query(payload);
      case "Q":
        return this.set(payload);
      default:
        return UNKNOWN;
    }
  }

  private verb(payload: string): string | null {
    if (payload === "vCont?") return "vCont;c;C;s;S;t;r";
    if (payload.startsWith("vCont;")) return this.resume(parseResume(payload.slice(6)));
    if (payload.startsWith("vFile:")) return this.files.answer(payload.slice(6));
    if (payload.startsWith("vKill;")) {
      const process = this.threads.process(hexNumber(payload.slice(6)));
      if (process === undefined) return NO_SUCH;
      this.control.kill(process);
      return OK;
    }
    return UNKNOWN;
  }

  private query(payload: string): string | null {
    const [name = ""] = payload.split(/[:,;]/, 1);
    const rest = payload.slice(name.length + 1);
    switch (name) {
      case "qSupported":
        return this.supported(rest.split(";"));
      case "qXfer":
        return this.objects.read(rest);
      case "qRcmd":
        return this.monitor(latin1Text(fromHex(rest)));
      case "qAttached":
        return "0";
      case "qC": {
        const task = this.threads.current;
        return task === undefined ? NO_SUCH : `QC${this.threads.id(task)}`;
      }
      case "qfThreadInfo": {
        const ids = this.stops.tasks().map((task) => this.threads.id(task));
        return ids.length === 0 ? "l" : `m${ids.join(",")}`;
      }
      case "qsThreadInfo":
        return "l";
      case "qThreadExtraInfo": {
        const task = this.threads.find(parseThreadId(rest));
        return task === undefined ? NO_SUCH : toHex(latin1Bytes(task.comm));
      }
      case "qSymbol":
        return OK;
      default:
        return UNKNOWN;
    }
  }

  private set(payload: string): string {
    const [name = ""] = payload.split(/[:,;]/, 1);
    const rest = payload.slice(name.length + 1);
    switch (name) {
      case "QStartNoAckMode":
        return OK;
      case "QPassSignals":
        this.stops.passed = new Set(
          rest.split(";").flatMap((number) => (number === "" ? [] : [linuxSignal(hexNumber(number))])),
        );
        return OK;
      case "QCatchSyscalls": {
        const inferior = this.threads.inferior();
        if (inferior === undefined) return NO_SUCH;
        const [on, ...numbers] = rest.split(";");
        if (on !== "0" && on !== "1") return BAD;
        if (on === "0") inferior.calls = new Set();
        else inferior.calls = numbers.length === 0 ? "all" : new Set(numbers.map(hexNumber));
        return OK;
      }
      default:
        return UNKNOWN;
    }
  }

  private supported(offered: readonly string[]): string {
    this.threads.multiprocess = offered.includes("multiprocess+");
    this.stops.follows = {
      fork: this.threads.multiprocess && offered.includes("fork-events+"),
      vfork: this.threads.multiprocess && offered.includes("vfork-events+"),
      exec: offered.includes("exec-events+"),
    };
    return [`PacketSize=${PACKET_SIZE.toString(16)}`, ...FEATURES].join(";");
  }

  private withTask(act: (task: Task) => string): string {
    const task = this.threads.current;
    return task === undefined ? NO_SUCH : act(task);
  }

  // Registers and memory.

  private writeRegisters(task: Task, values: ReadonlyMap<number, Uint8Array>): string {
    return this.control.change({ kind: "registers", tid: task.tid, values }) ? OK : BAD;
  }

  private writeAll(task: Task, bytes: Uint8Array): string {
    const values = new Map<number, Uint8Array>();
    let at = 0;
    for (const [index, { length }] of this.registers.read(task).entries()) {
      if (at + length > bytes.length) break;
      values.set(index, bytes.subarray(at, at + length));
      at += length;
    }
    return this.writeRegisters(task, values);
  }

  private standsAtCall(task: Task): boolean {
    const { last } = this.control;
    if (last === null || last.kind === "ended" || last.task !== task) return false;
    return !["breakpoint", "watchpoint", "step", "interrupt", "signal"].includes(last.kind);
  }

  private readMemory(text: string): string {
    const [at, size] = text.split(",");
    const address = hexNumber(at);
    const length = Math.min(hexNumber(size), PART_BYTES);
    return this.withTask((task) => {
      const bytes = new GuestMemory(
        this.machine.kernel.memory,
        () => task.mm,
        true,
        (look) => this.machine.aside(look),
      ).read(address, length);
      return bytes.length === 0 && length > 0 ? FAULT : toHex(bytes);
    });
  }

  private writeMemory(text: string, decode: (text: string) => Uint8Array): string {
    const colon = text.indexOf(":");
    if (colon < 0) throw new BadPacket();
    const [at, size] = text.slice(0, colon).split(",");
    const address = hexNumber(at);
    const bytes = decode(text.slice(colon + 1));
    if (bytes.length !== hexNumber(size)) throw new BadPacket();
    return this.withTask((task) => {
      return this.control.change({ kind: "memory", tid: task.tid, address, bytes }) ? OK : FAULT;
    });
  }

  private stopPoint(text: string, insert: boolean): string {
    const point = parseStopPoint(text);
    if (point === null) return UNKNOWN;
    const inferior = this.threads.inferior();
    const task = this.threads.current;
    if (inferior === undefined || task === undefined) return NO_SUCH;
    if (point.kind === "watch") {
      const { start, end, kind } = point.watch;
      const others = inferior.watches.filter(
        (watch) => watch.start !== start || watch.end !== end || watch.kind !== kind,
      );
      inferior.watches = insert ? [...others, point.watch] : others;
      return OK;
    }
    const addresses = inferior[point.kind];
    if (!insert) addresses.delete(point.address);
    else if (point.kind === "software" && task.mm.findArea(point.address) === null) return FAULT;
    else addresses.add(point.address);
    return OK;
  }

  // Running and stopping.

  private resume(decide: (task: Task) => Action): null {
    this.control.resume(decide);
    return null;
  }

  private reverse(how: string): string | null {
    const task = this.threads.goingBack;
    if (how !== "s" && how !== "c") return UNKNOWN;
    if (task === undefined) return NO_SUCH;
    this.control.reverse(task, how === "s" ? "step" : "continue");
    return null;
  }

  private firstStop(): string {
    const task = this.threads.current;
    return task === undefined ? "W00" : this.stopReply({ kind: "step", task });
  }

  private stopReply(event: StopEvent): string {
    return stopReply(event, this.registers, (task) => this.threads.id(task), this.threads.multiprocess);
  }

  private detach(text: string): string {
    if (text.startsWith(";")) {
      const process = this.threads.process(hexNumber(text.slice(1)));
      if (process === undefined) return NO_SUCH;
      this.control.detach(process);
    } else this.control.detach(null);
    return OK;
  }

  private monitor(command: string): string {
    const task = this.threads.current;
    if (task === undefined) return NO_SUCH;
    const { machine } = this;
    const lines = monitor(command, {
      kernel: machine.kernel,
      task,
      refusal: this.refusal,
      symbolAt: (address) => machine.symbolAt(address),
    });
    // An answer in pieces that each fit into a packet.
    for (const line of lines) this.reply(`O${toHex(new TextEncoder().encode(`${line}\n`))}`);
    return OK;
  }

  private newFiles(): GuestFiles {
    const { machine } = this;
    return new GuestFiles(
      () => this.threads.current ?? machine.task,
      PACKET_SIZE,
      (look) => this.control.aside(look),
    );
  }
}
