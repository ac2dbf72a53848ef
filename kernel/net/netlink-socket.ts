import {
  EADDRINUSE,
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EMSGSIZE,
  ENODATA,
  ENOPROTOOPT,
  EOPNOTSUPP,
  EPERM,
} from "../errno.js";
import { hasCapability } from "../credentials.js";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRBAND, POLLWRNORM } from "../fs/open-flags.js";
import type { Task } from "../task.js";
import { AF_NETLINK, AF_UNSPEC, CAP_NET_ADMIN, MSG_OOB, MSG_PEEK, SOL_NETLINK } from "./constants.js";
import { familyOf } from "./inet-address.js";
import * as netlink from "./netlink-message.js";
import type { Network } from "./network.js";
import { answerRoute } from "./route-requests.js";
import { Socket, type Outgoing, type Received, type Wanted } from "./socket.js";

/** struct sockaddr_nl { family, pad, pid, groups }. */
const SOCKADDR_BYTES = 12;
/** Port numbers that the kernel chooses where the process's own is taken begin here and go down. */
const FIRST_CHOSEN = -4096;
/** A datagram of a dump is not larger (NLMSG_GOODSIZE's like). */
const DATAGRAM_BYTES = 8192;
const NETLINK_CAP_ACK = 10;
/** Those that setsockopt(2) knows; what they ask for besides never happens here. */
const OPTIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5, 8, 10, 11, 12]);

/** AF_NETLINK, NETLINK_ROUTE: requests are answered at once; nothing happens that groups would be told of. */
export class NetlinkSocket extends Socket {
  /** Its number; 0: it has none yet. */
  port = 0;
  private groups = 0;
  private readonly peer = { port: 0, groups: 0 };
  /** What is to be received, and the numbers of those who sent it (0: the kernel). */
  private readonly answers: Uint8Array[] = [];
  private readonly senders: number[] = [];
  private readonly settings = new Set<number>();

  constructor(
    type: number,
    private readonly network: Network,
  ) {
    super(AF_NETLINK, type, 0);
  }

  /** EINVAL (the address, another number than it has), EADDRINUSE. */
  bind(address: Uint8Array, task: Task): number {
    if (address.length < SOCKADDR_BYTES || familyOf(address) !== AF_NETLINK) return -EINVAL;
    const view = new DataView(address.buffer, address.byteOffset);
    const port = view.getUint32(4, true);
    if (this.port !== 0 && port !== this.port) return -EINVAL;
    if (this.port === 0) {
      const bound = port === 0 ? this.bindAutomatically(task) : this.take(port);
      if (bound < 0) return bound;
    }
    this.groups = view.getUint32(8, true);
    return 0;
  }

  private take(port: number): number {
    if (this.network.netlinkPorts.has(port)) return -EADDRINUSE;
    this.network.netlinkPorts.set(port, this);
    this.port = port;
    return 0;
  }

  /** The process's number, or else a free one that no process has (netlink_autobind). */
  private bindAutomatically(task: Task | null): number {
    if (this.port !== 0) return 0;
    if (task !== null && this.take(task.pid) === 0) return 0;
    let port = FIRST_CHOSEN;
    while (this.take(port >>> 0) !== 0) port--;
    return 0;
  }

  connect(address: Uint8Array, task: Task): number {
    if (address.length < 2) return -EINVAL;
    if (familyOf(address) === AF_UNSPEC) {
      this.peer.port = this.peer.groups = 0;
      return 0;
    }
    if (familyOf(address) !== AF_NETLINK || address.length < SOCKADDR_BYTES) return -EINVAL;
    const view = new DataView(address.buffer, address.byteOffset);
    const port = view.getUint32(4, true);
    const groups = view.getUint32(8, true);
    if ((port !== 0 || groups !== 0) && !hasCapability(task.credentials, CAP_NET_ADMIN)) return -EPERM;
    const bound = this.bindAutomatically(task);
    if (bound < 0) return bound;
    this.peer.port = port;
    this.peer.groups = groups;
    return 0;
  }

  /** EOPNOTSUPP, ENODATA, EINVAL, EPERM, EMSGSIZE, ECONNREFUSED; what the kernel has to say is there to be received. */
  send(message: Outgoing): number {
    message.rights?.release();
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const { bytes, address, task } = message;
    if (bytes.length === 0) return -ENODATA;
    const privileged = task !== null && hasCapability(task.credentials, CAP_NET_ADMIN);
    let { port } = this.peer;
    if (address !== null && address.length > 0) {
      if (address.length < SOCKADDR_BYTES || familyOf(address) !== AF_NETLINK) return -EINVAL;
      const view = new DataView(address.buffer, address.byteOffset);
      port = view.getUint32(4, true);
      if ((port !== 0 || view.getUint32(8, true) !== 0) && !privileged) return -EPERM;
    }
    const bound = this.bindAutomatically(task);
    if (bound < 0) return bound;
    if (bytes.length > this.options.sendBuffer - 32) return -EMSGSIZE;
    if (port !== 0) {
      // Another socket hears it as it is.
      const receiver = this.network.netlinkPorts.get(port);
      if (receiver === undefined) return -ECONNREFUSED;
      receiver.deliver(bytes, this.port);
      return bytes.length;
    }
    for (const request of netlink.decodeMessages(bytes)) this.serve(request, privileged);
    return bytes.length;
  }

  /** netlink_rcv_skb */
  private serve(request: netlink.NetlinkMessage, privileged: boolean): void {
    const { type, flags } = request;
    if ((flags & netlink.NLM_F_REQUEST) === 0) {
      if ((flags & netlink.NLM_F_ACK) !== 0) this.acknowledge(request, 0);
      return;
    }
    const answer = type < netlink.NLMSG_MIN_TYPE ? null : answerRoute(request, privileged);
    if (typeof answer === "number" || answer === null) {
      if (answer !== null || (flags & netlink.NLM_F_ACK) !== 0) this.acknowledge(request, answer ?? 0);
      return;
    }
    const { sequence } = request;
    const { port } = this;
    const dumps = (flags & netlink.NLM_F_DUMP) !== 0;
    const multi = dumps ? netlink.NLM_F_MULTI : 0;
    const parts = answer.map(({ type: kind, body }) =>
      netlink.encodeMessage({ type: kind, flags: multi, sequence, port, body }),
    );
    if (dumps) {
      const end = { type: netlink.NLMSG_DONE, flags: multi, sequence, port, body: new Uint8Array(4) };
      parts.push(netlink.encodeMessage(end));
    }
    this.deliverParts(parts);
    if (!dumps && (flags & netlink.NLM_F_ACK) !== 0) this.acknowledge(request, 0);
  }

  private deliverParts(parts: readonly Uint8Array[]): void {
    let datagram: number[] = [];
    for (const part of parts) {
      if (datagram.length + part.length > DATAGRAM_BYTES) {
        this.deliver(Uint8Array.from(datagram));
        datagram = [];
      }
      datagram.push(...part);
    }
    this.deliver(Uint8Array.from(datagram));
  }

  /** NLMSG_ERROR: an errno, or 0, and the request, without its content where it went well (netlink_ack). */
  private acknowledge(request: netlink.NetlinkMessage, error: number): void {
    const { sequence } = request;
    const whole = error !== 0 && !this.settings.has(NETLINK_CAP_ACK);
    const copied = netlink.encodeMessage(request);
    const shown = whole ? copied : copied.subarray(0, netlink.NLMSG_HEADER);
    const body = new Uint8Array(4 + shown.length);
    new DataView(body.buffer).setInt32(0, error, true);
    body.set(shown, 4);
    const flags = whole ? 0 : netlink.NLM_F_CAPPED;
    this.deliver(
      netlink.encodeMessage({ type: netlink.NLMSG_ERROR, flags, sequence, port: this.port, body }),
    );
  }

  private deliver(bytes: Uint8Array, from = 0): void {
    this.answers.push(bytes);
    this.senders.push(from);
    this.queue.wake(POLLIN);
  }

  receive(wanted: Wanted): Received | number {
    if ((wanted.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const [first] = this.answers;
    if (first === undefined) return -EAGAIN;
    const address = sockaddr(this.senders[0] ?? 0, 0);
    if ((wanted.flags & MSG_PEEK) === 0) {
      this.answers.shift();
      this.senders.shift();
    }
    const bytes = first.subarray(0, wanted.room);
    return { bytes, length: first.length, address, rights: null, credentials: null, flags: 0 };
  }

  poll(): number {
    const readable = this.answers.length > 0 ? POLLIN | POLLRDNORM : 0;
    return readable | POLLOUT | POLLWRNORM | POLLWRBAND;
  }

  close(): void {
    if (this.network.netlinkPorts.get(this.port) === this) this.network.netlinkPorts.delete(this.port);
  }

  name(): Uint8Array {
    return sockaddr(this.port, this.groups);
  }

  peerName(): Uint8Array {
    return sockaddr(this.peer.port, this.peer.groups);
  }

  override setOption(level: number, name: number, value: Uint8Array): number {
    if (level !== SOL_NETLINK || !OPTIONS.has(name)) return -ENOPROTOOPT;
    const on = value.length >= 4 && new DataView(value.buffer, value.byteOffset).getInt32(0, true) !== 0;
    if (on) this.settings.add(name);
    else this.settings.delete(name);
    return 0;
  }

  override getOption(level: number, name: number): Uint8Array | number {
    if (level !== SOL_NETLINK || !OPTIONS.has(name)) return -ENOPROTOOPT;
    return Uint8Array.of(this.settings.has(name) ? 1 : 0, 0, 0, 0);
  }
}

function sockaddr(port: number, groups: number): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(4, port, true);
  view.setUint32(8, groups, true);
  return bytes;
}
