/** The calls on files, by subject. */

import { cachestatSyscalls } from "./cachestat.js";
import { epollSyscalls } from "./epoll.js";
import { absentSyscalls } from "./files-absent.js";
import { attributeSyscalls } from "./files-attributes.js";
import { fileTimeSyscalls } from "./files-times.js";
import { placeSyscalls } from "./files-places.js";
import { sizeSyscalls } from "./files-size.js";
import { xattrSyscalls } from "./files-xattr.js";
import { controlSyscalls } from "./files-control.js";
import { copySyscalls } from "./files-copy.js";
import { ioctlSyscalls } from "./files-ioctl.js";
import { ringSyscalls } from "./io-uring.js";
import { lockSyscalls } from "./files-locks.js";
import { openSyscalls } from "./files-open.js";
import { messageSyscalls } from "./sockets-message.js";
import { optionSyscalls } from "./sockets-options.js";
import { pollSyscalls } from "./files-poll.js";
import { signalfdSyscalls } from "./signalfd.js";
import { pidfdSyscalls } from "./pidfd.js";
import { spliceSyscalls } from "./splice.js";
import { socketSyscalls } from "./sockets.js";
import { statusSyscalls } from "./files-status.js";
import { timerfdSyscalls } from "./timerfd.js";
import { transferSyscalls } from "./files-transfer.js";
import { treeSyscalls } from "./files-tree.js";
import { mountSyscalls } from "./mounts.js";
import type { Definition } from "./table.js";

export const fileSyscalls: readonly Definition[] = [
  ...transferSyscalls,
  ...openSyscalls,
  ...statusSyscalls,
  ...spliceSyscalls,
  ...treeSyscalls,
  ...mountSyscalls,
  ...attributeSyscalls,
  ...fileTimeSyscalls,
  ...sizeSyscalls,
  ...cachestatSyscalls,
  ...placeSyscalls,
  ...xattrSyscalls,
  ...controlSyscalls,
  ...copySyscalls,
  ...lockSyscalls,
  ...ioctlSyscalls,
  ...pollSyscalls,
  ...epollSyscalls,
  ...signalfdSyscalls,
  ...timerfdSyscalls,
  ...pidfdSyscalls,
  ...socketSyscalls,
  ...messageSyscalls,
  ...optionSyscalls,
  ...ringSyscalls,
  ...absentSyscalls,
];
