import { TODAY } from "./parts.js";
import { bitPerCall, rfcV1 } from "./rfc-v1.js";
import type { SealingDesign, SealRule } from "./sealing-model.js";

const WORDS: SealRule = {
  name: "words",
  text: "types and flags are unsigned long: a bit in the registers' upper halves is EINVAL too",
  source: "RFC v2, 17 October 2023",
};
const MASK: SealRule = {
  name: "mask",
  text: "who asks is passed down as a mask: munmap(2) passes MUNMAP, mmap(2) MMAP, mremap(2) MREMAP, all else nothing",
  source: "RFC v2, 17 October 2023",
};

/** The first draft with other types and a mask instead of the caller's name. */
export const rfcV2: SealingDesign = {
  name: "rfc-v2",
  title: "the second draft, a day later: the same bits in unsigned longs",
  source: "Jeff Xu, [RFC PATCH v2 0/8] Introduce mseal() syscall, linux-kernel, 17 October 2023",
  options: [TODAY],
  rules: [WORDS, ...rfcV1.rules.map((rule) => (rule.name === "origin" ? MASK : rule))],
  create: (name, options) => bitPerCall(name, options.has("today"), (register) => register),
};
