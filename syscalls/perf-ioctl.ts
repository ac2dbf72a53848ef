/** ioctl on events (kernel/events/core.c _perf_ioctl). */

import { EBADF, EFAULT, EINVAL, ENOTTY, EOPNOTSUPP } from "../kernel/errno.js";
import { PerfFile } from "../kernel/fs/perf-file.js";
import type { PerfEvent } from "../kernel/perf/event.js";
import * as uapi from "../kernel/perf/uapi.js";
import type { SyscallCall } from "./call.js";
import { copyAttributes } from "./perf-attributes.js";
import { mayWatchKernel } from "./perf-event-open.js";

const {
  PERF_EVENT_IOC_ENABLE,
  PERF_EVENT_IOC_DISABLE,
  PERF_EVENT_IOC_REFRESH,
  PERF_EVENT_IOC_RESET,
  PERF_EVENT_IOC_PERIOD,
  PERF_EVENT_IOC_SET_OUTPUT,
  PERF_EVENT_IOC_SET_FILTER,
  PERF_EVENT_IOC_ID,
  PERF_EVENT_IOC_SET_BPF,
  PERF_EVENT_IOC_PAUSE_OUTPUT,
  PERF_EVENT_IOC_QUERY_BPF,
  PERF_EVENT_IOC_MODIFY_ATTRIBUTES,
} = uapi.PERF_REQUESTS;

/**
 * ENABLE, DISABLE, RESET (with PERF_IOC_FLAG_GROUP of the whole group), ID. EINVAL: REFRESH and PERIOD of what takes no
 * samples, filters and programs of what has none, attributes of another type; EOPNOTSUPP any other attributes; ENOTTY
 * unknown requests.
 */
export function perfIoctl(call: SyscallCall, { event }: PerfFile, request: number): number {
  const whole = (call.u32(2) & uapi.PERF_IOC_FLAG_GROUP) !== 0;
  const each = (act: (one: PerfEvent) => void): number => {
    for (const one of whole ? [event.leader, ...event.leader.siblings] : [event]) act(one);
    return 0;
  };
  switch (request) {
    case PERF_EVENT_IOC_ENABLE:
      return each((one) => one.switchAll(true));
    case PERF_EVENT_IOC_DISABLE:
      return each((one) => one.switchAll(false));
    case PERF_EVENT_IOC_RESET:
      return each((one) => one.resetAll());
    case PERF_EVENT_IOC_ID:
      return call.user.writeU64(call.word(2), event.id) ? 0 : -EFAULT;
    case PERF_EVENT_IOC_PERIOD:
      return call.user.readU64(call.word(2)) === null ? -EFAULT : -EINVAL;
    case PERF_EVENT_IOC_SET_OUTPUT: {
      const number = call.i32(2);
      if (number === -1) return 0;
      return call.fileAt(number) instanceof PerfFile ? -EINVAL : -EBADF;
    }
    case PERF_EVENT_IOC_REFRESH:
    case PERF_EVENT_IOC_SET_FILTER:
    case PERF_EVENT_IOC_PAUSE_OUTPUT:
      return -EINVAL;
    case PERF_EVENT_IOC_SET_BPF:
      return call.fileAt(call.i32(2)) === undefined ? -EBADF : -EINVAL;
    case PERF_EVENT_IOC_QUERY_BPF:
      return -EINVAL;
    case PERF_EVENT_IOC_MODIFY_ATTRIBUTES: {
      const attributes = copyAttributes(call, call.word(2), () => mayWatchKernel(call));
      if (typeof attributes === "number") return attributes;
      return attributes.type === event.attributes.type ? -EOPNOTSUPP : -EINVAL;
    }
    default:
      return -ENOTTY;
  }
}
