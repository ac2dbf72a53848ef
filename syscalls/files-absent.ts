/**
 * What this kernel is built without, as the calls of a Linux built without it answer: no inotify. They stand in the table so that a trace names them.
 */

import { ENOSYS } from "../kernel/errno.js";
import { fd, int, path } from "./argument.js";
import type { Argument } from "./argument.js";
import { define } from "./table.js";
import type { Definition } from "./table.js";

const absent = (): number => -ENOSYS;

const missing: readonly (readonly [number, string, readonly Argument[]])[] = [
  [253, "inotify_init", []],
  [294, "inotify_init1", [int("flags")]],
  [300, "fanotify_init", [int("flags"), int("event_f_flags")]],
  [428, "open_tree", [fd("dirfd"), path("filename"), int("flags")]],
];

export const absentSyscalls: readonly Definition[] = [
  ...missing.map(([number, name, args]) => define({ number, name, args, handler: absent })),
];
