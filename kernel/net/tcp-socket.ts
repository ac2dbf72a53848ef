import {
  EADDRINUSE,
  EAGAIN,
  EALREADY,
  ECONNREFUSED,
  ECONNRESET,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from "../errno.js";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import type { Task } from "../task.js";
import {
  AF_UNSPEC,
  IPPROTO_TCP,
  MSG_OOB,
  MSG_PEEK,
  RCV_SHUTDOWN,
  SEND_SHUTDOWN,
  SHUTDOWN_MASK,
  SOCK_STREAM,
  SOL_TCP,
  SOMAXCONN,
} from "./constants.js";
import {
  anyOf,
  destination,
  familyOf,
  isAny,
  isLoopback,
  isV4,
  parseEndpoint,
  sourceFor,
} from "./inet-address.js";
import { InetSocket } from "./inet-socket.js";
import { MessageQueue } from "./message-queue.js";
import { covers } from "./ports.js";
import type { Ports } from "./ports.js";
import type { Outgoing, Received, Socket, Wanted } from "./socket.js";
import { END_OF_STREAM } from "./unix-stream.js";

/** net.ipv4.tcp_wmem and tcp_rmem, the middle numbers; and what a connection over lo has to send from. Bytes. */
const SEND_BUFFER = 16_384;
const RECEIVE_BUFFER = 131_072;
const CONNECTED_SEND_BUFFER = 2_626_560;

/** TCP_* options that are numbers kept for the program: what they hold at first. */
const TCP_DEFAULTS: ReadonlyMap<number, number> = new Map([
  [1, 0],
  [3, 0],
  [4, 7200],
  [5, 75],
  [6, 9],
  [7, 6],
  [8, 60],
  [9, 0],
  [12, 1],
  [18, 0],
]);
const TCP_MAXSEG = 2;
const TCP_CONGESTION = 13;
const LOOPBACK_SEGMENT = 65_483;
const UNCONNECTED_SEGMENT = 536;

type TcpState = "closed" | "listening" | "connecting" | "established";

/**
 * TCP between two sockets of this machine. There is no wire: a segment arrives when it is sent, a connection is made
 * when there is room for it, and nothing is ever lost or late.
 */
export class TcpSocket extends InetSocket {
  state: TcpState = "closed";
  peer: TcpSocket | null = null;
  readonly messages = new MessageQueue();
  /** The other end will send no more. */
  finReceived = false;
  finSent = false;
  dead = false;
  /** A non-blocking connect has not told of its success yet (SS_CONNECTING). */
  private unannounced = false;
  backlog = 0;
  readonly pending: TcpSocket[] = [];
  /** Sockets whose connection has no room in `pending`. */
  readonly callers: TcpSocket[] = [];
  private readonly tcpOptions = new Map<number, number>();

  constructor(family: number, ports: Ports) {
    super(family, SOCK_STREAM, IPPROTO_TCP, ports);
    this.options.sendBuffer = SEND_BUFFER;
    this.options.receiveBuffer = RECEIVE_BUFFER;
  }

  protected get mayBind(): boolean {
    return this.state === "closed";
  }
  override get isListening(): boolean {
    return this.state === "listening";
  }
  override get connectTimedOut(): number {
    return -EINPROGRESS;
  }

  override listen(backlog: number): number {
    if (this.state !== "closed" && this.state !== "listening") return -EINVAL;
    if (this.finSent || this.finReceived) return -EINVAL;
    const bound = this.bindAutomatically();
    if (bound < 0) return bound;
    if (this.ports.hasListener(this)) return -EADDRINUSE;
    this.backlog = Math.min(backlog >>> 0, SOMAXCONN);
    this.state = "listening";
    this.shutdowns = 0;
    this.answerCallers();
    return 0;
  }

  connect(bytes: Uint8Array, _task: Task, nonBlocking: boolean, again: boolean): number {
    if (familyOf(bytes) === AF_UNSPEC && bytes.length >= 2) {
      this.disconnect();
      return 0;
    }
    switch (this.state) {
      case "listening":
        return -EISCONN;
      case "connecting":
        if (again) return -EAGAIN;
        return nonBlocking ? -EALREADY : -EAGAIN;
      case "established":
        if (!this.unannounced && !again) return -EISCONN;
        this.unannounced = false;
        return 0;
    }
    if (this.error !== 0 || again || this.unannounced) {
      this.unannounced = false;
      const failed = this.takeError() || -ECONNREFUSED;
      this.disconnect();
      return failed;
    }
    const started = this.start(bytes);
    if (started !== 0) return started;
    if (nonBlocking) {
      this.unannounced = true;
      return -EINPROGRESS;
    }
    if (this.error !== 0) {
      const failed = this.takeError();
      this.disconnect();
      return failed;
    }
    return this.isConnected ? 0 : -EAGAIN;
  }

  /** Not a plain field: a call in between may have made it so. */
  private get isConnected(): boolean {
    return this.state === "established";
  }

  /** Sends the first segment; its answer is there at once, unless the listener has no room. */
  private start(bytes: Uint8Array): number {
    const endpoint = parseEndpoint(this.family, bytes);
    if (typeof endpoint === "number") return endpoint;
    const to = { ip: destination(endpoint.ip), port: endpoint.port };
    if (!isLoopback(to.ip)) return -ENETUNREACH;
    if (isAny(this.local.ip)) this.local = { ...this.local, ip: sourceFor(to.ip) };
    const bound = this.bindAutomatically();
    if (bound < 0) return bound;
    this.remote = to;
    this.shutdowns = 0;
    const listener = this.listenerAt(to.ip, to.port);
    if (listener === null) {
      this.reset(ECONNREFUSED);
      return 0;
    }
    this.state = "connecting";
    if (listener.pending.length > listener.backlog) listener.callers.push(this);
    else listener.answer(this);
    return 0;
  }

  private listenerAt(ip: string, port: number): TcpSocket | null {
    let best: TcpSocket | null = null;
    for (const socket of this.ports.at(port)) {
      if (!(socket instanceof TcpSocket) || !socket.isListening || !covers(socket, ip)) continue;
      if (best === null || isAny(best.local.ip)) best = socket;
    }
    return best;
  }

  /** Makes the connection that `caller` asked for. */
  private answer(caller: TcpSocket): void {
    const accepted = new TcpSocket(this.family, this.ports);
    this.options.copyTo(accepted.options);
    for (const [name, value] of this.tcpOptions) accepted.tcpOptions.set(name, value);
    accepted.local = { ...caller.remote! };
    accepted.remote = { ...caller.local };
    this.ports.add(accepted, accepted.local.port);
    for (const [one, other] of [
      [accepted, caller],
      [caller, accepted],
    ] as const) {
      one.peer = other;
      one.state = "established";
      if (one.options.sendBuffer === SEND_BUFFER) one.options.sendBuffer = CONNECTED_SEND_BUFFER;
    }
    this.pending.push(accepted);
    this.queue.wake();
    caller.queue.wake();
  }

  private answerCallers(): void {
    while (this.callers.length > 0 && this.pending.length <= this.backlog) this.answer(this.callers.shift()!);
  }

  override accept(): Socket | number {
    if (this.state !== "listening") return -EINVAL;
    const connection = this.pending.shift();
    if (connection === undefined) return -EAGAIN;
    this.answerCallers();
    return connection;
  }

  /** Bytes that may lie between this end's sends and the other's receives. */
  private get capacity(): number {
    return (this.options.sendBuffer + (this.peer?.options.receiveBuffer ?? 0)) >> 1;
  }

  send(message: Outgoing): number {
    message.rights?.release();
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.state === "connecting") return -EAGAIN;
    if (this.error !== 0) return this.takeError();
    if (this.state !== "established" || (this.shutdowns & SEND_SHUTDOWN) !== 0) return -EPIPE;
    const peer = this.peer!;
    if (message.bytes.length === 0) return 0;
    if (peer.dead) {
      // Nobody reads there any more: the answer is a reset.
      this.reset(EPIPE);
      return message.bytes.length;
    }
    const room = this.capacity - peer.messages.bytes;
    if (room <= 0) return -EAGAIN;
    const bytes = message.bytes.slice(0, room);
    const from = { sockaddr: new Uint8Array(0) };
    peer.messages.push({ bytes, start: 0, charge: 0, payer: null, from, credentials: null, rights: null });
    peer.queue.wake();
    return bytes.length;
  }

  receive(wanted: Wanted): Received | number {
    if (this.state === "listening") return -ENOTCONN;
    if (this.state === "connecting") return -EAGAIN;
    if ((wanted.flags & MSG_OOB) !== 0) return -EINVAL;
    if (this.messages.length === 0) return this.nothing();
    const peek = (wanted.flags & MSG_PEEK) !== 0;
    const bytes = new Uint8Array(Math.min(wanted.room, this.messages.bytes));
    let done = 0;
    for (let i = 0; done < bytes.length;) {
      const message = this.messages.at(i)!;
      const part = message.bytes.subarray(message.start, message.start + bytes.length - done);
      bytes.set(part, done);
      done += part.length;
      if (peek) i++;
      else {
        this.messages.consume(part.length);
        if (message.start === message.bytes.length) this.messages.shift();
      }
    }
    if (!peek && this.peer !== null && this.peer.mayWrite) this.peer.queue.wake();
    return { ...END_OF_STREAM, bytes, length: bytes.length };
  }

  private nothing(): Received | number {
    if (this.finReceived) return END_OF_STREAM;
    if (this.error !== 0) return this.takeError();
    if ((this.shutdowns & RCV_SHUTDOWN) !== 0) return END_OF_STREAM;
    return this.state === "closed" ? -ENOTCONN : -EAGAIN;
  }

  override unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.messages.putBack(bytes);
  }

  private get mayWrite(): boolean {
    const used = this.peer?.messages.bytes ?? 0;
    return used * 3 <= this.capacity * 2;
  }

  override poll(): number {
    if (this.state === "listening") return this.pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    let events = 0;
    if (this.shutdowns === SHUTDOWN_MASK || this.state === "closed") events |= POLLHUP;
    if ((this.shutdowns & RCV_SHUTDOWN) !== 0) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.state !== "connecting") {
      if (this.messages.bytes >= this.options.lowWater) events |= POLLIN | POLLRDNORM;
      if ((this.shutdowns & SEND_SHUTDOWN) !== 0 || this.mayWrite) events |= POLLOUT | POLLWRNORM;
    }
    if (this.error !== 0) events |= POLLERR;
    return events;
  }

  override shutdown(how: number): number {
    const mode = how + 1;
    if (this.state === "listening") {
      if ((mode & RCV_SHUTDOWN) !== 0) this.disconnect();
      return 0;
    }
    if (this.state === "connecting") {
      this.disconnect();
      return 0;
    }
    if (this.state === "closed") return -ENOTCONN;
    this.shutdowns |= mode;
    if ((mode & SEND_SHUTDOWN) !== 0) this.finish();
    this.queue.wake();
    return 0;
  }

  /** Tells the other end that no more will come. */
  private finish(): void {
    const { peer } = this;
    if (this.finSent || peer === null) return;
    this.finSent = true;
    peer.finReceived = true;
    peer.shutdowns |= RCV_SHUTDOWN;
    for (const end of [this, peer]) {
      if (!end.finSent || !end.finReceived) continue;
      end.state = "closed";
      end.shutdowns = SHUTDOWN_MASK;
    }
    peer.queue.wake();
  }

  /** A reset has come. */
  private reset(error: number): void {
    if (this.state === "closed" && this.finSent) return;
    this.error = error;
    this.shutdowns = SHUTDOWN_MASK;
    this.state = "closed";
    this.queue.wake();
  }

  /** Back to the beginning, as connect to AF_UNSPEC does (tcp_disconnect). */
  private disconnect(): void {
    this.abandon(true);
    this.state = "closed";
    this.peer = null;
    this.remote = null;
    this.shutdowns = 0;
    this.finReceived = this.finSent = this.unannounced = false;
    this.error = 0;
    this.messages.clear();
    if (!this.boundAddress) this.local = { ...this.local, ip: anyOf(this.family) };
    this.queue.wake();
  }

  /** Lets go of the other end: with a reset, or in good order. */
  private abandon(resets: boolean): void {
    for (const connection of this.pending.splice(0)) {
      connection.peer?.reset(ECONNRESET);
      connection.close();
    }
    for (const caller of this.callers.splice(0)) caller.reset(ECONNREFUSED);
    const { peer } = this;
    if (peer === null || this.state !== "established") return;
    if (resets) peer.reset(peer.finReceived ? EPIPE : ECONNRESET);
    else this.finish();
  }

  close(): void {
    if (this.dead) return;
    const { lingers, lingerTime } = this.options;
    this.abandon(this.messages.bytes > 0 || (lingers && lingerTime === 0));
    this.dead = true;
    this.state = "closed";
    this.messages.clear();
    this.releasePort();
    this.queue.wake();
  }

  override peerName(): Uint8Array | number {
    return this.state === "established" ? super.peerName() : -ENOTCONN;
  }

  override incoming(): number {
    return this.isListening ? -EINVAL : this.messages.bytes;
  }
  override outgoing(): number {
    return this.isListening ? -EINVAL : 0;
  }

  override setOption(level: number, name: number, value: Uint8Array, task: Task): number {
    if (level !== SOL_TCP) return super.setOption(level, name, value, task);
    if (name === TCP_CONGESTION) return -ENOPROTOOPT;
    if (value.length < 4) return -EINVAL;
    const number = new DataView(value.buffer, value.byteOffset).getInt32(0, true);
    if (!TCP_DEFAULTS.has(name)) return -ENOPROTOOPT;
    if ((name === 4 || name === 5) && (number < 1 || number > 32767)) return -EINVAL;
    if ((name === 6 || name === 7) && (number < 1 || number > 127)) return -EINVAL;
    this.tcpOptions.set(name, name === 1 || name === 3 ? Number(number !== 0) : number);
    return 0;
  }

  override getOption(level: number, name: number): Uint8Array | number {
    if (level !== SOL_TCP) return super.getOption(level, name);
    if (name === TCP_CONGESTION) return Uint8Array.of(0x63, 0x75, 0x62, 0x69, 0x63, ...new Uint8Array(11));
    const segment = this.state === "established" ? LOOPBACK_SEGMENT : UNCONNECTED_SEGMENT;
    const value =
      name === TCP_MAXSEG
        ? segment - (this.remote !== null && !isV4(this.remote.ip) ? 20 : 0)
        : (this.tcpOptions.get(name) ?? TCP_DEFAULTS.get(name));
    return value === undefined ? -ENOPROTOOPT : new Uint8Array(Int32Array.of(value).buffer);
  }
}
