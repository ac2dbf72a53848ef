/** `import "sealab/vitest"` in a test, or as one of vitest's setupFiles: its `expect` knows sealab's matchers. */

import { expect } from "vitest";
import type { AreaExpected } from "./area-expected.js";
import { matchers, type RefusalExpected } from "./matchers.js";

export type { AreaExpected } from "./area-expected.js";
export type { RefusalExpected } from "./matchers.js";

interface SealabMatchers<R> {
  /** A call (of `untilSyscall`) or a fault (of `untilFault`) was refused, by that rule and with that errno. */
  toBeRefused(expected?: RefusalExpected): R;
  /** The machine's program has such an area. */
  toHaveArea(expected: AreaExpected): R;
  /** The area is sealed; of a machine, all from `start` to `end` (bytes; the page at `start` unless told). */
  toBeSealed(start?: number, end?: number): R;
}

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
  interface Matchers<T> extends SealabMatchers<void> {}
}

expect.extend(matchers);
