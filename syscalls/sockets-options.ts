/** setsockopt and getsockopt (net/core/sock.c). */

import {
  EACCES,
  EDOM,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOPROTOOPT,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
} from "../kernel/errno.js";
import { hasCapability } from "../kernel/credentials.js";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  BUFFER_MAX,
  CAP_NET_ADMIN,
  RECEIVE_BUFFER_MIN,
  SEND_BUFFER_MIN,
  SOL_SOCKET,
} from "../kernel/net/constants.js";
import type { Socket } from "../kernel/net/socket.js";
import { fd } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { socketOf } from "./sockets-common.js";
import { optionArguments } from "./sockets-names.js";
import { NANOSECONDS, timevalBytes } from "./structs.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const SO_DEBUG = 1;
const SO_REUSEADDR = 2;
const SO_TYPE = 3;
const SO_ERROR = 4;
const SO_DONTROUTE = 5;
const SO_BROADCAST = 6;
const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
const SO_KEEPALIVE = 9;
const SO_OOBINLINE = 10;
const SO_NO_CHECK = 11;
const SO_PRIORITY = 12;
const SO_LINGER = 13;
const SO_BSDCOMPAT = 14;
const SO_REUSEPORT = 15;
const SO_PASSCRED = 16;
const SO_RCVLOWAT = 18;
const SO_SNDLOWAT = 19;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SO_BINDTODEVICE = 25;
const SO_PEERNAME = 28;
const SO_ACCEPTCONN = 30;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SO_MARK = 36;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;
const SO_COOKIE = 57;

const SWITCHES = new Set([SO_DEBUG, SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK]);
const IFNAMSIZ = 16;
const LOOPBACK_INDEX = 1;
/** Nanoseconds between ticks (CONFIG_HZ=250): timeouts are rounded up to them. */
const JIFFY = 4_000_000;
const TIMEVAL_BYTES = 16;
const OPTION_BYTES_MAX = 4096;

const isInternet = (socket: Socket): boolean => socket.family === AF_INET || socket.family === AF_INET6;

function setsockopt(call: SyscallCall): number {
  const size = call.i32(4);
  if (size < 0) return -EINVAL;
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const { socket } = file;
  const [level, name] = [call.i32(1), call.i32(2)];
  const value = call.user.read(call.word(3), Math.min(size, OPTION_BYTES_MAX));
  if (level !== SOL_SOCKET) {
    if (typeof value === "number") return socket.family === AF_UNIX ? -EOPNOTSUPP : -EFAULT;
    return socket.setOption(level, name, value, call.task);
  }
  if (name === SO_BINDTODEVICE) return bindToDevice(socket, value);
  if (size < 4) return -EINVAL;
  if (typeof value === "number") return -EFAULT;
  return setSocketOption(call, socket, name, value);
}

function setSocketOption(call: SyscallCall, socket: Socket, name: number, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = view.getInt32(0, true);
  const on = value !== 0;
  const { options } = socket;
  const administers = hasCapability(call.task.credentials, CAP_NET_ADMIN);
  switch (name) {
    case SO_REUSEADDR:
      options.reuseAddress = on;
      return 0;
    case SO_REUSEPORT:
      if (on && !isInternet(socket)) return -EOPNOTSUPP;
      options.reusePort = on;
      return 0;
    case SO_TYPE:
    case SO_PROTOCOL:
    case SO_DOMAIN:
    case SO_ERROR:
      return -ENOPROTOOPT;
    case SO_SNDBUF:
      options.sendBuffer = Math.max(Math.min(value >>> 0, BUFFER_MAX) * 2, SEND_BUFFER_MIN);
      socket.queue.wake();
      return 0;
    case SO_RCVBUF:
      options.receiveBuffer = Math.max(Math.min(value >>> 0, BUFFER_MAX) * 2, RECEIVE_BUFFER_MIN);
      return 0;
    case SO_SNDBUFFORCE:
    case SO_RCVBUFFORCE: {
      if (!administers) return -EPERM;
      const doubled = Math.min(Math.max(value, 0), 0x3fff_ffff) * 2;
      if (name === SO_SNDBUFFORCE) options.sendBuffer = Math.max(doubled, SEND_BUFFER_MIN);
      else options.receiveBuffer = Math.max(doubled, RECEIVE_BUFFER_MIN);
      return 0;
    }
    case SO_PRIORITY:
      if ((value < 0 || value > 6) && !administers) return -EPERM;
      options.priority = value;
      return 0;
    case SO_LINGER: {
      if (bytes.length < 8) return -EINVAL;
      options.lingers = on;
      if (on) options.lingerTime = view.getInt32(4, true);
      return 0;
    }
    case SO_BSDCOMPAT:
      return 0;
    case SO_PASSCRED:
      if (socket.family !== AF_UNIX) return -EOPNOTSUPP;
      options.passCredentials = on;
      return 0;
    case SO_RCVLOWAT:
      options.lowWater = value < 0 ? 0x7fff_ffff : value || 1;
      return 0;
    case SO_RCVTIMEO:
    case SO_SNDTIMEO: {
      const timeout = timeoutOf(bytes);
      if (typeof timeout === "number") return timeout;
      if (name === SO_RCVTIMEO) options.receiveTimeout = timeout.nanoseconds;
      else options.sendTimeout = timeout.nanoseconds;
      return 0;
    }
    case SO_MARK:
      if (!administers) return -EPERM;
      options.mark = value >>> 0;
      return 0;
    default:
      if (!SWITCHES.has(name)) return -ENOPROTOOPT;
      if (name === SO_DEBUG && on && !administers) return -EACCES;
      if (on) options.switches.add(name);
      else options.switches.delete(name);
      return 0;
  }
}

/** A struct timeval as sock_set_timeout takes it: zero is no limit, what is negative is none at all. */
function timeoutOf(bytes: Uint8Array): { nanoseconds: number | null } | number {
  if (bytes.length < TIMEVAL_BYTES) return -EINVAL;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const seconds = Number(view.getBigInt64(0, true));
  const micros = Number(view.getBigInt64(8, true));
  if (micros < 0 || micros >= 1_000_000) return -EDOM;
  if (seconds < 0) return { nanoseconds: 0 };
  const nanoseconds = seconds * NANOSECONDS + Math.ceil((micros * 1000) / JIFFY) * JIFFY;
  return { nanoseconds: nanoseconds === 0 || seconds > 4e9 ? null : nanoseconds };
}

/** Only the loopback interface is there. */
function bindToDevice(socket: Socket, value: Uint8Array | number): number {
  if (typeof value === "number") return -EFAULT;
  const end = value.indexOf(0);
  const text = String.fromCharCode(
    ...value.subarray(0, end < 0 ? Math.min(value.length, IFNAMSIZ - 1) : end),
  );
  if (text !== "" && text !== "lo") return -ENODEV;
  socket.options.device = text === "" ? 0 : LOOPBACK_INDEX;
  return 0;
}

function getsockopt(call: SyscallCall): number {
  const file = socketOf(call, call.fd(0));
  if (typeof file === "number") return file;
  const { socket } = file;
  const [level, name] = [call.i32(1), call.i32(2)];
  const isCommon = level === SOL_SOCKET;
  if (!isCommon && socket.family === AF_UNIX) return -EOPNOTSUPP;
  const room = call.user.readI32(call.word(4));
  if (room === null) return -EFAULT;
  if (room < 0) return -EINVAL;
  const value = isCommon ? getSocketOption(socket, name, room) : socket.getOption(level, name);
  if (typeof value === "number") return value;
  const shown = value.subarray(0, room);
  if (shown.length > 0 && !call.user.writeBytes(call.word(3), shown)) return -EFAULT;
  return call.user.writeI32(call.word(4), shown.length) ? 0 : -EFAULT;
}

const integer = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer);

function getSocketOption(socket: Socket, name: number, room: number): Uint8Array | number {
  const { options } = socket;
  switch (name) {
    case SO_REUSEADDR:
      return integer(Number(options.reuseAddress));
    case SO_REUSEPORT:
      return integer(Number(options.reusePort));
    case SO_TYPE:
      return integer(socket.type);
    case SO_PROTOCOL:
      return integer(socket.protocol);
    case SO_DOMAIN:
      return integer(socket.family);
    case SO_ERROR:
      return integer(-socket.takeError());
    case SO_SNDBUF:
      return integer(options.sendBuffer);
    case SO_RCVBUF:
      return integer(options.receiveBuffer);
    case SO_PRIORITY:
      return integer(options.priority);
    case SO_LINGER:
      return new Uint8Array(Int32Array.of(Number(options.lingers), options.lingerTime).buffer);
    case SO_BSDCOMPAT:
      return integer(0);
    case SO_PASSCRED:
      return socket.family === AF_UNIX ? integer(Number(options.passCredentials)) : -EOPNOTSUPP;
    case SO_RCVLOWAT:
      return integer(options.lowWater);
    case SO_SNDLOWAT:
      return integer(1);
    case SO_RCVTIMEO:
      return timevalBytes(options.receiveTimeout ?? 0);
    case SO_SNDTIMEO:
      return timevalBytes(options.sendTimeout ?? 0);
    case SO_BINDTODEVICE:
      return device(socket, room);
    case SO_PEERNAME: {
      const peer = socket.peerName();
      if (typeof peer === "number") return -ENOTCONN;
      return peer.length < room ? -EINVAL : peer;
    }
    case SO_ACCEPTCONN:
      return integer(Number(socket.isListening));
    case SO_MARK:
      return integer(options.mark | 0);
    case SO_COOKIE:
      return room < 8 ? -EINVAL : new Uint8Array(BigUint64Array.of(BigInt(socket.inode)).buffer);
    default:
      return SWITCHES.has(name) ? integer(Number(options.switches.has(name))) : socket.getFamilyOption(name);
  }
}

function device(socket: Socket, room: number): Uint8Array | number {
  if (socket.options.device === 0) return new Uint8Array(0);
  return room < IFNAMSIZ ? -EINVAL : Uint8Array.of(0x6c, 0x6f, 0);
}

export const optionSyscalls: readonly Definition[] = [
  define({
    number: 54,
    name: "setsockopt",
    args: [fd("sockfd"), ...optionArguments("in")],
    handler: setsockopt,
  }),
  define({
    number: 55,
    name: "getsockopt",
    args: [fd("sockfd"), ...optionArguments("out")],
    handler: getsockopt,
  }),
];
