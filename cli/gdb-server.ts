import { createServer, type Server, type Socket } from "node:net";
import { framed } from "../debug/gdb/packet-reader.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "in use already",
  EACCES: "permission denied",
  EADDRNOTAVAIL: "not an address of this computer",
  ENOTFOUND: "no such host",
};

/** What a server tells: bytes of its one client, and that it has come or gone. */
export interface GdbServerEvents {
  arrived(): void;
  received(bytes: Uint8Array): void;
  left(): void;
  /** A second client was turned away. */
  refused(): void;
}

/** A TCP port for one gdb at a time. */
export class GdbServer {
  private client: Socket | null = null;
  private events: GdbServerEvents | null = null;

  private constructor(
    private readonly server: Server,
    /** As gdb's `target remote` takes it. */
    readonly address: string,
  ) {
    server.on("connection", (socket) => this.accept(socket));
  }

  /** @param port 0: one that is free @throws Failure where it cannot be had */
  static async listen(host: string, port: number): Promise<GdbServer> {
    const server = createServer();
    try {
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, resolve);
      });
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      const what = code === "EADDRINUSE" || code === "EACCES" ? `--port ${port}` : `--host ${host}`;
      throw new Failure(USAGE_STATUS, `${what}: ${REASONS[code] ?? reasonOf(error)}`);
    }
    const bound = server.address();
    const actual = typeof bound === "object" && bound !== null ? bound.port : port;
    return new GdbServer(server, `${host.includes(":") ? `[${host}]` : host}:${actual}`);
  }

  get connected(): boolean {
    return this.client !== null;
  }

  serve(events: GdbServerEvents): void {
    this.events = events;
  }

  /** Latin-1, one character a byte. */
  send(text: string): void {
    this.client?.write(text, "latin1");
  }

  /** Nobody is listened to any more; what was written still goes out. */
  close(): void {
    this.events = null;
    this.client?.end();
    this.client = null;
    this.server.close();
  }

  private accept(socket: Socket): void {
    socket.on("error", () => socket.destroy());
    if (this.client !== null || this.events === null) {
      this.events?.refused();
      socket.once("data", () => socket.end(`+${framed("E.another gdb is connected")}`, "latin1"));
      setTimeout(() => socket.destroy(), 1000).unref();
      return;
    }
    socket.setNoDelay(true);
    this.client = socket;
    this.events.arrived();
    socket.on("data", (bytes) => this.events?.received(bytes));
    socket.on("close", () => {
      if (this.client !== socket) return;
      this.client = null;
      this.events?.left();
    });
  }
}
