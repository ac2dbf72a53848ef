import { EAGAIN, EINVAL, ENOPROTOOPT, EOPNOTSUPP } from "../errno.js";
import type { Task } from "../task.js";
import { WaitQueue } from "../wait-queue.js";
import type { SenderCredentials } from "./sender-credentials.js";
import type { FileRights } from "./file-rights.js";
import { SocketOptions } from "./socket-options.js";

/** What a send carries. */
export interface Outgoing {
  readonly bytes: Uint8Array;
  /** MSG_* bits. */
  readonly flags: number;
  /** A sockaddr, or null for the peer. */
  readonly address: Uint8Array | null;
  /** SCM_RIGHTS; the socket takes them over when it gives anything but an error. */
  readonly rights: FileRights | null;
  /** SCM_CREDENTIALS, checked already; null: none were given. */
  readonly credentials: SenderCredentials | null;
  /** Who sends, in any case. */
  readonly signer: SenderCredentials;
  /** The sender, who must be there when `address` is: it is looked up with the sender's rights. */
  readonly task: Task | null;
}

/** What a receive wants. */
export interface Wanted {
  /** Bytes of room. */
  readonly room: number;
  /** MSG_* bits. */
  readonly flags: number;
}

/** What a receive got. */
export interface Received {
  readonly bytes: Uint8Array;
  /** Length of the whole datagram in bytes; for a stream, of `bytes`. */
  readonly length: number;
  /** The sender's sockaddr; empty where it has none. */
  readonly address: Uint8Array;
  readonly rights: FileRights | null;
  readonly credentials: SenderCredentials | null;
  /** MSG_* bits for msg_flags beyond MSG_TRUNC. */
  readonly flags: number;
}

/**
 * One end of communication ("struct sock"). What must wait answers -EAGAIN: the system call waits on `queue` and asks
 * again. Addresses are whole sockaddr structures as bytes.
 */
export abstract class Socket {
  /** Woken when `poll` may answer differently, or a call that had to wait may go on. */
  readonly queue = new WaitQueue();
  readonly options: SocketOptions = new SocketOptions();
  /** A positive errno that the next call reports (sk_err), or 0. */
  error = 0;
  /** RCV_SHUTDOWN, SEND_SHUTDOWN. */
  shutdowns = 0;
  /** Inode number of its file, or 0. */
  inode = 0;

  constructor(
    readonly family: number,
    readonly type: number,
    readonly protocol: number,
  ) {}

  abstract bind(address: Uint8Array, task: Task): number;
  /** 0 when connected; -EAGAIN: must wait. @param again the call waited before and goes on */
  abstract connect(address: Uint8Array, task: Task, nonBlocking: boolean, again: boolean): number;
  /** Bytes taken, perhaps not all for a stream; -EAGAIN: must wait for room. */
  abstract send(message: Outgoing): number;
  /** -EAGAIN: must wait. `bytes` of length 0 is the end of a stream. */
  abstract receive(wanted: Wanted): Received | number;
  /** POLL* bits. */
  abstract poll(): number;
  /** Its file is gone. */
  abstract close(): void;
  /** sockaddr of getsockname(2), or -errno. */
  abstract name(): Uint8Array | number;
  abstract peerName(): Uint8Array | number;

  /** What a blocking connect gives when SO_SNDTIMEO has passed. */
  get connectTimedOut(): number {
    return -EAGAIN;
  }
  /** A blocking receive at the end of input gives 0 where a non-blocking one has nothing to say. */
  get atEnd(): boolean {
    return (this.shutdowns & 1) !== 0;
  }
  get isListening(): boolean {
    return false;
  }
  /** Whether a send may move a part and wait for the rest. */
  get isStream(): boolean {
    return this.type === 1;
  }
  /** The most bytes that one `send` of a stream looks at. */
  get sendUnit(): number {
    return 65536;
  }
  /** A send that fails with EPIPE raises SIGPIPE. */
  get raisesPipe(): boolean {
    return this.isStream;
  }

  listen(_backlog: number, _task: Task): number {
    return -EOPNOTSUPP;
  }
  /** The next connection; -EAGAIN: must wait. */
  accept(_task: Task): Socket | number {
    return -EOPNOTSUPP;
  }
  shutdown(_how: number): number {
    return -EOPNOTSUPP;
  }
  /** Bytes to be read (SIOCINQ); -EINVAL where there is no such number. */
  incoming(): number {
    return -EINVAL;
  }
  /** Bytes on their way (SIOCOUTQ). */
  outgoing(): number {
    return -EINVAL;
  }
  /** Takes back bytes at the front of what a stream gave: user memory refused them. */
  unread(_bytes: Uint8Array): void {}

  /** setsockopt(2) of levels other than SOL_SOCKET. */
  setOption(_level: number, _name: number, _value: Uint8Array, _task: Task): number {
    return -EOPNOTSUPP;
  }
  getOption(_level: number, _name: number): Uint8Array | number {
    return -EOPNOTSUPP;
  }
  /** Options of SOL_SOCKET that belong to the family (SO_PEERCRED). */
  getFamilyOption(_name: number): Uint8Array | number {
    return -ENOPROTOOPT;
  }

  /** Reports the pending error once, as -errno or 0 (sock_error). */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return -error;
  }

  fail(error: number): void {
    this.error = error;
    this.queue.wake();
  }
}
