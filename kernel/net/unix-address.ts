import { EINVAL } from "../errno.js";
import { AF_UNIX } from "./constants.js";

/** sizeof(struct sockaddr_un), and where its path begins. */
const SOCKADDR_UN_BYTES = 110;
const PATH_OFFSET = 2;

/** A name of unix(7): the whole sockaddr_un, as getsockname gives it. */
export interface UnixAddress {
  readonly bytes: Uint8Array;
  /** The path as a byte string; null for an abstract name. */
  readonly path: string | null;
}

/** sockaddr_un of a socket without a name: the family alone. */
export const UNNAMED = Uint8Array.of(AF_UNIX, 0);

/** Reads a sockaddr_un that names something (unix_validate_addr, unix_mkname_bsd); -EINVAL. */
export function parseUnixAddress(address: Uint8Array): UnixAddress | number {
  if (address.length <= PATH_OFFSET || address.length > SOCKADDR_UN_BYTES) return -EINVAL;
  if ((address[0]! | (address[1]! << 8)) !== AF_UNIX) return -EINVAL;
  if (address[PATH_OFFSET] === 0) return { bytes: address.slice(), path: null };
  const end = address.indexOf(0, PATH_OFFSET);
  const name = address.subarray(PATH_OFFSET, end < 0 ? address.length : end);
  const bytes = new Uint8Array(PATH_OFFSET + name.length + 1);
  bytes.set(address.subarray(0, PATH_OFFSET + name.length));
  return { bytes, path: String.fromCharCode(...name) };
}

/** The abstract name that autobind gives: five hexadecimal digits. */
export function automaticAddress(number: number): UnixAddress {
  const digits = (number & 0xf_ffff).toString(16).padStart(5, "0");
  const bytes = Uint8Array.of(AF_UNIX, 0, 0, ...[...digits].map((digit) => digit.charCodeAt(0)));
  return { bytes, path: null };
}

/** As /proc/net/unix and ss show it: "@" for NUL in abstract names. */
export function unixAddressText(address: UnixAddress): string {
  if (address.path !== null) return address.path;
  const name = String.fromCharCode(...address.bytes.subarray(PATH_OFFSET));
  return name.replaceAll("\0", "@");
}

/** What two abstract names must share to be one: sockets of different types have different names. */
export function abstractKey(address: UnixAddress, type: number): string {
  return `${type}:${String.fromCharCode(...address.bytes.subarray(PATH_OFFSET))}`;
}
