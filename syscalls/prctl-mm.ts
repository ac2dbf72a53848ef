/**
 * prctl(PR_SET_MM): where an address space's code, data, heap, stack, arguments and environment are, for whoever
 * restores a process or shows another command line (kernel/sys.c prctl_set_mm). Needs CAP_SYS_RESOURCE, but for
 * PR_SET_MM_MAP, which sets all of them at once.
 */

import { CAP_CHECKPOINT_RESTORE, CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EACCES, EBADF, EBUSY, EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { MAY_EXECUTE } from "../kernel/fs/mode.js";
import { actorOf, permission } from "../kernel/fs/permission.js";
import { RLIMIT_DATA } from "../kernel/limits.js";
import { TASK_SIZE, type MmLayout } from "../kernel/mm/layout.js";
import type { SyscallCall } from "./call.js";
import { readView } from "./structs.js";

const PR_SET_MM_AUXV = 12;
const PR_SET_MM_EXE_FILE = 13;
const PR_SET_MM_MAP = 14;
const PR_SET_MM_MAP_SIZE = 15;

type Mark = Exclude<keyof MmLayout, "mmapBase" | "mmapBase32" | "bottomUp">;
type Marks = Record<Mark, number>;

/** By option, from PR_SET_MM_START_CODE (1) on. */
const OPTIONS: readonly Mark[] = [
  "startCode",
  "endCode",
  "startData",
  "endData",
  "startStack",
  "startBrk",
  "brk",
  "argStart",
  "argEnd",
  "envStart",
  "envEnd",
];
/** In the order of struct prctl_mm_map. */
const FIELDS: readonly Mark[] = [
  "startCode",
  "endCode",
  "startData",
  "endData",
  "startBrk",
  "brk",
  "startStack",
  "argStart",
  "argEnd",
  "envStart",
  "envEnd",
];
/** These must lie in some area, or below one. */
const IN_AREAS: ReadonlySet<Mark> = new Set(["startStack", "argStart", "argEnd", "envStart", "envEnd"]);
/** Pairs that must be in order; code has one byte at least. */
const ORDERED: readonly (readonly [Mark, Mark])[] = [
  ["startData", "endData"],
  ["startBrk", "brk"],
  ["argStart", "argEnd"],
  ["envStart", "envEnd"],
];
const MAP_BYTES = 104;
const MAP_AUXV = 88;
const MAP_AUXV_SIZE = 96;
const MAP_EXE = 100;
const NO_FILE = 0xffff_ffff;
/** mm->saved_auxv: 26 pairs of words, of which the last is AT_NULL. */
const AUXV_BYTES = 416;

/** EINVAL (arguments, addresses), EPERM, EFAULT, and what setting the program's file refuses. */
export function setMm(call: SyscallCall): number {
  const { task, mm } = call;
  const option = call.i32(1);
  const takesLength = option === PR_SET_MM_AUXV || option === PR_SET_MM_MAP || option === PR_SET_MM_MAP_SIZE;
  if (call.u64(4) !== 0n || (call.u64(3) !== 0n && !takesLength)) return -EINVAL;
  if (option === PR_SET_MM_MAP_SIZE) return call.user.writeU32(call.word(2), MAP_BYTES) ? 0 : -EFAULT;
  if (option === PR_SET_MM_MAP) return setAll(call);
  if (!hasCapability(task.credentials, CAP_SYS_RESOURCE)) return -EPERM;
  if (option === PR_SET_MM_EXE_FILE) return setProgram(call, call.i32(2));
  if (option === PR_SET_MM_AUXV) return setAuxv(call, call.u64(2), call.u64(3));
  const address = call.n(2);
  if (address >= TASK_SIZE || address < mm.env.settings.mmapMinAddr) return -EINVAL;
  const mark = OPTIONS[option - 1];
  if (mark === undefined) return -EINVAL;
  const marks = { ...mm.layout, [mark]: address };
  if (!areValid(call, marks)) return -EINVAL;
  if (IN_AREAS.has(mark) && mm.tree.findFirst(address) === null) return -EFAULT;
  mm.layout[mark] = address;
  return 0;
}

/** All within user space, the pairs in order, heap and data within RLIMIT_DATA (validate_prctl_map_addr). */
function areValid({ task, mm }: SyscallCall, marks: Marks): boolean {
  const inside = FIELDS.every(
    (each) => marks[each] < TASK_SIZE && marks[each] >= mm.env.settings.mmapMinAddr,
  );
  if (!inside || marks.startCode >= marks.endCode) return false;
  if (ORDERED.some(([start, end]) => marks[start] > marks[end])) return false;
  const data = marks.brk - marks.startBrk + (marks.endData - marks.startData);
  return data <= task.limits.soft(RLIMIT_DATA);
}

/** PR_SET_MM_MAP (prctl_set_mm_map). */
function setAll(call: SyscallCall): number {
  const { task, mm, user } = call;
  if (call.u64(3) !== BigInt(MAP_BYTES)) return -EINVAL;
  const view = readView(user, call.word(2), MAP_BYTES);
  if (typeof view === "number") return view;
  const marks = { ...mm.layout };
  for (const [i, field] of FIELDS.entries()) marks[field] = Number(view.getBigUint64(8 * i, true));
  if (!areValid(call, marks)) return -EINVAL;
  const size = view.getUint32(MAP_AUXV_SIZE, true);
  const auxv = view.getBigUint64(MAP_AUXV, true);
  let vector: Uint8Array | null = null;
  if (size !== 0) {
    if (auxv === 0n || size > AUXV_BYTES) return -EINVAL;
    vector = readAuxv(call, auxv, size);
    if (vector === null) return -EFAULT;
  }
  const program = view.getUint32(MAP_EXE, true);
  if (program !== NO_FILE) {
    const { credentials } = task;
    if (!hasCapability(credentials, CAP_CHECKPOINT_RESTORE) && !hasCapability(credentials, CAP_SYS_ADMIN))
      return -EPERM;
    const result = setProgram(call, program | 0);
    if (result < 0) return result;
  }
  Object.assign(mm.layout, marks);
  if (vector !== null) giveAuxv(call, vector);
  return 0;
}

function setAuxv(call: SyscallCall, at: bigint, length: bigint): number {
  if (length > BigInt(AUXV_BYTES)) return -EINVAL;
  const vector = readAuxv(call, at, Number(length));
  if (vector === null) return -EFAULT;
  giveAuxv(call, vector);
  return 0;
}

/** A whole vector: what was not given of it is 0, and so is its end. */
function readAuxv(call: SyscallCall, at: bigint, length: number): Uint8Array | null {
  const vector = new Uint8Array(AUXV_BYTES);
  const bytes = call.user.read(at, length);
  if (typeof bytes === "number") return null;
  vector.set(bytes);
  vector.fill(0, AUXV_BYTES - 16);
  return vector;
}

/** Up to its AT_NULL, as /proc/PID/auxv shows it. */
function giveAuxv(call: SyscallCall, vector: Uint8Array): void {
  const view = new DataView(vector.buffer);
  let end = 16;
  while (view.getBigUint64(end - 16, true) !== 0n) end += 16;
  for (const each of call.kernel.tasks.values()) if (each.mm === call.mm) each.auxv = vector.slice(0, end);
}

/** EBADF, EACCES (not to be executed), EBUSY (areas of the old one are there). */
function setProgram(call: SyscallCall, fd: number): number {
  const { task, mm } = call;
  const file = call.fileAt(fd);
  if (file === undefined || file.isPath) return -EBADF;
  if (!file.node.isRegular || file.noExec) return -EACCES;
  const error = permission(actorOf(task.credentials), file.node, MAY_EXECUTE);
  if (error < 0) return error;
  for (const area of mm.tree) if (area.file?.mapName === task.executable) return -EBUSY;
  for (const each of call.kernel.tasks.values()) if (each.mm === mm) each.executable = file.path;
  return 0;
}
