import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";

/** What an editor hears from its debug adapter. */
export interface AdapterMessage {
  readonly type: "response" | "event";
  readonly event?: string;
  readonly command?: string;
  readonly request_seq?: number;
  readonly success?: boolean;
  readonly message?: string;
  readonly body?: Record<string, unknown>;
}

/** A debug adapter on its standard streams, as editors start one. */
export class DebugAdapter {
  /** Events that nobody has waited for yet. */
  private readonly events: AdapterMessage[] = [];
  private readonly waiting = new Map<number, (message: AdapterMessage) => void>();
  private wake: () => void = () => {};
  private bytes: Buffer = Buffer.alloc(0);
  private sent = 0;
  private readonly process: ChildProcessWithoutNullStreams;

  constructor(command: string, args: readonly string[] = []) {
    this.process = spawn(command, args);
    this.process.stdout.on("data", (bytes: Buffer) => this.take(bytes));
  }

  /** The body of the answer. Rejects where the adapter refuses. */
  async request(command: string, details: object = {}): Promise<Record<string, unknown>> {
    const seq = ++this.sent;
    const text = JSON.stringify({ seq, type: "request", command, arguments: details });
    const answer = new Promise<AdapterMessage>((resolve) => this.waiting.set(seq, resolve));
    this.process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    const { success, message, body } = await answer;
    if (success !== true) throw new Error(`${command}: ${message ?? JSON.stringify(body)}`);
    return body ?? {};
  }

  /** The next event of that name. */
  async event(name: string): Promise<Record<string, unknown>> {
    for (;;) {
      const at = this.events.findIndex(({ event }) => event === name);
      if (at >= 0) return this.events.splice(at, 1)[0].body ?? {};
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    if (this.process.exitCode !== null) return;
    this.process.kill();
    await ended;
  }

  private take(bytes: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, bytes]);
    for (;;) {
      const end = this.bytes.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/Content-Length: (\d+)/.exec(this.bytes.toString("latin1", 0, end))![1]);
      if (this.bytes.length < end + 4 + length) return;
      const text = this.bytes.toString("utf8", end + 4, end + 4 + length);
      this.bytes = this.bytes.subarray(end + 4 + length);
      this.hear(JSON.parse(text) as AdapterMessage);
    }
  }

  private hear(message: AdapterMessage): void {
    if (message.type === "response") this.waiting.get(message.request_seq!)?.(message);
    if (message.type !== "event") return;
    this.events.push(message);
    this.wake();
  }
}
