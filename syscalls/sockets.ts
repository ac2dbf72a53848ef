/** Sockets: making, naming, connecting and ending them (net/socket.c). */

import {
  EAFNOSUPPORT,
  EAGAIN,
  EFAULT,
  EINVAL,
  EOPNOTSUPP,
  EPROTONOSUPPORT,
  ESOCKTNOSUPPORT,
} from "../kernel/errno.js";
import {
  AF_INET,
  AF_INET6,
  AF_MAX,
  AF_NETLINK,
  AF_UNIX,
  IPPROTO_MAX,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SHUT_RDWR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_MAX,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
} from "../kernel/net/constants.js";
import { NetlinkSocket } from "../kernel/net/netlink-socket.js";
import { peerCredentialsOf } from "../kernel/net/sender-credentials.js";
import type { Socket } from "../kernel/net/socket.js";
import { TcpSocket } from "../kernel/net/tcp-socket.js";
import { UdpSocket } from "../kernel/net/udp-socket.js";
import { UnixDatagram, UnixSequencedPackets } from "../kernel/net/unix-datagram.js";
import type { UnixSocket } from "../kernel/net/unix-socket.js";
import { UnixStream } from "../kernel/net/unix-stream.js";
import { choice, fd, int, structOut } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit } from "./files-common.js";
import {
  closesOnExec,
  hasTimedOut,
  isNull,
  makeSocketFile,
  readSockaddr,
  socketOf,
  waitForSocket,
  writeSockaddr,
} from "./sockets-common.js";
import type { Result } from "./sockets-common.js";
import {
  DOMAINS,
  protocolArgument,
  SHUTDOWNS,
  sockaddrIn,
  sockaddrOut,
  socketFlags,
  typeArgument,
} from "./sockets-names.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

function makeUnix(call: SyscallCall, type: number, protocol: number): UnixSocket | number {
  if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
  const { network } = call.kernel;
  switch (type) {
    case SOCK_STREAM:
      return new UnixStream(SOCK_STREAM, network);
    case SOCK_DGRAM:
    case SOCK_RAW:
      return new UnixDatagram(SOCK_DGRAM, network);
    case SOCK_SEQPACKET:
      return new UnixSequencedPackets(SOCK_SEQPACKET, network);
    default:
      return -ESOCKTNOSUPPORT;
  }
}

/** TCP and UDP; nothing else is built in (inet_create). */
function makeInet(call: SyscallCall, family: number, type: number, protocol: number): Socket | number {
  if (protocol < 0 || protocol >= IPPROTO_MAX) return -EINVAL;
  const { tcpPorts, udpPorts } = call.kernel.network;
  switch (type) {
    case SOCK_STREAM:
      return protocol === 0 || protocol === IPPROTO_TCP ? new TcpSocket(family, tcpPorts) : -EPROTONOSUPPORT;
    case SOCK_DGRAM:
      return protocol === 0 || protocol === IPPROTO_UDP ? new UdpSocket(family, udpPorts) : -EPROTONOSUPPORT;
    default:
      return -ESOCKTNOSUPPORT;
  }
}

/** NETLINK_ROUTE; no other protocol is built in (netlink_create). */
function makeNetlink(call: SyscallCall, type: number, protocol: number): NetlinkSocket | number {
  if (type !== SOCK_RAW && type !== SOCK_DGRAM) return -ESOCKTNOSUPPORT;
  return protocol === 0 ? new NetlinkSocket(type, call.kernel.network) : -EPROTONOSUPPORT;
}

/** A socket of any family (__sock_create). */
function makeSocket(call: SyscallCall, family: number, type: number, protocol: number): Socket | number {
  if (family < 0 || family >= AF_MAX) return -EAFNOSUPPORT;
  if (type >= SOCK_MAX) return -EINVAL;
  switch (family) {
    case AF_UNIX:
      return makeUnix(call, type, protocol);
    case AF_INET:
    case AF_INET6:
      return makeInet(call, family, type, protocol);
    case AF_NETLINK:
      return makeNetlink(call, type, protocol);
    default:
      return -EAFNOSUPPORT;
  }
}

/** The flags in a type argument, or -EINVAL. */
function flagsOf(type: number): number {
  const bits = type & ~SOCK_TYPE_MASK;
  return (bits & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0 ? -EINVAL : bits;
}

function socket(call: SyscallCall): number {
  const type = call.i32(1);
  const bits = flagsOf(type);
  if (bits < 0) return bits;
  const made = makeSocket(call, call.i32(0), type & SOCK_TYPE_MASK, call.i32(2));
  return typeof made === "number" ? made : installSocket(call, made, bits);
}

function installSocket(call: SyscallCall, made: Socket, bits: number): number {
  const file = makeSocketFile(call, made, bits).hold();
  const number = call.task.files.install(file, closesOnExec(bits), descriptorLimit(call));
  file.release();
  return number;
}

function socketpair(call: SyscallCall): number {
  const type = call.i32(1);
  const bits = flagsOf(type);
  if (bits < 0) return bits;
  const { files } = call.task;
  const limit = descriptorLimit(call);
  // The numbers are written before the sockets are made.
  const first = files.lowestFree(0, limit);
  if (first < 0) return first;
  const second = files.lowestFree(first + 1, limit);
  if (second < 0) return second;
  const pair = new Uint8Array(Int32Array.of(first, second).buffer);
  if (!call.user.writeBytes(call.word(3), pair)) return -EFAULT;
  const [family, kind, protocol] = [call.i32(0), type & SOCK_TYPE_MASK, call.i32(2)];
  const one = makeSocket(call, family, kind, protocol);
  if (typeof one === "number") return one;
  const two = family === AF_UNIX ? makeUnix(call, kind, protocol) : -EOPNOTSUPP;
  if (typeof two === "number") {
    one.close();
    return two;
  }
  (one as UnixSocket).pairWith(two, peerCredentialsOf(call.task), call.task.credentials.groups);
  installSocket(call, one, bits);
  installSocket(call, two, bits);
  return 0;
}

function bind(call: SyscallCall): number {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const address = readSockaddr(call, call.word(1), call.i32(2));
  return address instanceof Uint8Array ? file.socket.bind(address, call.task) : address;
}

function listen(call: SyscallCall): number {
  const file = socketOf(call, call.fd(0));
  return typeof file === "number" ? file : file.socket.listen(call.i32(1), call.task);
}

function connect(call: SyscallCall): Result {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const address = readSockaddr(call, call.word(1), call.i32(2));
  if (typeof address === "number") return address;
  const { socket: end } = file;
  const result = end.connect(address, call.task, file.nonBlocking, call.resumed !== null);
  if (result !== -EAGAIN || file.nonBlocking) return result;
  if (hasTimedOut(call)) return end.connectTimedOut;
  return waitForSocket(call, call.fd(0), end.options.sendTimeout);
}

function accept(call: SyscallCall, bits: number): Result {
  const number = call.fd(0);
  if ((bits & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  const file = socketOf(call, number);
  if (typeof file === "number") return file;
  const free = call.task.files.lowestFree(0, descriptorLimit(call));
  if (free < 0) return free;
  if (!isNull(call.word(1))) call.user.awaitReadable(call.word(2), 4);
  const made = file.socket.accept(call.task);
  if (typeof made === "number") {
    if (made !== -EAGAIN || file.nonBlocking || hasTimedOut(call)) return made;
    if (file.socket.atEnd) return -EINVAL;
    return waitForSocket(call, number, file.socket.options.receiveTimeout);
  }
  const accepted = makeSocketFile(call, made, bits).hold();
  let result = 0;
  if (!isNull(call.word(1))) {
    const name = made.peerName();
    result = typeof name === "number" ? name : writeSockaddr(call, name, call.word(1), call.word(2));
  }
  if (result === 0) result = call.task.files.install(accepted, closesOnExec(bits), descriptorLimit(call));
  accepted.release();
  return result;
}

function name(call: SyscallCall, whose: "own" | "peer"): number {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const sockaddr = whose === "own" ? file.socket.name() : file.socket.peerName();
  return typeof sockaddr === "number" ? sockaddr : writeSockaddr(call, sockaddr, call.word(1), call.word(2));
}

function shutdown(call: SyscallCall): number {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const how = call.i32(1);
  return how < 0 || how > SHUT_RDWR ? -EINVAL : file.socket.shutdown(how);
}

export const socketSyscalls: readonly Definition[] = [
  define({
    number: 41,
    name: "socket",
    args: [choice("domain", DOMAINS), typeArgument("type"), protocolArgument("protocol", 0)],
    returns: "fd",
    handler: socket,
  }),
  define({ number: 42, name: "connect", args: [fd("sockfd"), ...sockaddrIn("addr", 2)], handler: connect }),
  define({
    number: 43,
    name: "accept",
    args: [fd("sockfd"), ...sockaddrOut("addr", 2)],
    returns: "fd",
    handler: (call) => accept(call, 0),
  }),
  define({
    number: 48,
    name: "shutdown",
    args: [fd("sockfd"), choice("how", SHUTDOWNS)],
    handler: shutdown,
  }),
  define({ number: 49, name: "bind", args: [fd("sockfd"), ...sockaddrIn("addr", 2)], handler: bind }),
  define({ number: 50, name: "listen", args: [fd("sockfd"), int("backlog")], handler: listen }),
  define({
    number: 51,
    name: "getsockname",
    args: [fd("sockfd"), ...sockaddrOut("addr", 2)],
    handler: (call) => name(call, "own"),
  }),
  define({
    number: 52,
    name: "getpeername",
    args: [fd("sockfd"), ...sockaddrOut("addr", 2)],
    handler: (call) => name(call, "peer"),
  }),
  define({
    number: 53,
    name: "socketpair",
    args: [
      choice("domain", DOMAINS),
      typeArgument("type"),
      protocolArgument("protocol", 0),
      structOut("sv", "fdpair"),
    ],
    handler: socketpair,
  }),
  define({
    number: 288,
    name: "accept4",
    args: [fd("sockfd"), ...sockaddrOut("addr", 2), socketFlags("flags")],
    returns: "fd",
    handler: (call) => accept(call, call.i32(3)),
  }),
];
