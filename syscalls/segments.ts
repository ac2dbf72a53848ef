/** modify_ldt(2) (arch/x86/kernel/ldt.c). */

import { EFAULT, EINVAL, ENOSYS } from "../kernel/errno.js";
import { LDT_ENTRIES, LDT_ENTRY_BYTES, tableBytes } from "../kernel/segments/local-table.js";
import { writeLocalEntry } from "../kernel/segments/modify-ldt.js";
import { decodeUserDesc, USER_DESC_BYTES } from "../kernel/segments/user-desc.js";
import { dependent, int, length, type ArgumentKind } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const FUNCTIONS = { read: 0, writeOld: 1, readDefault: 2, write: 0x11 };
const USER_DESC: ArgumentKind = { kind: "struct", struct: "user_desc", direction: "in" };
/** Bytes of the table that programs of an older age had by default: all 0. */
const DEFAULT_TABLE_BYTES = 128;
const TABLE_BYTES = LDT_ENTRIES * LDT_ENTRY_BYTES;

function modifyLdt(call: SyscallCall): HandlerResult {
  // The result is an int that nobody extends its sign of: an errno is below 2^32.
  return changeOrRead(call) >>> 0;
}

function changeOrRead(call: SyscallCall): number {
  switch (call.i32(0)) {
    case FUNCTIONS.read:
      return readTable(call);
    case FUNCTIONS.writeOld:
      return writeEntry(call, true);
    case FUNCTIONS.readDefault:
      return fill(call, new Uint8Array(Math.min(call.n(2), DEFAULT_TABLE_BYTES)));
    case FUNCTIONS.write:
      return writeEntry(call, false);
    default:
      return -ENOSYS;
  }
}

/** The table and, up to the bytes asked for or those of the longest one, zeros; 0 where nothing was ever written. */
function readTable(call: SyscallCall): number {
  const { ldt } = call.mm;
  if (ldt === null) return 0;
  const bytes = new Uint8Array(Math.min(call.n(2), TABLE_BYTES));
  bytes.set(tableBytes(ldt).subarray(0, bytes.length));
  return fill(call, bytes);
}

function fill(call: SyscallCall, bytes: Uint8Array): number {
  if (bytes.length === 0) return 0;
  return call.user.writeBytes(call.word(1), bytes) ? bytes.length : -EFAULT;
}

function writeEntry(call: SyscallCall, old: boolean): number {
  if (call.word(2) !== USER_DESC_BYTES) return -EINVAL;
  const bytes = call.user.read(call.word(1), USER_DESC_BYTES);
  if (typeof bytes === "number") return -EFAULT;
  return writeLocalEntry(call.kernel, call.task, decodeUserDesc(bytes), old);
}

export const segmentSyscalls: readonly Definition[] = [
  define({
    number: 154,
    name: "modify_ldt",
    args: [
      int("func"),
      dependent(
        "ptr",
        0,
        [FUNCTIONS.writeOld, FUNCTIONS.write].map((each) => [each, USER_DESC] as const),
        { kind: "address" },
      ),
      length("bytecount"),
    ],
    handler: modifyLdt,
  }),
];
