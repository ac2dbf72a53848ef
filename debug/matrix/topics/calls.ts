/** What the topics have in common: calls, and memory beside that which is asked about. */

import { MAP, PROT, SYS } from "../../../userland/linux.js";
import { ACCESS, at, ELSEWHERE, LENGTH, PAGE, PAGES, type Argument, type Call } from "../operation.js";

export const READ_WRITE = PROT.READ | PROT.WRITE;
export const ANONYMOUS = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED;

export const call = (number: number, ...args: Argument[]): Call => ({ number, args });

/** Two writable private pages below the memory, the upper one written to: not sealed, whatever the row says. */
export const NEIGHBOUR_BELOW = [
  call(SYS.mmap, at(-2), 2 * PAGE, READ_WRITE, ANONYMOUS, -1, 0),
  call(ACCESS.write, at(-1)),
];
/** Something right behind the memory that lets it not grow. */
export const NEIGHBOUR_ABOVE = [call(SYS.mmap, at(PAGES), PAGE, PROT.NONE, ANONYMOUS, -1, 0)];
/** Four writable private pages elsewhere, the first one written to. */
export const OTHER = [
  call(SYS.mmap, at(ELSEWHERE), LENGTH, READ_WRITE, ANONYMOUS, -1, 0),
  call(ACCESS.write, at(ELSEWHERE)),
];
