import { EADDRINUSE } from "../errno.js";
import { isAny, isV4 } from "./inet-address.js";
import type { InetSocket } from "./inet-socket.js";

/** net.ipv4.ip_local_port_range */
const FIRST_EPHEMERAL = 32768;
const LAST_EPHEMERAL = 60999;

/** The ports of one protocol and who has them. */
export class Ports {
  private readonly bound = new Map<number, Set<InetSocket>>();
  private next = FIRST_EPHEMERAL;

  at(port: number): Iterable<InetSocket> {
    return this.bound.get(port) ?? [];
  }

  *[Symbol.iterator](): Generator<InetSocket> {
    for (const sockets of this.bound.values()) yield* sockets;
  }

  /** Gives a port to a socket whose local address is set; 0 or -EADDRINUSE. */
  take(socket: InetSocket, port: number): number {
    for (const other of this.at(port)) if (conflicts(socket, other)) return -EADDRINUSE;
    this.add(socket, port);
    return 0;
  }

  /** Another socket listens where this one would, and the two do not share (SO_REUSEPORT). */
  hasListener(socket: InetSocket): boolean {
    for (const other of this.at(socket.local.port)) {
      const shares = socket.options.reusePort && other.options.reusePort;
      if (other !== socket && other.isListening && !shares && overlap(socket, other)) return true;
    }
    return false;
  }

  /** Notes a socket at a port that it shares, as an accepted connection does with its listener. */
  add(socket: InetSocket, port: number): void {
    const sockets = this.bound.get(port) ?? new Set();
    sockets.add(socket);
    this.bound.set(port, sockets);
  }

  /** A port that nobody has, or -EADDRINUSE when all are taken. */
  ephemeral(): number {
    for (let tries = FIRST_EPHEMERAL; tries <= LAST_EPHEMERAL; tries++) {
      const port = this.next;
      this.next = port === LAST_EPHEMERAL ? FIRST_EPHEMERAL : port + 1;
      if (!this.bound.has(port)) return port;
    }
    return -EADDRINUSE;
  }

  release(socket: InetSocket, port: number): void {
    const sockets = this.bound.get(port);
    sockets?.delete(socket);
    if (sockets?.size === 0) this.bound.delete(port);
  }
}

function conflicts(one: InetSocket, other: InetSocket): boolean {
  if (one === other || !overlap(one, other)) return false;
  if (one.options.reusePort && other.options.reusePort) return false;
  return !(one.options.reuseAddress && other.options.reuseAddress && !other.isListening);
}

/** Some packet could be for both. */
function overlap(one: InetSocket, other: InetSocket): boolean {
  const [a, b] = [one.local.ip, other.local.ip];
  if (a === b) return true;
  if (!isAny(a) && !isAny(b)) return false;
  return covers(one, b) || covers(other, a);
}

/** A wildcard of IPv6 stands for IPv4 too, unless the socket is for IPv6 only. */
export function covers(socket: InetSocket, ip: string): boolean {
  const own = socket.local.ip;
  if (own === ip) return true;
  if (!isAny(own)) return false;
  return isV4(own) === isV4(ip) || (!isV4(own) && !socket.onlyV6);
}
