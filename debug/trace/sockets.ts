import type { StructKind } from "../../syscalls/argument.js";
import { MESSAGE_FLAGS, OPTION_LEVELS } from "../../syscalls/sockets-names.js";
import type { CallView } from "./arguments.js";
import { choiceText, flagsText, hex, pointer, table } from "./names.js";
import { quote, SHOWN_BYTES } from "./strings.js";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const FAMILIES = table("AF_???", { AF_UNSPEC: 0, AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: 16 });
const CONTROL_TYPES = table("SCM_???", { SCM_RIGHTS: 1, SCM_CREDENTIALS: 2 });
const SOL_SOCKET = 1;
const SO_LINGER = 13;
const SO_PEERCRED = 17;
const SO_RCVTIMEO = 20;
const SO_SNDTIMEO = 21;
const SO_BINDTODEVICE = 25;
const MSGHDR_BYTES = 56;
const MMSGHDR_BYTES = 64;
const CMSGHDR_BYTES = 16;
const SOCKADDR_MAX = 128;
const CONTROL_MAX = 4096;

/** Formats the segments of a message: address of the iovecs, their number, bytes of them that are shown. */
export type SegmentsText = (at: bigint, count: number, bytes: number) => string;

function viewAt(call: CallView, at: bigint, length: number): DataView | null {
  const bytes = call.memory.read(Number(at), length);
  return bytes.length < length ? null : new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function v4Text(bytes: Uint8Array): string {
  return bytes.join(".");
}

/** An IPv6 address as inet_ntop writes it: the longest run of zero groups is `::`. */
function v6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) return `::ffff:${v4Text(bytes.subarray(12))}`;
  let [start, length] = [0, 0];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && groups[end] === 0) end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** `{sa_family=AF_UNIX, sun_path="path"}`, from the sockaddr's bytes; null when they are too few for a family. */
export function sockaddrText(bytes: Uint8Array): string | null {
  if (bytes.length < 2) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const family = view.getUint16(0, true);
  const shown = (rest: string): string => `{sa_family=${choiceText(BigInt(family), FAMILIES)}${rest}}`;
  if (bytes.length === 2) return shown("");
  if (family === AF_UNIX) {
    if (bytes[2] === 0) return shown(`, sun_path=@${quote(bytes.subarray(3))}`);
    const end = bytes.indexOf(0, 2);
    return shown(`, sun_path=${quote(bytes.subarray(2, end < 0 ? bytes.length : end))}`);
  }
  const port = bytes.length >= 4 ? view.getUint16(2, false) : 0;
  if (family === AF_INET && bytes.length >= 16)
    return shown(`, sin_port=htons(${port}), sin_addr=inet_addr("${v4Text(bytes.subarray(4, 8))}")`);
  if (family === AF_INET6 && bytes.length >= 24) {
    const flow = view.getUint32(4, false);
    const scope = bytes.length >= 28 ? `, sin6_scope_id=${view.getUint32(24, true)}` : "";
    const ip = `inet_pton(AF_INET6, "${v6Text(bytes.subarray(8, 24))}", &sin6_addr)`;
    return shown(`, sin6_port=htons(${port}), sin6_flowinfo=htonl(${flow}), ${ip}${scope}`);
  }
  return shown(`, sa_data=${quote(bytes.subarray(2))}`);
}

function addressText(call: CallView, at: bigint, length: number): string {
  if (length < 2) return pointer(at);
  const shown = Math.min(length, SOCKADDR_MAX);
  const bytes = call.memory.read(Number(at), shown);
  return bytes.length < shown ? pointer(at) : (sockaddrText(bytes) ?? pointer(at));
}

const credentialsText = (view: DataView, at: number): string =>
  `{pid=${view.getInt32(at, true)}, uid=${view.getInt32(at + 4, true)}, gid=${view.getInt32(at + 8, true)}}`;

function controlText(call: CallView, at: bigint, length: number): string {
  const view = viewAt(call, at, Math.min(length, CONTROL_MAX));
  if (view === null || view.byteLength < CMSGHDR_BYTES) return pointer(at);
  const texts: string[] = [];
  for (let from = 0; from + CMSGHDR_BYTES <= view.byteLength;) {
    const size = Number(view.getBigUint64(from, true));
    const level = view.getInt32(from + 8, true);
    const type = view.getInt32(from + 12, true);
    const end = Math.min(from + size, view.byteLength);
    const data = from + CMSGHDR_BYTES;
    const isSocket = level === SOL_SOCKET;
    const typeText = isSocket ? choiceText(BigInt(type >>> 0), CONTROL_TYPES) : hex(type >>> 0);
    let text = `{cmsg_len=${size}, cmsg_level=${choiceText(BigInt(level >>> 0), OPTION_LEVELS)}, cmsg_type=${typeText}`;
    if (isSocket && type === 1) {
      const numbers: number[] = [];
      for (let i = data; i + 4 <= end; i += 4) numbers.push(view.getInt32(i, true));
      text += `, cmsg_data=[${numbers.join(", ")}]`;
    } else if (isSocket && type === 2 && end - data >= 12)
      text += `, cmsg_data=${credentialsText(view, data)}`;
    texts.push(`${text}}`);
    if (size < CMSGHDR_BYTES) break;
    from += Math.ceil(size / 8) * 8;
  }
  return `[${texts.join(", ")}]`;
}

function headerText(call: CallView, at: bigint, bytes: number, segments: SegmentsText): string {
  const view = viewAt(call, at, MSGHDR_BYTES);
  if (view === null) return pointer(at);
  const name = view.getBigUint64(0, true);
  const nameLength = view.getInt32(8, true);
  const count = Number(view.getBigUint64(24, true));
  const control = view.getBigUint64(32, true);
  const controlLength = Number(view.getBigUint64(40, true));
  const parts = [
    `msg_name=${addressText(call, name, nameLength)}`,
    `msg_namelen=${nameLength}`,
    `msg_iov=${segments(view.getBigUint64(16, true), count, bytes)}`,
    `msg_iovlen=${count}`,
  ];
  if (controlLength > 0) parts.push(`msg_control=${controlText(call, control, controlLength)}`);
  parts.push(`msg_controllen=${controlLength}`);
  parts.push(`msg_flags=${flagsText(BigInt(view.getUint32(48, true)), MESSAGE_FLAGS)}`);
  return `{${parts.join(", ")}}`;
}

function optionText(call: CallView, at: bigint, length: number): string {
  const view = viewAt(call, at, Math.min(Math.max(length, 0), 256));
  if (view === null || view.byteLength === 0) return pointer(at);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (call.args[1] === BigInt(SOL_SOCKET)) {
    const option = Number(call.args[2]);
    if (option === SO_LINGER && length >= 8)
      return `{l_onoff=${view.getInt32(0, true)}, l_linger=${view.getInt32(4, true)}}`;
    if (option === SO_PEERCRED && length >= 12) return credentialsText(view, 0);
    if ([SO_RCVTIMEO, SO_SNDTIMEO].includes(option)) return quote(bytes.subarray(0, SHOWN_BYTES));
    if (option === SO_BINDTODEVICE) return quote(bytes);
  }
  return length >= 4 ? `[${view.getInt32(0, true)}]` : quote(bytes);
}

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** A structure of a call on sockets; null for other structures. `count`: where its length, or the pointer to it, is. */
export function socketStructText(
  struct: StructKind,
  at: bigint,
  call: CallView,
  out: boolean,
  count: number | "result" | undefined,
  segments: SegmentsText,
): string | null {
  const lengthAt = (): number => {
    const value = typeof count === "number" ? call.args[count]! : 0n;
    return out ? (viewAt(call, value, 4)?.getInt32(0, true) ?? 0) : low(value);
  };
  switch (struct) {
    case "sockaddr":
      return addressText(call, at, lengthAt());
    case "sockopt":
      return optionText(call, at, lengthAt());
    case "socklen": {
      const view = viewAt(call, at, 4);
      return view === null ? pointer(at) : `[${view.getInt32(0, true)}]`;
    }
    case "msghdr":
      return headerText(call, at, out ? Number(call.result ?? 0n) : Infinity, segments);
    case "mmsghdr": {
      const total = count === "result" ? Number(call.result ?? 0n) : low(call.args[count ?? 0]!);
      const texts: string[] = [];
      for (let i = 0; i < Math.min(total, SHOWN_BYTES); i++) {
        const each = at + BigInt(i * MMSGHDR_BYTES);
        const sent = viewAt(call, each + BigInt(MSGHDR_BYTES), 4)?.getUint32(0, true) ?? 0;
        texts.push(`{msg_hdr=${headerText(call, each, out ? sent : Infinity, segments)}, msg_len=${sent}}`);
      }
      return `[${texts.join(", ")}]`;
    }
    default:
      return null;
  }
}

/** What is shown of a struct msghdr that nothing was received into. */
export function failedMessageText(call: CallView, at: bigint): string {
  const view = viewAt(call, at, MSGHDR_BYTES);
  return view === null ? pointer(at) : `{msg_namelen=${view.getInt32(8, true)}}`;
}

/** A length that the kernel changed: `[110 => 6]`. */
export function changedLength(before: string, after: string): string {
  return before === after ? before : `${before.slice(0, -1)} => ${after.slice(1)}`;
}
