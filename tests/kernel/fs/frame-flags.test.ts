import { describe, expect, it } from "vitest";
import { frameCounts, frameFlags } from "../../../kernel/mm/frame-flags.js";
import { bareKernel } from "../bare-kernel.js";
import { Files, someProgram } from "./ext4-machine.js";

/** Bits of /proc/kpageflags, as pagemap.rst numbers them. */
const BIT = {
  UPTODATE: 3,
  DIRTY: 4,
  BUDDY: 10,
  MMAP: 11,
  ANON: 12,
  SWAPBACKED: 14,
  NOPAGE: 20,
  ZERO: 24,
  PGTABLE: 26,
};

describe("/proc/kpageflags and /proc/kpagecount", () => {
  const machine = bareKernel();
  machine.add("/program", someProgram());
  machine.start("/program");
  const { kernel } = machine;
  const flagsOf = (frame: number): string[] => {
    const [word] = frameFlags(kernel, frame, 1);
    return Object.entries(BIT).flatMap(([name, bit]) => ((word! >>> bit) & 1 ? [name] : []));
  };

  it("say what a frame is", () => {
    const files = new Files(kernel, machine.tree);
    files.write("/tmp/file", 0, new Uint8Array(4096));
    const file = files.open("/tmp/file");
    if (typeof file === "number") throw new Error();
    const frame = file.pages!.frameAt(0, false);
    // Memory is all there is of a file of a tmpfs.
    expect(flagsOf(frame)).toEqual(["UPTODATE", "DIRTY", "SWAPBACKED"]);
    expect(frameCounts(kernel, frame, 1)[0]).toBe(0);
    const { mm } = kernel.current;
    expect(flagsOf(mm.tables.root)).toEqual(["PGTABLE"]);
    expect(flagsOf(0)).toEqual(["NOPAGE"]);
    expect(flagsOf(kernel.frames.zeroFrame)).toEqual(["ZERO"]);
    expect(flagsOf(kernel.memory.frameCount - 1)).toEqual(["BUDDY"]);
    file.release();
  });

  it("are read by eight bytes, up to the last frame", () => {
    const files = new Files(kernel, machine.tree);
    const file = files.open("/proc/kpageflags", 0);
    if (typeof file === "number") throw new Error(`${file}`);
    const bytes = new Uint8Array(16);
    expect(file.read(bytes, 4)).toBe(-22);
    expect(file.read(bytes.subarray(0, 4), 0)).toBe(-22);
    expect(file.read(bytes, (kernel.memory.frameCount - 1) * 8)).toBe(8);
    expect(file.read(bytes, kernel.memory.frameCount * 8)).toBe(0);
    file.release();
  });
});
