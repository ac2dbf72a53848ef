/** Messages of netlink(7) and rtnetlink(7) as bytes: a header, a fixed part, attributes (include/uapi/linux/netlink.h). */

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
/** Types below are control messages. */
export const NLMSG_MIN_TYPE = 16;
export const NLMSG_HEADER = 16;

export const NLM_F_REQUEST = 1;
export const NLM_F_MULTI = 2;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CAPPED = 0x100;

/** Messages and attributes begin at multiples of so many bytes. */
export const align = (bytes: number): number => (bytes + 3) & ~3;

/** struct nlmsghdr, and what follows it. */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
  readonly body: Uint8Array;
}

export function encodeMessage({ type, flags, sequence, port, body }: NetlinkMessage): Uint8Array {
  const bytes = new Uint8Array(align(NLMSG_HEADER + body.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NLMSG_HEADER + body.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  view.setUint32(12, port, true);
  bytes.set(body, NLMSG_HEADER);
  return bytes;
}

/** The messages in what was sent; what is no whole message ends them (nlmsg_ok). */
export function* decodeMessages(bytes: Uint8Array): Generator<NetlinkMessage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; bytes.length - at >= NLMSG_HEADER;) {
    const length = view.getUint32(at, true);
    if (length < NLMSG_HEADER || length > bytes.length - at) return;
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      body: bytes.subarray(at + NLMSG_HEADER, at + length),
    };
    at += align(length);
  }
}

export type Attribute = readonly [type: number, value: readonly number[]];

/** A fixed part with its attributes (struct rtattr each) behind it. */
export function withAttributes(fixed: readonly number[], attributes: readonly Attribute[]): Uint8Array {
  const bytes: number[] = [...fixed];
  for (const [type, value] of attributes) {
    const length = 4 + value.length;
    bytes.push(length & 0xff, length >> 8, type & 0xff, type >> 8, ...value);
    while (bytes.length % 4 !== 0) bytes.push(0);
  }
  return Uint8Array.from(bytes);
}

/** The attribute of a type in a request, or null. @param from where attributes begin */
export function attributeOf(body: Uint8Array, from: number, wanted: number): Uint8Array | null {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  for (let at = from; body.length - at >= 4;) {
    const length = view.getUint16(at, true);
    if (length < 4 || length > body.length - at) return null;
    if ((view.getUint16(at + 2, true) & 0x3fff) === wanted) return body.subarray(at + 4, at + length);
    at += align(length);
  }
  return null;
}

export const u32 = (value: number): number[] => [
  value & 0xff,
  (value >>> 8) & 0xff,
  (value >>> 16) & 0xff,
  value >>> 24,
];
