import {
  EAGAIN,
  ECONNREFUSED,
  EDESTADDRREQ,
  EINVAL,
  EMSGSIZE,
  ENETUNREACH,
  ENOTCONN,
  EOPNOTSUPP,
  EPIPE,
} from "../errno.js";
import {
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  POLLRDHUP,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../fs/open-flags.js";
import {
  AF_INET,
  AF_UNSPEC,
  IPPROTO_UDP,
  MSG_OOB,
  MSG_PEEK,
  RCV_SHUTDOWN,
  SEND_SHUTDOWN,
  SHUTDOWN_MASK,
  SOCK_DGRAM,
} from "./constants.js";
import {
  anyOf,
  destination,
  familyOf,
  isAny,
  isLoopback,
  isV4,
  parseEndpoint,
  sockaddrOf,
  sourceFor,
} from "./inet-address.js";
import type { Endpoint } from "./inet-address.js";
import { InetSocket } from "./inet-socket.js";
import { datagramCost, MessageQueue } from "./message-queue.js";
import { covers } from "./ports.js";
import type { Ports } from "./ports.js";
import type { Outgoing, Received, Wanted } from "./socket.js";

/** The most data in a datagram, in bytes: 64 KiB less the headers. */
const LARGEST_V4 = 65_507;
const LARGEST_V6 = 65_527;

/** UDP between sockets of this machine. What finds no room is dropped. */
export class UdpSocket extends InetSocket {
  readonly messages = new MessageQueue();

  constructor(family: number, ports: Ports) {
    super(family, SOCK_DGRAM, IPPROTO_UDP, ports);
  }

  protected get mayBind(): boolean {
    return this.remote === null;
  }

  connect(bytes: Uint8Array): number {
    if (bytes.length < 2) return -EINVAL;
    if (familyOf(bytes) === AF_UNSPEC) {
      this.remote = null;
      if (!this.boundPort) this.releasePort();
      if (!this.boundAddress) this.local = { ...this.local, ip: anyOf(this.family) };
      return 0;
    }
    const endpoint = parseEndpoint(this.family, bytes);
    if (typeof endpoint === "number") return endpoint;
    const to = { ip: destination(endpoint.ip), port: endpoint.port };
    if (!isLoopback(to.ip)) return -ENETUNREACH;
    const bound = this.bindAutomatically();
    if (bound < 0) return bound;
    if (isAny(this.local.ip)) this.local = { ...this.local, ip: sourceFor(to.ip) };
    this.remote = to;
    return 0;
  }

  send(message: Outgoing): number {
    message.rights?.release();
    const bound = this.bindAutomatically();
    if (bound < 0) return bound;
    const { length } = message.bytes;
    if (length > 0xffff) return -EMSGSIZE;
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    let to = this.remote;
    if (message.address !== null && message.address.length > 0) {
      const endpoint = parseEndpoint(this.family, message.address);
      if (typeof endpoint === "number") return endpoint;
      if (endpoint.port === 0) return -EINVAL;
      to = { ip: destination(endpoint.ip), port: endpoint.port };
    }
    if (to === null) return -EDESTADDRREQ;
    if (!isLoopback(to.ip)) return -ENETUNREACH;
    if (length > (isV4(to.ip) ? LARGEST_V4 : LARGEST_V6)) return -EMSGSIZE;
    if (this.error !== 0) return this.takeError();
    if ((this.shutdowns & SEND_SHUTDOWN) !== 0) return -EPIPE;
    const from = { ip: isAny(this.local.ip) ? sourceFor(to.ip) : this.local.ip, port: this.local.port };
    const receiver = this.receiverOf(from, to);
    // The answer from a port that nobody has reaches only who is connected to it.
    if (receiver === null) {
      if (this.remote !== null) this.fail(ECONNREFUSED);
      return length;
    }
    receiver.deliver(message.bytes, from);
    return length;
  }

  private receiverOf(from: Endpoint, to: Endpoint): UdpSocket | null {
    let best: UdpSocket | null = null;
    let bestScore = -1;
    for (const socket of this.ports.at(to.port)) {
      if (!(socket instanceof UdpSocket) || !covers(socket, to.ip)) continue;
      const { remote } = socket;
      if (remote !== null && (remote.ip !== from.ip || remote.port !== from.port)) continue;
      const score =
        (remote === null ? 0 : 4) + (isAny(socket.local.ip) ? 0 : 2) + Number(socket.family === AF_INET);
      if (score > bestScore) [best, bestScore] = [socket, score];
    }
    return best;
  }

  private deliver(bytes: Uint8Array, from: Endpoint): void {
    const charge = datagramCost(bytes.length);
    if ((this.shutdowns & RCV_SHUTDOWN) !== 0) return;
    if (this.messages.charged + charge > this.options.receiveBuffer) return;
    const sender = { sockaddr: sockaddrOf(this.family, from) };
    this.messages.push({
      bytes,
      start: 0,
      charge,
      payer: null,
      from: sender,
      credentials: null,
      rights: null,
    });
    this.queue.wake();
  }

  receive(wanted: Wanted): Received | number {
    if (this.error !== 0) return this.takeError();
    const { first } = this.messages;
    if (first === undefined) return -EAGAIN;
    if ((wanted.flags & MSG_PEEK) === 0) this.messages.shift();
    return {
      bytes: first.bytes.subarray(0, wanted.room),
      length: first.bytes.length,
      address: first.from.sockaddr,
      rights: null,
      credentials: null,
      flags: 0,
    };
  }

  override poll(): number {
    let events = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (this.error !== 0) events |= POLLERR;
    if ((this.shutdowns & RCV_SHUTDOWN) !== 0) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.shutdowns === SHUTDOWN_MASK) events |= POLLHUP;
    if (this.messages.length > 0) events |= POLLIN | POLLRDNORM;
    return events;
  }

  /** It takes effect without a connection too, though the call fails. */
  override shutdown(how: number): number {
    this.shutdowns |= how + 1;
    this.queue.wake();
    return this.remote === null ? -ENOTCONN : 0;
  }

  close(): void {
    this.releasePort();
    this.messages.clear();
    this.queue.wake();
  }

  override incoming(): number {
    return this.messages.first?.bytes.length ?? 0;
  }
  override outgoing(): number {
    return 0;
  }
}
