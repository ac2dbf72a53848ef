import { ASKED, immutable, OLDER_RULES } from "./mimmutable.js";
import type { SealingDesign } from "./sealing-model.js";

/** OpenBSD 7.3. */
export const mimmutable2022: SealingDesign = {
  name: "mimmutable-2022",
  title: "OpenBSD's mimmutable as of 7.3: read-write may drop to read-only, discards are free",
  source: "OpenBSD 7.3: mimmutable(2), sys/uvm/uvm_map.c before 20 January 2024",
  options: [ASKED],
  rules: OLDER_RULES,
  create: (name, options) => immutable(name, true, options),
};
