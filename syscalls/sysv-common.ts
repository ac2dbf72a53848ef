/** What the System V calls share. */

import { names } from "./argument.js";

export const GET_FLAGS = names("IPC_???", { IPC_CREAT: 0o1000, IPC_EXCL: 0o2000 });

export function putLong(view: DataView, offset: number, value: number | bigint): void {
  view.setBigUint64(offset, BigInt.asUintN(64, BigInt(value)), true);
}
