/** Mappings (mm/mmap.c mmap_pgoff, arch/x86/kernel/sys_ia32.c) and entries of the GDT (arch/x86/kernel/tls.c). */

import { EFAULT, EINVAL } from "../../kernel/errno.js";
import { setThreadArea } from "../../kernel/segments/set-thread-area.js";
import {
  ANY_ENTRY,
  freeThreadEntry,
  isThreadDesc,
  readThreadEntry,
} from "../../kernel/segments/thread-area.js";
import { decodeUserDesc, encodeUserDesc, USER_DESC_BYTES } from "../../kernel/segments/user-desc.js";
import { address, fd, hex, length, structIn, structInOut } from "../argument.js";
import type { HandlerResult } from "../table.js";
import type { Ia32Call } from "./call.js";
import { converter, viewOf, type Converter } from "./converter.js";

const PAGE_SHIFT = 12n;
const MMAP_ARGUMENTS_BYTES = 24;

function setArea(call: Ia32Call): HandlerResult {
  const where = call.n(0);
  const given = call.user.read(where, USER_DESC_BYTES);
  if (typeof given === "number") return -EFAULT;
  const desc = decodeUserDesc(given);
  if (!isThreadDesc(desc)) return -EINVAL;
  if (desc.entryNumber === ANY_ENTRY) {
    const free = freeThreadEntry(call.task);
    if (free < 0) return free;
    if (!call.user.writeU32(where, free)) return -EFAULT;
    desc.entryNumber = free;
  }
  return setThreadArea(call.kernel, call.task, desc);
}

function getArea(call: Ia32Call): HandlerResult {
  const where = call.n(0);
  const index = call.user.readU32(where);
  if (index === null) return -EFAULT;
  const desc = readThreadEntry(call.task, index);
  if (typeof desc === "number") return desc;
  return call.user.writeBytes(where, encodeUserDesc(desc)) ? 0 : -EFAULT;
}

export const memoryConverters: readonly Converter[] = [
  converter(
    192,
    "mmap2",
    "mmap",
    [address("addr"), length("length"), hex("prot"), hex("flags"), fd("fd"), hex("pgoffset")],
    (call, native) => {
      call.values[5]! <<= PAGE_SHIFT;
      return native(call);
    },
  ),
  converter(90, "mmap", "mmap", [address("args")], (call, native) => {
    const given = call.user.read(call.word(0), MMAP_ARGUMENTS_BYTES);
    if (typeof given === "number") return -EFAULT;
    const view = viewOf(given);
    call.pass(...[0, 1, 2, 3, 4, 5].map((i) => view.getUint32(4 * i, true)));
    return native(call);
  }),
  converter(243, "set_thread_area", null, [structInOut("u_info", "user_desc")], setArea),
  converter(244, "get_thread_area", null, [structIn("u_info", "user_desc")], getArea),
];
