/** Numbers of socket(7), unix(7), ip(7) and tcp(7) on x86-64. */

import {
  POLLIN,
  POLLOUT,
  POLLPRI,
  POLLRDBAND,
  POLLRDNORM,
  POLLWRBAND,
  POLLWRNORM,
} from "../fs/open-flags.js";

/** What a wake says when something has come to be read (sock_def_readable), and when there is room (write_space). */
export const SOCKET_READABLE = POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND;
export const SOCKET_WRITABLE = POLLOUT | POLLWRNORM | POLLWRBAND;

export const AF_UNSPEC = 0;
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
/** One past the largest family that socket(2) lets through to a look-up (AF_MAX). */
export const AF_MAX = 46;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_SEQPACKET = 5;
/** One past the largest type (SOCK_MAX). */
export const SOCK_MAX = 11;
export const SOCK_TYPE_MASK = 0xf;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;

export const SHUT_RD = 0;
export const SHUT_WR = 1;
export const SHUT_RDWR = 2;
/** What sk_shutdown holds: SHUT_* plus one, as bits. */
export const RCV_SHUTDOWN = 1;
export const SEND_SHUTDOWN = 2;
export const SHUTDOWN_MASK = 3;

export const MSG_OOB = 0x1;
export const MSG_PEEK = 0x2;
export const MSG_DONTROUTE = 0x4;
export const MSG_CTRUNC = 0x8;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_EOR = 0x80;
export const MSG_WAITALL = 0x100;
export const MSG_CONFIRM = 0x800;
export const MSG_ERRQUEUE = 0x2000;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_MORE = 0x8000;
export const MSG_WAITFORONE = 0x10000;
export const MSG_CMSG_CLOEXEC = 0x4000_0000;

export const SOL_IP = 0;
export const SOL_SOCKET = 1;
export const SOL_TCP = 6;
export const SOL_UDP = 17;
export const SOL_IPV6 = 41;
export const SOL_NETLINK = 270;

export const SCM_RIGHTS = 1;
export const SCM_CREDENTIALS = 2;
/** Most descriptors in one message (SCM_MAX_FD). */
export const SCM_MAX_FD = 253;

export const IPPROTO_TCP = 6;
export const IPPROTO_UDP = 17;
/** One past the largest protocol that inet_create lets through. */
export const IPPROTO_MAX = 263;

/** net.core.somaxconn */
export const SOMAXCONN = 4096;
/** net.core.wmem_default and rmem_default, wmem_max and rmem_max, in bytes. */
export const BUFFER_DEFAULT = 212_992;
export const BUFFER_MAX = 212_992;
/** Bytes; what SO_SNDBUF and SO_RCVBUF give at least (SOCK_MIN_SNDBUF, SOCK_MIN_RCVBUF). */
export const SEND_BUFFER_MIN = 4608;
export const RECEIVE_BUFFER_MIN = 2304;

export const CAP_SETGID = 6;
export const CAP_SETUID = 7;
export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_ADMIN = 12;
export const CAP_SYS_ADMIN = 21;
export const CAP_SYS_RESOURCE = 24;
