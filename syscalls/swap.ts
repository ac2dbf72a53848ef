/** Swap areas: swapon and swapoff (mm/swapfile.c). */

import { BlockFile } from "../kernel/block/block-file.js";
import { CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EBUSY, EINVAL, ENOENT, EPERM } from "../kernel/errno.js";
import { openPath } from "../kernel/fs/open.js";
import type { OpenFile } from "../kernel/fs/open-file.js";
import { AT_FDCWD, O_EXCL, O_LARGEFILE, O_RDWR } from "../kernel/fs/open-flags.js";
import { SwapFile } from "../kernel/fs/swap-file.js";
import { readSwapHeader } from "../kernel/mm/swap/header.js";
import { addArea, freeType, removeArea } from "../kernel/mm/swap/swapon.js";
import { flags, names, path } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { locate, readPath } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const SWAP_FLAG_PREFER = 0x8000;
const SWAP_FLAG_PRIO_MASK = 0x7fff;
const SWAP_FLAG_DISCARD = 0x10000;
const SWAP_FLAG_DISCARD_ONCE = 0x20000;
const SWAP_FLAG_DISCARD_PAGES = 0x40000;
const SWAP_FLAGS_VALID =
  SWAP_FLAG_PRIO_MASK |
  SWAP_FLAG_PREFER |
  SWAP_FLAG_DISCARD |
  SWAP_FLAG_DISCARD_ONCE |
  SWAP_FLAG_DISCARD_PAGES;

const PAGE = 4096;

function refuse(call: SyscallCall, rule: string, errno: number, text: string, source: string): number {
  return call.task.mm.refuse(rule, errno, () => ({ text, source }));
}

/** Opens what a path names for reading and writing, as open(2). */
function openArea(call: SyscallCall, name: string, more: number): OpenFile | number {
  const { fs, credentials } = call.task;
  const opened = openPath(fs, credentials, fs.cwd, name, O_RDWR | O_LARGEFILE | more, 0);
  if (typeof opened === "number") return opened;
  // A fifo opened both ways waits for nobody.
  return "fifo" in opened ? -EINVAL : opened;
}

/**
 * swapon(2). EINVAL unknown flags; EPERM without CAP_SYS_ADMIN, or with as many areas as there can be; what open(2) of
 * the path gives; ENOENT a file without a name; EBUSY a swap area already; EINVAL what cannot be one: no file or device
 * that holds pages, no header of mkswap(8), a file with holes.
 */
function swapon(call: SyscallCall): number {
  const bits = call.u32(1);
  if ((bits & ~SWAP_FLAGS_VALID) !== 0)
    return refuse(call, "swapon.flags", EINVAL, "there are flags that are not known", "swapon");
  if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN))
    return refuse(call, "swapon.capability", EPERM, "it takes CAP_SYS_ADMIN", "swapon");
  const { swap } = call.kernel;
  if (freeType(swap) === -1)
    return refuse(
      call,
      "swapon.number",
      EPERM,
      "there are as many swap areas as there can be",
      "alloc_swap_info",
    );
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  const file = openArea(call, name, O_EXCL);
  if (typeof file === "number") return file;
  file.hold();
  const result = useFile(call, file, bits);
  file.release();
  return result;
}

function useFile(call: SyscallCall, file: OpenFile, bits: number): number {
  const no = (errno: number, text: string, source: string): number =>
    refuse(call, "swapon.area", errno, text, source);
  const { node } = file;
  const { mount, dentry } = file.location;
  if (dentry.deleted && mount !== call.task.fs.namespace.internal)
    return no(ENOENT, "the file has no name", "swapon");
  if (node.isSwapFile) return no(EBUSY, "it is a swap area already", "swapon");
  const page = new Uint8Array(PAGE);
  const { swap, release } = call.kernel;
  const store = file.swapStore();
  if (typeof store === "number")
    return no(
      -store,
      "it cannot be a swap area: a file of memory, one with holes, or no file at all",
      "setup_swap_extents",
    );
  const count = file.read(page, 0);
  if (count < 0) return count;
  const header = readSwapHeader(page, file instanceof BlockFile ? file.disk.size : node.size, node.isRegular);
  if (typeof header === "string") return no(EINVAL, header, "read_swap_header");
  if (header.pages - 1 - new Set(header.bad).size <= 0)
    return no(EINVAL, "it has no page that can be used", "setup_swap_map");
  const priority = (bits & SWAP_FLAG_PREFER) !== 0 ? bits & SWAP_FLAG_PRIO_MASK : null;
  const parts = { pages: header.pages, bad: header.bad, store, host: new SwapFile(file) };
  addArea(swap, parts, priority, release.rules.swapPrioritiesDescend);
  return 0;
}

/**
 * swapoff(2). EPERM without CAP_SYS_ADMIN; what open(2) of the path gives; EINVAL what is no swap area; ENOMEM where
 * memory cannot take back what is in it.
 */
function swapoff(call: SyscallCall): number {
  if (!hasCapability(call.task.credentials, CAP_SYS_ADMIN))
    return refuse(call, "swapoff.capability", EPERM, "it takes CAP_SYS_ADMIN", "swapoff");
  const name = readPath(call, call.word(0));
  if (typeof name === "number") return name;
  const found = locate(call, AT_FDCWD, name, true);
  const { swap } = call.kernel;
  if (typeof found !== "number")
    for (const area of swap.areas)
      if (area?.writable === true && area.host.isOf(found.dentry.inode))
        return removeArea(swap, area, call.task.mm);
  const file = openArea(call, name, 0);
  if (typeof file === "number") return file;
  file.hold();
  file.release();
  return refuse(call, "swapoff.area", EINVAL, "it is no swap area", "swapoff");
}

const SWAP_FLAGS = names("SWAP_FLAG_???", {
  SWAP_FLAG_PREFER,
  SWAP_FLAG_DISCARD,
  SWAP_FLAG_DISCARD_ONCE,
  SWAP_FLAG_DISCARD_PAGES,
});

export const swapSyscalls: readonly Definition[] = [
  define({
    number: 167,
    name: "swapon",
    args: [path("path"), flags("swapflags", SWAP_FLAGS)],
    handler: swapon,
  }),
  define({ number: 168, name: "swapoff", args: [path("path")], handler: swapoff }),
];
