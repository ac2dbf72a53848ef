/** io_uring_register (io_uring/register.c, io_uring/rsrc.c). */

import {
  EBADF,
  EBADFD,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  EMFILE,
  ENXIO,
  EOPNOTSUPP,
  EOVERFLOW,
} from "../kernel/errno.js";
import { EventFile } from "../kernel/fs/event-file.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { registerBuffer, unregisterBuffer, type RegisteredBuffer } from "../kernel/io-uring/buffers.js";
import { RingFile } from "../kernel/io-uring/ring-file.js";
import { IORING_SETUP_SINGLE_ISSUER } from "../kernel/io-uring/uapi.js";
import { isZero } from "../kernel/mm/word.js";
import { names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit, fileOf } from "./files-common.js";
import { OPERATIONS } from "./io-uring-operations.js";
import { readView, writeBytes } from "./structs.js";

export const REGISTER_OPERATIONS = names("IORING_REGISTER_???", {
  IORING_REGISTER_BUFFERS: 0,
  IORING_UNREGISTER_BUFFERS: 1,
  IORING_REGISTER_FILES: 2,
  IORING_UNREGISTER_FILES: 3,
  IORING_REGISTER_EVENTFD: 4,
  IORING_UNREGISTER_EVENTFD: 5,
  IORING_REGISTER_FILES_UPDATE: 6,
  IORING_REGISTER_PROBE: 8,
  IORING_REGISTER_ENABLE_RINGS: 12,
});

/** IORING_MAX_REG_BUFFERS, IORING_MAX_FIXED_FILES. */
const MAX_BUFFERS = 1 << 14;
const MAX_FILES = 1 << 20;
const LARGEST_BUFFER = 2n ** 30n;
const IORING_REGISTER_FILES_SKIP = -2;
const IO_URING_OP_SUPPORTED = 1;
/** Operations that a probe may ask about; the header's bytes and those of each. */
const MOST_PROBED = 256;
const PROBE_BYTES = 16;
const PROBE_OPERATION_BYTES = 8;

type Registration = (call: SyscallCall, ring: RingFile, count: number) => number;

/** EBADF, EOPNOTSUPP (no ring), EEXIST (another task's ring), EINVAL (what this kernel does not register). */
export function register(call: SyscallCall): number {
  const registration = REGISTRATIONS.get(call.u32(1));
  if (registration === undefined) return -EINVAL;
  const ring = fileOf(call, call.fd(0));
  if (typeof ring === "number") return ring;
  if (!(ring instanceof RingFile)) return -EOPNOTSUPP;
  const single = (ring.shape.flags & IORING_SETUP_SINGLE_ISSUER) !== 0;
  if (single && ring.submitter !== null && ring.submitter !== call.task) return -EEXIST;
  return registration(call, ring, call.u32(3));
}

const bare = (call: SyscallCall, count: number): boolean => isZero(call.word(2)) && count === 0;

/** EBUSY, EINVAL (count), EFAULT, EOVERFLOW, ENOMEM: then no buffer is registered. */
const registerBuffers: Registration = (call, ring, count) => {
  if (ring.buffers !== null) return -EBUSY;
  if (count === 0 || count > MAX_BUFFERS) return -EINVAL;
  const view = readView(call.user, call.word(2), 16 * count);
  if (typeof view === "number") return -EFAULT;
  const buffers: (RegisteredBuffer | null)[] = [];
  for (let i = 0; i < count && call.mm.kernelWaits; i++) {
    const length = Number(view.getBigUint64(16 * i + 8, true));
    if (length <= LARGEST_BUFFER) call.user.awaitWritable(view.getBigUint64(16 * i, true), length);
  }
  for (let i = 0; i < count; i++) {
    const buffer = oneBuffer(call, view.getBigUint64(16 * i, true), view.getBigUint64(16 * i + 8, true));
    if (typeof buffer === "number") {
      for (const done of buffers) if (done !== null) unregisterBuffer(call.kernel.pins, done);
      return buffer;
    }
    buffers.push(buffer);
  }
  ring.buffers = buffers;
  return 0;
};

function oneBuffer(call: SyscallCall, base: bigint, length: bigint): RegisteredBuffer | null | number {
  if (base === 0n) return length === 0n ? null : -EFAULT;
  if (length === 0n || length > LARGEST_BUFFER) return -EFAULT;
  if (base + length + 4095n >= 2n ** 64n) return -EOVERFLOW;
  if (!call.user.accessOk(base, length)) return -EFAULT;
  return registerBuffer(call.mm, call.task.credentials.uid, Number(base), Number(length));
}

const unregisterBuffers: Registration = (call, ring, count) => {
  if (!bare(call, count)) return -EINVAL;
  if (ring.buffers === null) return -ENXIO;
  ring.dropBuffers();
  return 0;
};

/** A descriptor to be registered; null for -1, which leaves the place empty. A ring cannot be (EBADF). */
function fileFor(call: SyscallCall, fd: number): OpenFile | null | number {
  if (fd === -1) return null;
  const file = fileOf(call, fd);
  return file instanceof RingFile ? -EBADF : file;
}

/** EBUSY, EINVAL, EMFILE, EFAULT, EBADF: then no file is registered. */
const registerFiles: Registration = (call, ring, count) => {
  if (ring.files !== null) return -EBUSY;
  if (count === 0) return -EINVAL;
  if (count > MAX_FILES || count > descriptorLimit(call)) return -EMFILE;
  const view = readView(call.user, call.word(2), 4 * count);
  if (typeof view === "number") return -EFAULT;
  const files: (OpenFile | null)[] = [];
  for (let i = 0; i < count; i++) {
    const file = fileFor(call, view.getInt32(4 * i, true));
    if (typeof file === "number") {
      for (const done of files) done?.release();
      return file;
    }
    files.push(file?.hold() ?? null);
  }
  ring.files = files;
  return 0;
};

const unregisterFiles: Registration = (call, ring, count) => {
  if (!bare(call, count)) return -EINVAL;
  if (ring.files === null) return -ENXIO;
  ring.dropFiles();
  return 0;
};

/** struct io_uring_files_update: as many as could be changed, or why the first could not. */
const updateFiles: Registration = (call, ring, count) => {
  if (count === 0) return -EINVAL;
  const view = readView(call.user, call.word(2), 16);
  if (typeof view === "number") return -EFAULT;
  if (view.getUint32(4, true) !== 0) return -EINVAL;
  const first = view.getUint32(0, true);
  const { files } = ring;
  if (first + count > 0xffff_ffff) return -EOVERFLOW;
  if (files === null) return -ENXIO;
  if (first + count > files.length) return -EINVAL;
  const from = view.getBigUint64(8, true);
  call.user.awaitReadable(from, 4 * count);
  for (let done = 0; done < count; done++) {
    const fd = call.user.readI32(from + BigInt(4 * done));
    if (fd === IORING_REGISTER_FILES_SKIP) continue;
    const file = fd === null ? -EFAULT : fileFor(call, fd);
    if (typeof file === "number") return done > 0 ? done : file;
    files[first + done]?.release();
    files[first + done] = file?.hold() ?? null;
  }
  return count;
};

/** EINVAL (count), EBUSY, EFAULT, EBADF, EINVAL (no eventfd). */
const registerEventFile: Registration = (call, ring, count) => {
  if (count !== 1) return -EINVAL;
  if (ring.eventFile !== null) return -EBUSY;
  const fd = call.user.readI32(call.word(2));
  if (fd === null) return -EFAULT;
  const file = fileOf(call, fd);
  if (typeof file === "number") return file;
  if (!(file instanceof EventFile)) return -EINVAL;
  ring.eventFile = file.hold();
  return 0;
};

const unregisterEventFile: Registration = (call, ring, count) => {
  if (!bare(call, count)) return -EINVAL;
  if (ring.eventFile === null) return -ENXIO;
  ring.eventFile.release();
  ring.eventFile = null;
  return 0;
};

/** EINVAL (null, count, a structure that is not zeroed), EFAULT. */
const probe: Registration = (call, _ring, count) => {
  if (isZero(call.word(2)) || count > MOST_PROBED) return -EINVAL;
  const last = Math.max(...OPERATIONS.keys());
  const told = Math.min(count, last + 1);
  const bytes = call.user.read(call.word(2), PROBE_BYTES + PROBE_OPERATION_BYTES * told);
  if (typeof bytes === "number") return -EFAULT;
  if (bytes.some((byte) => byte !== 0)) return -EINVAL;
  bytes[0] = last;
  bytes[1] = told;
  for (let i = 0; i < told; i++) {
    const at = PROBE_BYTES + PROBE_OPERATION_BYTES * i;
    bytes[at] = i;
    if (OPERATIONS.has(i)) bytes[at + 2] = IO_URING_OP_SUPPORTED;
  }
  return writeBytes(call.user, call.word(2), bytes);
};

const enableRings: Registration = (call, ring, count) => {
  if (!bare(call, count)) return -EINVAL;
  if (!ring.disabled) return -EBADFD;
  ring.disabled = false;
  if ((ring.shape.flags & IORING_SETUP_SINGLE_ISSUER) !== 0) ring.submitter ??= call.task;
  return 0;
};

const REGISTRATIONS: ReadonlyMap<number, Registration> = new Map([
  [0, registerBuffers],
  [1, unregisterBuffers],
  [2, registerFiles],
  [3, unregisterFiles],
  [4, registerEventFile],
  [5, unregisterEventFile],
  [6, updateFiles],
  [8, probe],
  [12, enableRings],
]);
