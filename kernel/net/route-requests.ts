/**
 * NETLINK_ROUTE about the one interface, lo: its link, addresses and routes (net/core/rtnetlink.c, net/ipv4/devinet.c,
 * net/ipv4/fib_frontend.c). Nothing can be changed.
 */

import { EINVAL, ENODEV, EOPNOTSUPP, EPERM } from "../errno.js";
import { AF_INET, AF_INET6, AF_UNSPEC } from "./constants.js";
import { attributeOf, NLM_F_DUMP, u32, withAttributes, type NetlinkMessage } from "./netlink-message.js";

const RTM_BASE = 16;
const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;
const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_GETNEIGH = 30;
/** The last one, RTM_GETTUNNEL. */
const RTM_MAX = 123;
/** Of four types that are about one thing: the one that asks. */
const KIND_GET = 2;

const IFINFO_BYTES = 16;
const IFLA_IFNAME = 3;
const LOOPBACK_INDEX = 1;
const NAME = [0x6c, 0x6f, 0];
const FOREVER = u32(0xffff_ffff);

const V4_LOOPBACK = [127, 0, 0, 1];
const V6_LOOPBACK = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/** One message of an answer. */
export interface RouteAnswer {
  readonly type: number;
  readonly body: Uint8Array;
}

/** struct ifinfomsg: AF_UNSPEC, ARPHRD_LOOPBACK, index 1, IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_LOWER_UP. */
function link(): RouteAnswer {
  const fixed = [0, 0, 0x04, 0x03, ...u32(LOOPBACK_INDEX), ...u32(0x1_0049), ...u32(0)];
  const body = withAttributes(fixed, [
    [IFLA_IFNAME, NAME],
    // Queue length, state, mode, MTU and its limits, group, promiscuity, carrier, addresses, queueing.
    [13, u32(1000)],
    [16, [0]],
    [17, [0]],
    [4, u32(65536)],
    [50, u32(0)],
    [51, u32(0)],
    [27, u32(0)],
    [30, u32(0)],
    [33, [1]],
    [1, [0, 0, 0, 0, 0, 0]],
    [2, [0, 0, 0, 0, 0, 0]],
    [6, [...new TextEncoder().encode("noqueue"), 0]],
  ]);
  return { type: RTM_NEWLINK, body };
}

/** struct ifaddrmsg: IFA_F_PERMANENT, RT_SCOPE_HOST. */
function addresses(family: number): RouteAnswer[] {
  const cache = [...FOREVER, ...FOREVER, ...u32(0), ...u32(0)];
  const flags = u32(0x80);
  const v4 = withAttributes(
    [AF_INET, 8, 0x80, 254, ...u32(LOOPBACK_INDEX)],
    [
      [1, V4_LOOPBACK],
      [2, V4_LOOPBACK],
      [3, NAME],
      [8, flags],
      [6, cache],
    ],
  );
  // IFA_PROTO: the kernel itself gave it to lo.
  const v6 = withAttributes(
    [AF_INET6, 128, 0x80, 254, ...u32(LOOPBACK_INDEX)],
    [
      [1, V6_LOOPBACK],
      [6, cache],
      [8, flags],
      [11, [1]],
    ],
  );
  const answers: RouteAnswer[] = [];
  if (family !== AF_INET6) answers.push({ type: RTM_NEWADDR, body: v4 });
  if (family !== AF_INET) answers.push({ type: RTM_NEWADDR, body: v6 });
  return answers;
}

/** struct rtmsg of the table "local", made by the kernel. @param kind RTN_LOCAL, RTN_BROADCAST */
function route4(prefix: number, scope: number, kind: number, destination: readonly number[]): RouteAnswer {
  const body = withAttributes(
    [AF_INET, prefix, 0, 0, 255, 2, scope, kind, ...u32(0)],
    [
      [15, u32(255)],
      [1, destination],
      [7, V4_LOOPBACK],
      [4, u32(LOOPBACK_INDEX)],
    ],
  );
  return { type: RTM_NEWROUTE, body };
}

/** Of ::1, with a metric of 0 and a medium preference (RFC 4191). */
function route6(): RouteAnswer {
  const body = withAttributes(
    [AF_INET6, 128, 0, 0, 255, 2, 0, 2, ...u32(0)],
    [
      [15, u32(255)],
      [1, V6_LOOPBACK],
      [6, u32(0)],
      [4, u32(LOOPBACK_INDEX)],
      [20, [0]],
    ],
  );
  return { type: RTM_NEWROUTE, body };
}

function routes(family: number): RouteAnswer[] {
  const v4 = [
    route4(8, 254, 2, [127, 0, 0, 0]),
    route4(32, 254, 2, V4_LOOPBACK),
    route4(32, 253, 3, [127, 255, 255, 255]),
  ];
  if (family === AF_INET) return v4;
  return family === AF_INET6 ? [route6()] : [...v4, route6()];
}

/** struct ifinfomsg of a request names a link by its index, or an attribute its name. ENODEV, EINVAL without either. */
function oneLink(body: Uint8Array): RouteAnswer[] | number {
  if (body.length < IFINFO_BYTES) return -EINVAL;
  const index = new DataView(body.buffer, body.byteOffset).getInt32(4, true);
  const name = attributeOf(body, IFINFO_BYTES, IFLA_IFNAME);
  if (index === 0 && name === null) return -EINVAL;
  const found =
    index > 0
      ? index === LOOPBACK_INDEX
      : name !== null && new TextDecoder().decode(name).replace(/\0.*$/s, "") === "lo";
  return found ? [link()] : -ENODEV;
}

/**
 * @param privileged the sender has CAP_NET_ADMIN
 * @returns the messages of the answer; null: there is nothing to say; -errno
 */
export function answerRoute(
  { type, flags, body }: NetlinkMessage,
  privileged: boolean,
): readonly RouteAnswer[] | number | null {
  if (type > RTM_MAX) return -EOPNOTSUPP;
  // A family at least (struct rtgenmsg).
  if (body.length === 0) return null;
  const asks = ((type - RTM_BASE) & 3) === KIND_GET;
  if (!asks && !privileged) return -EPERM;
  const family = body[0] ?? AF_UNSPEC;
  const dumps = (flags & NLM_F_DUMP) !== 0;
  if (type === RTM_GETLINK) return dumps ? [link()] : oneLink(body);
  if (!dumps) return -EOPNOTSUPP;
  switch (type) {
    case RTM_GETADDR:
      return addresses(family);
    case RTM_GETROUTE:
      return routes(family);
    case RTM_GETNEIGH:
      return [];
    default:
      return -EOPNOTSUPP;
  }
}
