import { EADDRINUSE, ECONNREFUSED, EEXIST, EINVAL, ENODATA, ENOPROTOOPT, ENOTCONN } from "../errno.js";
import { create } from "../fs/open.js";
import { accessTo, startOf } from "../fs/namespace.js";
import { placeForName, unlink } from "../fs/names.js";
import type { Inode } from "../fs/inode.js";
import { MAY_WRITE, S_IFSOCK } from "../fs/mode.js";
import { walk } from "../fs/walk.js";
import { POLLERR, POLLHUP, POLLIN, POLLRDHUP, POLLRDNORM } from "../fs/open-flags.js";
import type { Task } from "../task.js";
import { AF_UNIX, RCV_SHUTDOWN, SHUTDOWN_MASK, SOCKET_WRITABLE } from "./constants.js";
import { MessageQueue } from "./message-queue.js";
import type { Payer, Sender } from "./message-queue.js";
import type { Network } from "./network.js";
import { credentialBytes } from "./sender-credentials.js";
import type { SenderCredentials } from "./sender-credentials.js";
import { Socket } from "./socket.js";
import { abstractKey, automaticAddress, parseUnixAddress, UNNAMED } from "./unix-address.js";
import type { UnixAddress } from "./unix-address.js";

const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
export const NO_SOCKADDR = new Uint8Array(0);

export type UnixState = "closed" | "listening" | "established";

/** What unix sockets of all types share: names, peers, messages and who pays for them (net/unix/af_unix.c). */
export abstract class UnixSocket extends Socket implements Payer, Sender {
  state: UnixState = "closed";
  address: UnixAddress | null = null;
  /** Of a path name: the file that carries it. */
  boundInode: Inode | null = null;
  peer: UnixSocket | null = null;
  readonly messages = new MessageQueue();
  /** Connections that nobody accepted yet. */
  readonly pending: UnixSocket[] = [];
  /** Of listen(2): one more than this may be pending. For datagrams, the same of messages. */
  backlog = 10;
  /** What its unread messages cost, in bytes (sk_wmem_alloc). */
  charged = 0;
  dead = false;
  peerCredentials: SenderCredentials | null = null;
  peerGroups: readonly number[] | null = null;
  /** Sockets whose calls wait for room here: for a connection to be accepted, or a datagram to be read. */
  readonly waiters = new Set<UnixSocket>();

  constructor(
    type: number,
    readonly network: Network,
  ) {
    super(AF_UNIX, type, 0);
  }

  get sockaddr(): Uint8Array {
    return this.address?.bytes ?? NO_SOCKADDR;
  }
  override get isListening(): boolean {
    return this.state === "listening";
  }

  /** Room enough that a poller may write: not more than a quarter is taken (unix_writable). */
  get writable(): boolean {
    return this.state !== "listening" && this.charged * 4 <= this.options.sendBuffer;
  }

  refund(charge: number): void {
    this.charged -= charge;
    if (this.writable) this.queue.wake(SOCKET_WRITABLE);
  }

  /** Whoever waited for room here looks again. */
  wakeWaiters(): void {
    if (this.waiters.size === 0) return;
    const waiting = [...this.waiters];
    this.waiters.clear();
    for (const socket of waiting) socket.queue.wake();
  }

  bind(bytes: Uint8Array, task: Task): number {
    if (bytes.length === 2 && bytes[0] === AF_UNIX && bytes[1] === 0) return this.bindAutomatically();
    const address = parseUnixAddress(bytes);
    if (typeof address === "number") return address;
    return address.path === null ? this.bindAbstract(address) : this.bindPath(address, address.path, task);
  }

  /** Gives a socket without a name an abstract one. */
  bindAutomatically(): number {
    if (this.address !== null) return 0;
    for (;;) {
      const address = automaticAddress(this.network.nextAutomaticName());
      if (this.bindAbstract(address) === 0) return 0;
    }
  }

  private bindAbstract(address: UnixAddress): number {
    if (this.address !== null) return -EINVAL;
    const key = abstractKey(address, this.type);
    if (this.network.abstractNames.has(key)) return -EADDRINUSE;
    this.network.abstractNames.set(key, this);
    this.address = address;
    return 0;
  }

  private bindPath(address: UnixAddress, path: string, task: Task): number {
    const { fs } = task;
    const start = startOf(fs, task.credentials);
    const place = placeForName(start, path, false);
    if (typeof place === "number") return place === -EEXIST ? -EADDRINUSE : place;
    const made = create(fs, start, place.parent, place.name, S_IFSOCK | 0o777);
    if (typeof made === "number") return made === -EEXIST ? -EADDRINUSE : made;
    if (this.address !== null) {
      unlink(start, path);
      return -EINVAL;
    }
    this.address = address;
    this.boundInode = made.dentry.inode;
    this.boundInode.hold();
    this.network.pathNames.set(this.boundInode, this);
    return 0;
  }

  /** The socket of a name (unix_find_other); -ECONNREFUSED where nobody has it. */
  protected find(address: UnixAddress, task: Task): UnixSocket | number {
    if (address.path === null)
      return this.network.abstractNames.get(abstractKey(address, this.type)) ?? -ECONNREFUSED;
    const start = startOf(task.fs, task.credentials);
    const found = walk(start, address.path, true);
    if (typeof found === "number") return found;
    const allowed = accessTo(start.actor, found.location, MAY_WRITE);
    if (allowed < 0) return allowed;
    return this.network.pathNames.get(found.location.dentry.inode) ?? -ECONNREFUSED;
  }

  name(): Uint8Array {
    return this.address?.bytes ?? UNNAMED;
  }

  peerName(): Uint8Array | number {
    return this.peer === null ? -ENOTCONN : this.peer.name();
  }

  /** Connects two new sockets for socketpair(2). */
  pairWith(other: UnixSocket, credentials: SenderCredentials, groups: readonly number[]): void {
    for (const [one, peer] of [
      [this, other],
      [other, this],
    ] as const) {
      one.peer = peer;
      one.peerCredentials = credentials;
      one.peerGroups = groups;
      one.state = "established";
    }
  }

  override shutdown(how: number): number {
    const mode = how + 1;
    this.shutdowns |= mode;
    const { peer } = this;
    if (peer !== null && !peer.dead && this.sharesShutdown) {
      // What one end no longer sends the other no longer receives, and the other way round.
      const other = ((mode & 1) << 1) | (mode >> 1);
      peer.shutdowns |= other;
      peer.queue.wake();
    }
    this.queue.wake();
    this.wakeWaiters();
    return 0;
  }

  /** Connection-based types tell the peer of a shutdown. */
  protected get sharesShutdown(): boolean {
    return true;
  }

  /** POLL bits that all types have; what may be written is the type's own. */
  poll(): number {
    let events = 0;
    if (this.error !== 0) events |= POLLERR;
    if (this.shutdowns === SHUTDOWN_MASK) events |= POLLHUP;
    if ((this.shutdowns & RCV_SHUTDOWN) !== 0) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.messages.length > 0 || this.pending.length > 0) events |= POLLIN | POLLRDNORM;
    return events;
  }

  override outgoing(): number {
    return this.charged;
  }

  /** Ends the socket; `embryo`: a connection that was never accepted (unix_release_sock). */
  release(embryo: boolean): void {
    if (this.dead) return;
    this.dead = true;
    this.shutdowns = SHUTDOWN_MASK;
    const { peer, messages } = this;
    this.network.forgetUnix(this);
    if (peer !== null && this.sharesShutdown) {
      peer.shutdowns = SHUTDOWN_MASK;
      if (messages.length > 0 || embryo) peer.error = 104;
      peer.queue.wake();
    }
    this.leavePeer();
    this.state = "closed";
    for (const connection of this.pending.splice(0)) connection.release(true);
    messages.clear();
    this.wakeWaiters();
    this.queue.wake();
    if (this.boundInode !== null) {
      this.boundInode.drop();
      this.boundInode = null;
    }
  }

  protected leavePeer(): void {
    this.peer?.waiters.delete(this);
    this.peer = null;
  }

  close(): void {
    this.release(false);
  }

  override getFamilyOption(name: number): Uint8Array | number {
    if (name === SO_PEERCRED) return credentialBytes(this.peerCredentials ?? { pid: 0, uid: -1, gid: -1 });
    if (name === SO_PEERGROUPS)
      return this.peerGroups === null ? -ENODATA : new Uint8Array(Uint32Array.from(this.peerGroups).buffer);
    return -ENOPROTOOPT;
  }
}
