/** Extended attributes (fs/xattr.c). */

import { EFAULT, ENODATA, EOPNOTSUPP, EPERM, ERANGE, EBADF } from "../kernel/errno.js";
import type { Location } from "../kernel/fs/mount.js";
import { AT_FDCWD } from "../kernel/fs/open-flags.js";
import { fd, flags, length, names, path, string, address } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { fileOf, locate, readPath } from "./files-common.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const XATTR_NAME_MAX = 255;

/** Extended attributes: none are kept. Names are checked as Linux does, then user.* says ENODATA, others EOPNOTSUPP. */
function attribute(
  call: SyscallCall,
  location: Location | number,
  action: "get" | "set" | "list" | "remove",
): number {
  if (typeof location === "number") return location;
  if (action === "list") return 0;
  const name = call.user.readCString(call.word(1), XATTR_NAME_MAX + 1);
  if (name === null) return -EFAULT;
  if (name === "" || name.length > XATTR_NAME_MAX) return -ERANGE;
  const known = /^(user|trusted|security|system)\./.test(name);
  if (!known || name.startsWith("system.")) return -EOPNOTSUPP;
  if (action === "set") return -EOPNOTSUPP;
  const { inode } = location.dentry;
  if (name.startsWith("user.") && !inode.isRegular && !inode.isDirectory)
    return action === "get" ? -ENODATA : -EPERM;
  return -ENODATA;
}

function attributeOfPath(action: "get" | "set" | "list" | "remove", follow: boolean) {
  return (call: SyscallCall): number => {
    const name = readPath(call, call.word(0));
    return typeof name === "number" ? name : attribute(call, locate(call, AT_FDCWD, name, follow), action);
  };
}

function attributeOfFile(action: "get" | "set" | "list" | "remove") {
  return (call: SyscallCall): number => {
    const file = fileOf(call, call.fd(0));
    return typeof file === "number" ? -EBADF : attribute(call, file.location, action);
  };
}

const xattrValue = [path("path"), string("name"), address("value"), length("size")] as const;
const xattrFlags = flags("flags", names("XATTR_???", { XATTR_CREATE: 1, XATTR_REPLACE: 2 }));

export const xattrSyscalls: readonly Definition[] = [
  define({
    number: 188,
    name: "setxattr",
    args: [...xattrValue, xattrFlags],
    handler: attributeOfPath("set", true),
  }),
  define({
    number: 189,
    name: "lsetxattr",
    args: [...xattrValue, xattrFlags],
    handler: attributeOfPath("set", false),
  }),
  define({
    number: 190,
    name: "fsetxattr",
    args: [fd("fd"), ...xattrValue.slice(1), xattrFlags],
    handler: attributeOfFile("set"),
  }),
  define({ number: 191, name: "getxattr", args: xattrValue, handler: attributeOfPath("get", true) }),
  define({ number: 192, name: "lgetxattr", args: xattrValue, handler: attributeOfPath("get", false) }),
  define({
    number: 193,
    name: "fgetxattr",
    args: [fd("fd"), ...xattrValue.slice(1)],
    handler: attributeOfFile("get"),
  }),
  define({
    number: 194,
    name: "listxattr",
    args: [path("path"), address("list"), length("size")],
    handler: attributeOfPath("list", true),
  }),
  define({
    number: 195,
    name: "llistxattr",
    args: [path("path"), address("list"), length("size")],
    handler: attributeOfPath("list", false),
  }),
  define({
    number: 196,
    name: "flistxattr",
    args: [fd("fd"), address("list"), length("size")],
    handler: attributeOfFile("list"),
  }),
  define({
    number: 197,
    name: "removexattr",
    args: [path("path"), string("name")],
    handler: attributeOfPath("remove", true),
  }),
  define({
    number: 198,
    name: "lremovexattr",
    args: [path("path"), string("name")],
    handler: attributeOfPath("remove", false),
  }),
  define({
    number: 199,
    name: "fremovexattr",
    args: [fd("fd"), string("name")],
    handler: attributeOfFile("remove"),
  }),
];
