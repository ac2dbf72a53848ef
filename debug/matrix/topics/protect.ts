/** mprotect(2) and pkey_mprotect(2). */

import { PROT, SYS } from "../../../userland/linux.js";
import { PROT_BITS, PROTECTIONS } from "../dimensions.js";
import { at, byte, from, LENGTH, PAGE, type Argument, type Operation } from "../operation.js";
import { call, NEIGHBOUR_BELOW } from "./calls.js";
import type { Topic } from "./topic.js";

const PROT_GROWSDOWN = 0x01000000;

const mprotect = (name: string, short: string, text: string, ...args: Argument[]): Operation => ({
  name,
  short,
  text,
  call: call(SYS.mprotect, ...args),
});
const withKey = (name: string, short: string, text: string, key: Argument): Operation => ({
  name,
  short,
  text: `pkey_mprotect(p, 4 pages, its own protection, ${text})`,
  call: call(SYS.pkey_mprotect, at(), LENGTH, from("protection"), key),
});

export const protect: Topic = {
  name: "protect",
  title: "mprotect and pkey_mprotect",
  windows: [],
  probes: true,
  operations: [
    ...PROTECTIONS.map((to) =>
      mprotect(`mprotect-${to}`, `→ ${to}`, `mprotect(p, 4 pages, ${to})`, at(), LENGTH, PROT_BITS[to]),
    ),
    mprotect("mprotect-same", "same", "mprotect(p, 4 pages, as it is)", at(), LENGTH, from("protection")),
    withKey("pkey-own", "key own", "the key it has in keyed rows", from("key")),
    withKey("pkey-other", "other", "another key, with all rights", from("otherKey")),
    withKey("pkey-0", "key 0", "0", 0),
    withKey("pkey-none", "key -1", "-1", -1),
    withKey("pkey-unallocated", "key 15", "15, which is not allocated", 15),
    mprotect("mprotect-part", "part", "mprotect(p + 1 page, 2 pages, r)", at(1), 2 * PAGE, PROT.READ),
    mprotect("mprotect-length-0", "length0", "mprotect(p, 0, r)", at(), 0, PROT.READ),
    mprotect("mprotect-unaligned", "unalign", "mprotect(p + 1 byte, 4 pages, r)", byte(1), LENGTH, PROT.READ),
    mprotect("mprotect-bad-bits", "bad bit", "mprotect(p, 4 pages, 0x10)", at(), LENGTH, 0x10),
    mprotect(
      "mprotect-growsdown",
      "growsdn",
      "mprotect(p, 4 pages, r | PROT_GROWSDOWN)",
      at(),
      LENGTH,
      PROT.READ | PROT_GROWSDOWN,
    ),
    {
      ...mprotect(
        "mprotect-from-below",
        "below+p",
        "mprotect(p - 2 pages, 6 pages, r); the two below are rw",
        at(-2),
        LENGTH + 2 * PAGE,
        PROT.READ,
      ),
      probed: -1,
      before: NEIGHBOUR_BELOW,
      neighbour: "below",
    },
  ],
};
