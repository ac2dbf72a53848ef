import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { Machine } from "../../../../debug/machine.js";
import { readCases, recordedFile } from "./run.js";

/*
 * seals.c once more on a kernel that was built with CONFIG_MSEAL_SYSTEM_MAPPINGS: no machine at hand has one. What is
 * expected is derived from the rules; all other cases are as without it.
 */

const SEALED_BY_THE_SYSTEM = {
  // Sealed already, so that there is nothing to split.
  "M-20 part of a special mapping": "0 0",
  "V-1 the vdso can be sealed": "-1 0 -1 -1 -1",
  "V-2 the system's mappings are not sealed": "-1",
};
/** Before 6.17 the rule about discards looks at what has no file. */
const DISCARDS_REFUSED = {
  "V-3 DONTNEED of the sealed vdso": "-1 -1",
  "V-3 of the sealed vvar": "-1 -1 -1",
};
const AREAS = 60;

function cases(release: string, params: readonly string[]): Readonly<Record<string, string>> {
  const host = new BufferHost();
  const machine = Machine.create({ host, kernel: release, memoryBytes: 16 << 20, params });
  machine.load(readFileSync(recordedFile("seals.elf")), { argv: ["./seals"] });
  machine.kernel.mmSettings.maxMapCount = AREAS;
  machine.run(500_000_000);
  return Object.fromEntries(readCases(host.text(1)));
}

describe.each(["6.16", "6.18", "7.2"])("Linux %s with CONFIG_MSEAL_SYSTEM_MAPPINGS", (release) => {
  it("V-2 vdso and vvar are sealed from the start, and nothing else is", () => {
    const plain = cases(release, []);
    const sealed = cases(release, ["CONFIG_MSEAL_SYSTEM_MAPPINGS=y"]);
    const discards = release === "6.16" ? DISCARDS_REFUSED : {};
    expect(sealed).toEqual({ ...plain, ...SEALED_BY_THE_SYSTEM, ...discards });
  });
});
