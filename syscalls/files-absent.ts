/**
 * What this kernel is built without, as the calls of a Linux built without it answer: no address family (so sockets
 * cannot be made), no inotify, no io_uring. They stand in the table so that a trace names them.
 */

import { EAFNOSUPPORT, EBADF, ENOSYS, ENOTSOCK } from "../kernel/errno.js";
import { address, fd, int, length, path } from "./argument.js";
import type { Argument } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

function notSocket(call: SyscallCall): number {
  const file = call.task.files.get(call.fd(0));
  return file && !file.isPath ? -ENOTSOCK : -EBADF;
}

const noFamily = (): number => -EAFNOSUPPORT;
const absent = (): number => -ENOSYS;
const socket = [fd("sockfd"), address("addr"), length("addrlen")] as const;
const message = [fd("sockfd"), address("msg"), int("flags")] as const;
const buffer = [fd("sockfd"), address("buf"), length("len"), int("flags")] as const;
const option = [fd("sockfd"), int("level"), int("optname"), address("optval"), length("optlen")] as const;

const onSockets: readonly (readonly [number, string, readonly Argument[]])[] = [
  [42, "connect", socket],
  [43, "accept", socket],
  [44, "sendto", [...buffer, address("dest_addr"), length("addrlen")]],
  [45, "recvfrom", [...buffer, address("src_addr"), address("addrlen")]],
  [46, "sendmsg", message],
  [47, "recvmsg", message],
  [48, "shutdown", [fd("sockfd"), int("how")]],
  [49, "bind", socket],
  [50, "listen", [fd("sockfd"), int("backlog")]],
  [51, "getsockname", socket],
  [52, "getpeername", socket],
  [54, "setsockopt", option],
  [55, "getsockopt", option],
  [288, "accept4", [...socket, int("flags")]],
];

const missing: readonly (readonly [number, string, readonly Argument[]])[] = [
  [253, "inotify_init", []],
  [294, "inotify_init1", [int("flags")]],
  [300, "fanotify_init", [int("flags"), int("event_f_flags")]],
  [425, "io_uring_setup", [int("entries"), address("params")]],
  [428, "open_tree", [fd("dirfd"), path("filename"), int("flags")]],
];

export const absentSyscalls: readonly Definition[] = [
  define({
    number: 41,
    name: "socket",
    args: [int("domain"), int("type"), int("protocol")],
    returns: "fd",
    handler: noFamily,
  }),
  define({
    number: 53,
    name: "socketpair",
    args: [int("domain"), int("type"), int("protocol"), address("sv")],
    handler: noFamily,
  }),
  ...onSockets.map(([number, name, args]) => define({ number, name, args, handler: notSocket })),
  ...missing.map(([number, name, args]) => define({ number, name, args, handler: absent })),
];
