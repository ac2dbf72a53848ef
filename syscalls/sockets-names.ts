/** How the arguments of calls on sockets are named in a trace. */

import {
  AF_INET,
  AF_INET6,
  AF_NETLINK,
  AF_UNIX,
  AF_UNSPEC,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOCK_TYPE_MASK,
} from "../kernel/net/constants.js";
import {
  choiceAndFlags,
  dependent,
  flags,
  int,
  names,
  structIn,
  structInOut,
  structOut,
} from "./argument.js";
import type { Argument } from "./argument.js";

export const DOMAINS = names("AF_???", { AF_UNSPEC, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET: 17 });
export const SHUTDOWNS = names("SHUT_???", { SHUT_RD, SHUT_WR, SHUT_RDWR });
const TYPES = names("SOCK_???", {
  SOCK_STREAM,
  SOCK_DGRAM,
  SOCK_RAW,
  SOCK_RDM: 4,
  SOCK_SEQPACKET,
});
const TYPE_FLAGS = names("SOCK_???", { SOCK_CLOEXEC, SOCK_NONBLOCK });
const PROTOCOLS = names("IPPROTO_???", {
  IPPROTO_IP: 0,
  IPPROTO_ICMP: 1,
  IPPROTO_TCP: 6,
  IPPROTO_UDP: 17,
  IPPROTO_IPV6: 41,
  IPPROTO_ICMPV6: 58,
  IPPROTO_RAW: 255,
});
const NETLINK_FAMILIES = names("NETLINK_???", { NETLINK_ROUTE: 0, NETLINK_KOBJECT_UEVENT: 15 });
export const MESSAGE_FLAGS = names("MSG_???", {
  MSG_OOB: 1,
  MSG_PEEK: 2,
  MSG_DONTROUTE: 4,
  MSG_CTRUNC: 8,
  MSG_PROBE: 0x10,
  MSG_TRUNC: 0x20,
  MSG_DONTWAIT: 0x40,
  MSG_EOR: 0x80,
  MSG_WAITALL: 0x100,
  MSG_FIN: 0x200,
  MSG_SYN: 0x400,
  MSG_CONFIRM: 0x800,
  MSG_RST: 0x1000,
  MSG_ERRQUEUE: 0x2000,
  MSG_NOSIGNAL: 0x4000,
  MSG_MORE: 0x8000,
  MSG_WAITFORONE: 0x10000,
  MSG_BATCH: 0x40000,
  MSG_ZEROCOPY: 0x4000000,
  MSG_FASTOPEN: 0x20000000,
  MSG_CMSG_CLOEXEC: 0x40000000,
});
export const OPTION_LEVELS = names("SOL_??", {
  SOL_IP: 0,
  SOL_SOCKET: 1,
  SOL_TCP: 6,
  SOL_UDP: 17,
  SOL_IPV6: 41,
  SOL_NETLINK: 270,
});
const SOCKET_OPTIONS = names("SO_???", {
  SO_DEBUG: 1,
  SO_REUSEADDR: 2,
  SO_TYPE: 3,
  SO_ERROR: 4,
  SO_DONTROUTE: 5,
  SO_BROADCAST: 6,
  SO_SNDBUF: 7,
  SO_RCVBUF: 8,
  SO_KEEPALIVE: 9,
  SO_OOBINLINE: 10,
  SO_NO_CHECK: 11,
  SO_PRIORITY: 12,
  SO_LINGER: 13,
  SO_BSDCOMPAT: 14,
  SO_REUSEPORT: 15,
  SO_PASSCRED: 16,
  SO_PEERCRED: 17,
  SO_RCVLOWAT: 18,
  SO_SNDLOWAT: 19,
  SO_RCVTIMEO_OLD: 20,
  SO_SNDTIMEO_OLD: 21,
  SO_BINDTODEVICE: 25,
  SO_ATTACH_FILTER: 26,
  SO_DETACH_FILTER: 27,
  SO_PEERNAME: 28,
  SO_TIMESTAMP_OLD: 29,
  SO_ACCEPTCONN: 30,
  SO_PEERSEC: 31,
  SO_SNDBUFFORCE: 32,
  SO_RCVBUFFORCE: 33,
  SO_PASSSEC: 34,
  SO_MARK: 36,
  SO_PROTOCOL: 38,
  SO_DOMAIN: 39,
  SO_PEEK_OFF: 42,
  SO_COOKIE: 57,
  SO_PEERGROUPS: 59,
});
const TCP_OPTIONS = names("TCP_???", {
  TCP_NODELAY: 1,
  TCP_MAXSEG: 2,
  TCP_CORK: 3,
  TCP_KEEPIDLE: 4,
  TCP_KEEPINTVL: 5,
  TCP_KEEPCNT: 6,
  TCP_SYNCNT: 7,
  TCP_LINGER2: 8,
  TCP_DEFER_ACCEPT: 9,
  TCP_WINDOW_CLAMP: 10,
  TCP_INFO: 11,
  TCP_QUICKACK: 12,
  TCP_CONGESTION: 13,
  TCP_USER_TIMEOUT: 18,
  TCP_FASTOPEN: 23,
});
const IP_OPTIONS = names("IP_???", {
  IP_TOS: 1,
  IP_TTL: 2,
  IP_HDRINCL: 3,
  IP_OPTIONS: 4,
  IP_RECVOPTS: 6,
  IP_PKTINFO: 8,
  IP_MTU_DISCOVER: 10,
  IP_RECVERR: 11,
  IP_RECVTTL: 12,
  IP_RECVTOS: 13,
  IP_MTU: 14,
  IP_FREEBIND: 15,
  IP_BIND_ADDRESS_NO_PORT: 24,
  IP_MULTICAST_IF: 32,
  IP_MULTICAST_TTL: 33,
  IP_MULTICAST_LOOP: 34,
});
const IPV6_OPTIONS = names("IPV6_???", {
  IPV6_UNICAST_HOPS: 16,
  IPV6_MTU_DISCOVER: 23,
  IPV6_RECVERR: 25,
  IPV6_V6ONLY: 26,
  IPV6_RECVPKTINFO: 49,
  IPV6_TCLASS: 67,
});

/** The type of socket(2) with its flags. */
export const typeArgument = (name: string): Argument =>
  choiceAndFlags(name, SOCK_TYPE_MASK, TYPES, TYPE_FLAGS);

export const socketFlags = (name: string): Argument => flags(name, TYPE_FLAGS);

/** A protocol, whose names depend on the family in another argument. */
export const protocolArgument = (name: string, familyAt: number): Argument =>
  dependent(
    name,
    familyAt,
    [
      [AF_INET, { kind: "choice", table: PROTOCOLS }],
      [AF_INET6, { kind: "choice", table: PROTOCOLS }],
      [AF_NETLINK, { kind: "choice", table: NETLINK_FAMILIES }],
    ],
    { kind: "int" },
  );

/** An address that the caller gives, with its length behind it at position `lengthAt`. */
export const sockaddrIn = (name: string, lengthAt: number): readonly Argument[] => [
  structIn(name, "sockaddr", lengthAt),
  int("addrlen"),
];

/** An address that the kernel gives, with a pointer to its length at position `lengthAt`. */
export const sockaddrOut = (name: string, lengthAt: number): readonly Argument[] => [
  structOut(name, "sockaddr", lengthAt),
  structInOut("addrlen", "socklen"),
];

export const messageFlags = (name: string): Argument => flags(name, MESSAGE_FLAGS);

/** level, optname, optval, optlen from position 1 on. */
export const optionArguments = (direction: "in" | "out"): readonly Argument[] => [
  { name: "level", kind: "choice", table: OPTION_LEVELS },
  dependent(
    "optname",
    1,
    [
      [0, { kind: "choice", table: IP_OPTIONS }],
      [1, { kind: "choice", table: SOCKET_OPTIONS }],
      [6, { kind: "choice", table: TCP_OPTIONS }],
      [41, { kind: "choice", table: IPV6_OPTIONS }],
    ],
    { kind: "int" },
  ),
  direction === "in" ? structIn("optval", "sockopt", 4) : structOut("optval", "sockopt", 4),
  direction === "in" ? int("optlen") : structInOut("optlen", "socklen"),
];
