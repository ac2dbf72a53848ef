import { EAFNOSUPPORT, EINVAL } from "../errno.js";
import { AF_INET } from "./constants.js";

/** An address and a port of ip(7) or ipv6(7). */
export interface Endpoint {
  /** 16 bytes in hexadecimal; an IPv4 address stands in its mapped form (::ffff:a.b.c.d). */
  readonly ip: string;
  readonly port: number;
}

const MAPPED = "00000000000000000000ffff";
export const ANY4 = `${MAPPED}00000000`;
const ANY6 = "0".repeat(32);
const LOOPBACK4 = `${MAPPED}7f000001`;
export const LOOPBACK6 = `${"0".repeat(31)}1`;

const SOCKADDR_IN_BYTES = 16;
const SOCKADDR_IN6_BYTES = 28;
/** sockaddr_in6 without its scope, as RFC 2133 had it. */
const SOCKADDR_IN6_LEAST = 24;

export const isV4 = (ip: string): boolean => ip.startsWith(MAPPED);
export const isAny = (ip: string): boolean => ip === ANY4 || ip === ANY6;
/** 127.0.0.0/8 and ::1: all that this machine has. */
export const isLoopback = (ip: string): boolean => ip === LOOPBACK6 || ip.startsWith(`${MAPPED}7f`);
export const anyOf = (family: number): string => (family === AF_INET ? ANY4 : ANY6);

/** Where a destination leads: the wildcard means the loopback address. */
export function destination(ip: string): string {
  return ip === ANY4 ? LOOPBACK4 : ip === ANY6 ? LOOPBACK6 : ip;
}

/** The address that a packet to `ip` comes from. */
export function sourceFor(ip: string): string {
  return isV4(ip) ? LOOPBACK4 : LOOPBACK6;
}

const hex = (bytes: Uint8Array): string =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** The family field of a sockaddr; 0 where it is too short for one. */
export function familyOf(sockaddr: Uint8Array): number {
  return sockaddr.length < 2 ? 0 : sockaddr[0]! | (sockaddr[1]! << 8);
}

/** Reads a sockaddr_in or sockaddr_in6 for a socket of a family: -EINVAL when too short, -EAFNOSUPPORT. */
export function parseEndpoint(family: number, sockaddr: Uint8Array): Endpoint | number {
  const least = family === AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_LEAST;
  const given = familyOf(sockaddr);
  if (sockaddr.length < least) return -EINVAL;
  if (given !== family) return -EAFNOSUPPORT;
  const port = (sockaddr[2]! << 8) | sockaddr[3]!;
  const ip = family === AF_INET ? MAPPED + hex(sockaddr.subarray(4, 8)) : hex(sockaddr.subarray(8, 24));
  return { ip, port };
}

/** The sockaddr that a socket of a family shows. */
export function sockaddrOf(family: number, { ip, port }: Endpoint): Uint8Array {
  const bytes = new Uint8Array(family === AF_INET ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES);
  bytes[0] = family;
  bytes[2] = port >> 8;
  bytes[3] = port & 0xff;
  const all = Uint8Array.from({ length: 16 }, (_, i) => parseInt(ip.slice(2 * i, 2 * i + 2), 16));
  if (family === AF_INET) bytes.set(all.subarray(12), 4);
  else bytes.set(all, 8);
  return bytes;
}
