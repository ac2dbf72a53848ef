import { EACCES, EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP } from "../errno.js";
import { hasCapability } from "../credentials.js";
import type { Task } from "../task.js";
import { AF_INET, AF_INET6, AF_UNSPEC, CAP_NET_BIND_SERVICE, SOL_IP, SOL_IPV6 } from "./constants.js";
import { ANY4, anyOf, familyOf, isAny, isLoopback, isV4, parseEndpoint, sockaddrOf } from "./inet-address.js";
import type { Endpoint } from "./inet-address.js";
import type { Ports } from "./ports.js";
import { Socket } from "./socket.js";

/** net.ipv4.ip_unprivileged_port_start */
const UNPRIVILEGED_PORTS = 1024;
const IPV6_V6ONLY = 26;
/** net.ipv4.ip_default_ttl, and IPv6's hop limit */
const HOP_LIMIT = 64;
const IP_TOS = 1;
const IP_TTL = 2;

/** Options of IPPROTO_IP and IPPROTO_IPV6 that are numbers kept for the program: what they hold at first. */
const IP_DEFAULTS: ReadonlyMap<number, number> = new Map([
  [IP_TOS, 0],
  [IP_TTL, HOP_LIMIT],
  [8, 0],
  [10, 1],
  [11, 0],
  [12, 0],
  [13, 0],
  [15, 0],
  [24, 0],
]);
const IPV6_DEFAULTS: ReadonlyMap<number, number> = new Map([
  [16, HOP_LIMIT],
  [23, 1],
  [25, 0],
  [IPV6_V6ONLY, 0],
  [49, 0],
  [66, 0],
  [67, 0],
]);

/** What sockets of IPv4 and IPv6 share: addresses and ports on the loopback interface (net/ipv4/af_inet.c). */
export abstract class InetSocket extends Socket {
  local: Endpoint;
  remote: Endpoint | null = null;
  /** bind(2) chose the port or the address, so disconnecting keeps it. */
  protected boundPort = false;
  protected boundAddress = false;
  private readonly ip = new Map<number, number>();
  private readonly ipv6 = new Map<number, number>();

  constructor(
    family: number,
    type: number,
    protocol: number,
    readonly ports: Ports,
  ) {
    super(family, type, protocol);
    this.local = { ip: anyOf(family), port: 0 };
  }

  get onlyV6(): boolean {
    return this.ipv6.get(IPV6_V6ONLY) === 1;
  }

  protected abstract get mayBind(): boolean;

  bind(bytes: Uint8Array, task: Task): number {
    let endpoint = parseEndpoint(this.family, bytes);
    // A sockaddr_in of no family is taken where its address is the wildcard.
    if (this.family === AF_INET && familyOf(bytes) === AF_UNSPEC && bytes.length >= 16) {
      const given = parseEndpoint(AF_INET, Uint8Array.of(AF_INET, 0, ...bytes.subarray(2)));
      if (typeof given === "object" && given.ip === ANY4) endpoint = given;
    }
    if (typeof endpoint === "number") return endpoint;
    if (isV4(endpoint.ip) && this.family === AF_INET6 && this.onlyV6) return -EINVAL;
    const isBound = !this.mayBind || this.local.port !== 0;
    if (isBound && this.family === AF_INET6) return -EINVAL;
    if (!isAny(endpoint.ip) && !isLoopback(endpoint.ip)) return -EADDRNOTAVAIL;
    const { port } = endpoint;
    const privileged = port > 0 && port < UNPRIVILEGED_PORTS;
    if (privileged && !hasCapability(task.credentials, CAP_NET_BIND_SERVICE)) return -EACCES;
    if (isBound) return -EINVAL;
    const before = this.local;
    this.local = { ip: endpoint.ip, port: 0 };
    const taken = this.takePort(port);
    if (taken < 0) {
      this.local = before;
      return taken;
    }
    this.boundAddress = !isAny(endpoint.ip);
    this.boundPort = port !== 0;
    return 0;
  }

  /** Takes a port, any free one for 0. */
  protected takePort(port: number): number {
    const wanted = port === 0 ? this.ports.ephemeral() : port;
    if (wanted < 0) return wanted;
    const taken = this.ports.take(this, wanted);
    if (taken === 0) this.local = { ...this.local, port: wanted };
    return taken;
  }

  /** A port for a socket that has none yet. */
  protected bindAutomatically(): number {
    return this.local.port !== 0 ? 0 : this.takePort(0);
  }

  protected releasePort(): void {
    if (this.local.port === 0) return;
    this.ports.release(this, this.local.port);
    this.local = { ...this.local, port: 0 };
  }

  name(): Uint8Array {
    return sockaddrOf(this.family, this.local);
  }

  peerName(): Uint8Array | number {
    return this.remote === null ? -ENOTCONN : sockaddrOf(this.family, this.remote);
  }

  override setOption(level: number, name: number, value: Uint8Array, _task: Task): number {
    const [values, defaults] = level === SOL_IP ? [this.ip, IP_DEFAULTS] : [this.ipv6, IPV6_DEFAULTS];
    if ((level !== SOL_IP && level !== SOL_IPV6) || (level === SOL_IPV6 && this.family !== AF_INET6))
      return -ENOPROTOOPT;
    if (!defaults.has(name)) return -ENOPROTOOPT;
    if (value.length < 4 && (level === SOL_IPV6 || value.length < 1)) return -EINVAL;
    const number =
      value.length < 4 ? value[0]! : new DataView(value.buffer, value.byteOffset).getInt32(0, true);
    if (name === IPV6_V6ONLY && level === SOL_IPV6 && this.local.port !== 0) return -EINVAL;
    if (name === IP_TTL && level === SOL_IP && number !== -1 && (number < 1 || number > 255)) return -EINVAL;
    values.set(name, name === IPV6_V6ONLY && level === SOL_IPV6 ? Number(number !== 0) : number);
    return 0;
  }

  override getOption(level: number, name: number): Uint8Array | number {
    if (level !== SOL_IP && (level !== SOL_IPV6 || this.family !== AF_INET6)) return -EOPNOTSUPP;
    const [values, defaults] = level === SOL_IP ? [this.ip, IP_DEFAULTS] : [this.ipv6, IPV6_DEFAULTS];
    let value = values.get(name) ?? defaults.get(name);
    // -1 asks for the system's hop limit.
    if (value === -1) value = HOP_LIMIT;
    return value === undefined ? -ENOPROTOOPT : new Uint8Array(Int32Array.of(value).buffer);
  }
}
