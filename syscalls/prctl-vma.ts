/** prctl(PR_SET_VMA): names for anonymous memory (set_anon_vma_name; mm/madvise.c, kernel/sys.c). */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import { setAnonName } from "../kernel/mm/anon-name.js";
import type { SyscallCall } from "./call.js";

const PR_SET_VMA_ANON_NAME = 0;
/** With its NUL (ANON_VMA_NAME_MAX_LEN). */
const NAME_BYTES = 80;
/** Printable ASCII but what a shell, or whoever reads /proc/PID/maps, may take for something else. */
const NAME = /^[ -~]*$/;
const NOT_IN_NAMES = /[\\`$[\]]/;

/** prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, size, name); EINVAL without CONFIG_ANON_VMA_NAME. */
export function nameMemory(call: SyscallCall): number {
  if (!call.kernel.parameters.anonNames || call.u64(1) !== BigInt(PR_SET_VMA_ANON_NAME)) return -EINVAL;
  let name: string | null = null;
  if (call.u64(4) !== 0n) {
    const read = readName(call);
    if (typeof read === "number") return read;
    if (!NAME.test(read) || NOT_IN_NAMES.test(read))
      return call.mm.refuse("prctl.name", EINVAL, () => ({
        text: "a name is printable ASCII without \\ ` $ [ ]",
        source: "is_valid_name_char",
      }));
    name = read;
  }
  return setAnonName(call.mm, call.word(2), call.word(3), name);
}

/** strndup_user: EFAULT where it cannot be read to its end, EINVAL where that is too far away. */
function readName(call: SyscallCall): string | number {
  const at = call.u64(4);
  let name = "";
  for (let i = 0n; i < NAME_BYTES; i++) {
    const byte = call.user.readU8(BigInt.asUintN(64, at + i));
    if (byte === null) return -EFAULT;
    if (byte === 0) return name;
    name += String.fromCharCode(byte);
  }
  return -EINVAL;
}
