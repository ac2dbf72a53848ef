/** User and group numbers of 16 bits (kernel/uid16.c): -1 stays -1, and what does not fit is shown as 65534. */

import { EFAULT } from "../../kernel/errno.js";
import { address, fd, gid, path, uid, type Argument } from "../argument.js";
import { converter, type Converter } from "./converter.js";

const OVERFLOW = 65_534;
const shown = (id: number): number => (id > 0xffff ? OVERFLOW : id);
const wide = (value: bigint): bigint => ((value & 0xffffn) === 0xffffn ? 0xffff_ffffn : value & 0xffffn);

/** A call that gives a number. */
const asks = (number: number, name: string): Converter =>
  converter(number, name, name, [], (call, native) => shown(Number(native(call))));

/** A call whose arguments from `first` on are numbers. */
const takes = (number: number, name: string, args: readonly Argument[], first = 0): Converter =>
  converter(number, name, name, args, (call, native) => {
    call.pass(...call.values.slice(0, args.length).map((value, i) => (i < first ? value : wide(value))));
    return native(call);
  });

/** getresuid and getresgid: three places for numbers of two bytes. */
const asksThree = (number: number, name: "getresuid" | "getresgid"): Converter =>
  converter(number, name, null, [address("real"), address("effective"), address("saved")], (call) => {
    const { credentials } = call.task;
    const ids =
      name === "getresuid"
        ? [credentials.uid, credentials.euid, credentials.suid]
        : [credentials.gid, credentials.egid, credentials.sgid];
    return ids.every((id, i) => call.user.writeU16(call.word(i), shown(id))) ? 0 : -EFAULT;
  });

const owners = [uid("owner"), gid("group")];

export const identityConverters: readonly Converter[] = [
  asks(24, "getuid"),
  asks(47, "getgid"),
  asks(49, "geteuid"),
  asks(50, "getegid"),
  takes(23, "setuid", [uid("uid")]),
  takes(46, "setgid", [gid("gid")]),
  takes(70, "setreuid", [uid("ruid"), uid("euid")]),
  takes(71, "setregid", [gid("rgid"), gid("egid")]),
  takes(138, "setfsuid", [uid("uid")]),
  takes(139, "setfsgid", [gid("gid")]),
  takes(164, "setresuid", [uid("ruid"), uid("euid"), uid("suid")]),
  takes(170, "setresgid", [gid("rgid"), gid("egid"), gid("sgid")]),
  asksThree(165, "getresuid"),
  asksThree(171, "getresgid"),
  takes(16, "lchown", [path("path"), ...owners], 1),
  takes(95, "fchown", [fd("fd"), ...owners], 1),
  takes(182, "chown", [path("path"), ...owners], 1),
];
