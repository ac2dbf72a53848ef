import {
  EAGAIN,
  ECONNREFUSED,
  ECONNRESET,
  EINVAL,
  EMSGSIZE,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  EPIPE,
  EPROTOTYPE,
} from "../errno.js";
import { POLLOUT, POLLWRBAND, POLLWRNORM } from "../fs/open-flags.js";
import type { Task } from "../task.js";
import { AF_UNSPEC, MSG_OOB, MSG_PEEK, RCV_SHUTDOWN, SEND_SHUTDOWN } from "./constants.js";
import { SOCKET_READABLE, SOCK_SEQPACKET } from "./constants.js";
import { datagramCost } from "./message-queue.js";
import type { Outgoing, Received, Wanted } from "./socket.js";
import { END_OF_STREAM, UnixConnection } from "./unix-stream.js";
import { parseUnixAddress } from "./unix-address.js";
import { UnixSocket } from "./unix-socket.js";

const WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;
/** What a message must leave of the buffer, in bytes. */
const SPARE = 32;

/** Puts a datagram into the other socket's queue; -EAGAIN without room (unix_dgram_sendmsg's second half). */
function deliver(socket: UnixSocket, other: UnixSocket, message: Outgoing): number {
  const { length } = message.bytes;
  if (length > socket.options.sendBuffer - SPARE) return -EMSGSIZE;
  if (socket.error !== 0) return socket.takeError();
  if ((socket.shutdowns & SEND_SHUTDOWN) !== 0) return -EPIPE;
  if (socket.charged >= socket.options.sendBuffer) return -EAGAIN;
  if ((other.shutdowns & RCV_SHUTDOWN) !== 0) return -EPIPE;
  if (other !== socket && other.peer !== socket && other.messages.length > other.backlog) {
    other.waiters.add(socket);
    return -EAGAIN;
  }
  const charge = datagramCost(length);
  socket.charged += charge;
  const signs = socket.options.passCredentials || other.options.passCredentials || other.inode === 0;
  other.messages.push({
    bytes: message.bytes,
    start: 0,
    charge,
    payer: socket,
    from: socket,
    credentials: message.credentials ?? (signs ? message.signer : null),
    rights: message.rights,
  });
  other.queue.wake(SOCKET_READABLE);
  return length;
}

/** Takes or peeks at the first datagram; -EAGAIN where there is none. */
function takeDatagram(socket: UnixSocket, wanted: Wanted): Received | number {
  if ((wanted.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
  if (socket.error !== 0) return socket.takeError();
  const { first } = socket.messages;
  if (first === undefined) return -EAGAIN;
  let { rights } = first;
  if ((wanted.flags & MSG_PEEK) !== 0) rights = rights?.copy() ?? null;
  else {
    socket.messages.shift();
    socket.wakeWaiters();
  }
  const { bytes, credentials, from } = first;
  return {
    bytes: bytes.subarray(0, wanted.room),
    length: bytes.length,
    address: from.sockaddr,
    rights,
    credentials,
    flags: 0,
  };
}

/** SOCK_DGRAM of unix(7). */
export class UnixDatagram extends UnixSocket {
  protected override get sharesShutdown(): boolean {
    return false;
  }

  connect(bytes: Uint8Array, task: Task): number {
    if (bytes.length < 2) return -EINVAL;
    let other: UnixSocket | null = null;
    if ((bytes[0]! | (bytes[1]! << 8)) !== AF_UNSPEC) {
      const address = parseUnixAddress(bytes);
      if (typeof address === "number") return address;
      if (this.options.passCredentials && this.address === null) this.bindAutomatically();
      const found = this.find(address, task);
      if (typeof found === "number") return found;
      if (found.type !== this.type) return -EPROTOTYPE;
      if (!this.mayReach(found)) return -EPERM;
      other = found;
    }
    const before = this.peer;
    if (before !== other) {
      before?.waiters.delete(this);
      this.peer = other;
      if (before !== null) this.leaves(before);
    }
    this.state = other === null ? "closed" : "established";
    this.queue.wake();
    return 0;
  }

  private mayReach(other: UnixSocket): boolean {
    return other.peer === null || other.peer === this;
  }

  /** Its old peer's messages are lost, which that one is told if it was connected to us. */
  private leaves(before: UnixSocket): void {
    if (this.messages.length === 0) return;
    this.messages.clear();
    this.wakeWaiters();
    if (!before.dead && before.peer === this) before.fail(ECONNRESET);
  }

  send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    let other: UnixSocket;
    if (message.address !== null && message.address.length > 0) {
      const address = parseUnixAddress(message.address);
      if (typeof address === "number") return address;
      if (this.options.passCredentials && this.address === null) this.bindAutomatically();
      if (message.bytes.length > this.options.sendBuffer - SPARE) return -EMSGSIZE;
      if (this.charged >= this.options.sendBuffer) return -EAGAIN;
      const found = message.task === null ? -EINVAL : this.find(address, message.task);
      if (typeof found === "number") return found;
      if (found.type !== this.type) return -EPROTOTYPE;
      other = found;
    } else {
      if (this.peer === null) return -ENOTCONN;
      if (this.options.passCredentials && this.address === null) this.bindAutomatically();
      other = this.peer;
    }
    if (!this.mayReach(other)) return -EPERM;
    if (other.dead) {
      if (this.peer === other) {
        this.peer = null;
        this.state = "closed";
        this.leaves(other);
      }
      return -ECONNREFUSED;
    }
    return deliver(this, other, message);
  }

  receive(wanted: Wanted): Received | number {
    return takeDatagram(this, wanted);
  }

  override incoming(): number {
    return this.messages.first?.bytes.length ?? 0;
  }

  override poll(): number {
    let events = super.poll();
    const { peer } = this;
    const full =
      peer !== null &&
      peer !== this &&
      peer.peer !== this &&
      peer.messages.length > peer.backlog &&
      !peer.dead;
    if (full) peer.waiters.add(this);
    if (this.writable && !full) events |= WRITABLE;
    return events;
  }
}

/** SOCK_SEQPACKET of unix(7): datagrams over a connection. */
export class UnixSequencedPackets extends UnixConnection {
  protected makeAccepted(): UnixSequencedPackets {
    return new UnixSequencedPackets(SOCK_SEQPACKET, this.network);
  }

  send(message: Outgoing): number {
    if (this.error !== 0) return this.takeError();
    if (this.state !== "established" || this.peer === null) return -ENOTCONN;
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    return deliver(this, this.peer, message);
  }

  receive(wanted: Wanted): Received | number {
    if (this.state !== "established") return -ENOTCONN;
    const received = takeDatagram(this, wanted);
    return received === -EAGAIN && (this.shutdowns & RCV_SHUTDOWN) !== 0 ? END_OF_STREAM : received;
  }
}
