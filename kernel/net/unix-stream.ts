import { EAGAIN, ECONNREFUSED, EINVAL, EISCONN, ENOTCONN, EOPNOTSUPP, EPIPE, EPROTOTYPE } from "../errno.js";
import { POLLHUP, POLLOUT, POLLWRBAND, POLLWRNORM } from "../fs/open-flags.js";
import type { Task } from "../task.js";
import {
  MSG_OOB,
  MSG_PEEK,
  RCV_SHUTDOWN,
  SEND_SHUTDOWN,
  SOCKET_READABLE,
  SOCK_STREAM,
  SOMAXCONN,
} from "./constants.js";
import type { FileRights } from "./file-rights.js";
import { STREAM_UNIT, streamCost } from "./message-queue.js";
import type { Message } from "./message-queue.js";
import { peerCredentialsOf, sameCredentials } from "./sender-credentials.js";
import type { SenderCredentials } from "./sender-credentials.js";
import type { Outgoing, Received, Socket, Wanted } from "./socket.js";
import { parseUnixAddress } from "./unix-address.js";
import { UnixSocket } from "./unix-socket.js";

/** Listening and connecting: what SOCK_STREAM and SOCK_SEQPACKET share. */
export abstract class UnixConnection extends UnixSocket {
  protected abstract makeAccepted(): UnixConnection;

  override listen(backlog: number, task: Task): number {
    if (this.address === null) return -EINVAL;
    if (this.state === "established") return -EINVAL;
    const room = Math.min(backlog >>> 0, SOMAXCONN);
    if (room > this.backlog) this.wakeWaiters();
    this.backlog = room;
    this.state = "listening";
    this.peerCredentials = peerCredentialsOf(task);
    this.peerGroups = task.credentials.groups;
    return 0;
  }

  override connect(bytes: Uint8Array, task: Task): number {
    const address = parseUnixAddress(bytes);
    if (typeof address === "number") return address;
    if (this.options.passCredentials && this.address === null) this.bindAutomatically();
    const other = this.find(address, task);
    if (typeof other === "number") return other;
    if (other.type !== this.type) return -EPROTOTYPE;
    if (other.state !== "listening" || (other.shutdowns & RCV_SHUTDOWN) !== 0) return -ECONNREFUSED;
    if (other.pending.length > other.backlog) {
      other.waiters.add(this);
      return -EAGAIN;
    }
    if (this.state !== "closed") return this.state === "established" ? -EISCONN : -EINVAL;
    const accepted = (other as UnixConnection).makeAccepted();
    accepted.peer = this;
    accepted.state = "established";
    accepted.address = other.address;
    accepted.peerCredentials = peerCredentialsOf(task);
    accepted.peerGroups = task.credentials.groups;
    accepted.options.passCredentials = other.options.passCredentials;
    this.peer = accepted;
    this.state = "established";
    this.peerCredentials = other.peerCredentials;
    this.peerGroups = other.peerGroups;
    other.pending.push(accepted);
    other.queue.wake(SOCKET_READABLE);
    this.queue.wake();
    return 0;
  }

  override accept(): Socket | number {
    if (this.state !== "listening") return -EINVAL;
    const connection = this.pending.shift();
    if (connection === undefined) return -EAGAIN;
    this.wakeWaiters();
    return connection;
  }

  override poll(): number {
    let events = super.poll();
    if (this.state === "closed") events |= POLLHUP;
    if (this.writable) events |= POLLOUT | POLLWRNORM | POLLWRBAND;
    return events;
  }

  override incoming(): number {
    return this.isListening ? -EINVAL : this.messages.bytes;
  }

  /** Whether a message is signed: one of the ends asked for it, or the other end is not accepted yet. */
  protected signature(message: Outgoing, peer: UnixSocket): SenderCredentials | null {
    if (message.credentials !== null) return message.credentials;
    return this.options.passCredentials || peer.options.passCredentials || peer.inode === 0
      ? message.signer
      : null;
  }
}

/** SOCK_STREAM of unix(7). */
export class UnixStream extends UnixConnection {
  protected makeAccepted(): UnixStream {
    return new UnixStream(SOCK_STREAM, this.network);
  }

  override get sendUnit(): number {
    return Math.min(STREAM_UNIT, (this.options.sendBuffer >> 1) - 64);
  }

  send(message: Outgoing): number {
    if ((message.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (message.address !== null && message.address.length > 0)
      return this.state === "established" ? -EISCONN : -EOPNOTSUPP;
    const { peer } = this;
    if (peer === null) return -ENOTCONN;
    if ((this.shutdowns & SEND_SHUTDOWN) !== 0) return -EPIPE;
    if (message.bytes.length === 0) {
      message.rights?.release();
      return 0;
    }
    if (this.error !== 0) return this.takeError();
    if (this.charged >= this.options.sendBuffer) return -EAGAIN;
    if (peer.dead || (peer.shutdowns & RCV_SHUTDOWN) !== 0) return -EPIPE;
    const bytes = message.bytes.subarray(0, this.sendUnit);
    const charge = streamCost(bytes.length);
    this.charged += charge;
    peer.messages.push({
      bytes,
      start: 0,
      charge,
      payer: this,
      from: this,
      credentials: this.signature(message, peer),
      rights: message.rights,
    });
    peer.queue.wake(SOCKET_READABLE);
    return bytes.length;
  }

  receive(wanted: Wanted): Received | number {
    if (this.state !== "established") return -EINVAL;
    if ((wanted.flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.messages.length === 0) {
      if (this.error !== 0) return this.takeError();
      return (this.shutdowns & RCV_SHUTDOWN) !== 0 ? END_OF_STREAM : -EAGAIN;
    }
    const peek = (wanted.flags & MSG_PEEK) !== 0;
    const parts: Uint8Array[] = [];
    let room = wanted.room;
    let rights: FileRights | null = null;
    const first = this.messages.first!;
    for (let i = 0, message: Message | undefined = first; message; message = this.messages.at(i)) {
      if (this.options.passCredentials && !sameCredentials(message.credentials, first.credentials)) break;
      const part = message.bytes.subarray(message.start, message.start + room);
      parts.push(part);
      room -= part.length;
      rights = message.rights;
      if (peek) {
        if (rights !== null) rights = rights.copy();
        i++;
      } else {
        message.rights = null;
        this.messages.consume(part.length);
        if (message.start < message.bytes.length) break;
        this.messages.shift();
      }
      if (rights !== null || room === 0) break;
    }
    const length = wanted.room - room;
    const { credentials, from } = first;
    return { bytes: joined(parts, length), length, address: from.sockaddr, rights, credentials, flags: 0 };
  }

  override unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.messages.putBack(bytes);
  }
}

/** What a stream gives when no more will come. */
export const END_OF_STREAM: Received = {
  bytes: new Uint8Array(0),
  length: 0,
  address: new Uint8Array(0),
  rights: null,
  credentials: null,
  flags: 0,
};

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
