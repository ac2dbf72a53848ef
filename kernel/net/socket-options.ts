import { BUFFER_DEFAULT } from "./constants.js";

/** What SOL_SOCKET's options hold for any socket. Sizes in bytes as SO_SNDBUF and SO_RCVBUF show them. */
export class SocketOptions {
  sendBuffer = BUFFER_DEFAULT;
  receiveBuffer = BUFFER_DEFAULT;
  /** Nanoseconds a receive or an accept waits at most; null: for ever. */
  receiveTimeout: number | null = null;
  /** Nanoseconds a send or a connect waits at most; null: for ever. */
  sendTimeout: number | null = null;
  /** Bytes at which a stream's reader is woken. */
  lowWater = 1;
  passCredentials = false;
  lingers = false;
  /** Seconds. */
  lingerTime = 0;
  reuseAddress = false;
  reusePort = false;
  priority = 0;
  mark = 0;
  /** Interface number of SO_BINDTODEVICE; 0: any. */
  device = 0;
  /** Plain switches by option number: SO_KEEPALIVE, SO_BROADCAST and the like. */
  readonly switches = new Set<number>();

  /** What an accepted connection inherits from its listener (sk_clone). */
  copyTo(other: SocketOptions): void {
    const { switches } = other;
    Object.assign(other, this, { switches });
    for (const each of this.switches) switches.add(each);
  }
}
