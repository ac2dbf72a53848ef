/** ioctl on sockets: what is queued, and the one interface (sock_ioctl, net/core/dev_ioctl.c). */

import { EFAULT, ENODEV, ENOTTY } from "../kernel/errno.js";
import type { SocketFile } from "../kernel/net/socket-file.js";
import type { SyscallCall } from "./call.js";

const SIOCINQ = 0x541b;
const SIOCOUTQ = 0x5411;
const SIOCGIFNAME = 0x8910;
const SIOCGIFFLAGS = 0x8913;
const SIOCGIFMTU = 0x8921;
const SIOCGIFINDEX = 0x8933;

const IFREQ_BYTES = 40;
const IFNAMSIZ = 16;
const LOOPBACK_INDEX = 1;
const LOOPBACK_MTU = 65536;
/** IFF_UP, IFF_LOOPBACK, IFF_RUNNING. */
const LOOPBACK_FLAGS = 0x49;

export function socketIoctl(call: SyscallCall, file: SocketFile, request: number): number {
  switch (request) {
    case SIOCINQ:
    case SIOCOUTQ: {
      const count = request === SIOCINQ ? file.socket.incoming() : file.socket.outgoing();
      if (count < 0) return count;
      return call.user.writeI32(call.word(2), count) ? 0 : -EFAULT;
    }
    case SIOCGIFNAME:
    case SIOCGIFFLAGS:
    case SIOCGIFMTU:
    case SIOCGIFINDEX:
      return interfaceRequest(call, request);
    default:
      return -ENOTTY;
  }
}

/** struct ifreq: a name, and what is asked for behind it. */
function interfaceRequest(call: SyscallCall, request: number): number {
  const bytes = call.user.read(call.word(2), IFREQ_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (request === SIOCGIFNAME) {
    if (view.getInt32(IFNAMSIZ, true) !== LOOPBACK_INDEX) return -ENODEV;
    bytes.set([0x6c, 0x6f, 0]);
  } else {
    if (bytes[0] !== 0x6c || bytes[1] !== 0x6f || bytes[2] !== 0) return -ENODEV;
    if (request === SIOCGIFFLAGS) view.setInt16(IFNAMSIZ, LOOPBACK_FLAGS, true);
    else view.setInt32(IFNAMSIZ, request === SIOCGIFMTU ? LOOPBACK_MTU : LOOPBACK_INDEX, true);
  }
  return call.user.writeBytes(call.word(2), bytes) ? 0 : -EFAULT;
}
