import type { ScenarioRun } from "./check-targets.js";
import { Failure } from "./failure.js";
import { bootLinux } from "./on-linux-boot.js";
import { OUTPUT_MARK } from "./on-linux-init.js";
import { findKernel, type KernelImage } from "./on-linux-kernel.js";
import { stderrOutput } from "./output.js";

const SECONDS = 20;
/** Programs to one boot: one that takes the kernel down takes no more than these along. */
const AT_ONCE = 200;

/** Runs programs on a real Linux in QEMU, many to one boot. @param hugePages in its pool @throws Failure */
export async function runBatch(
  elfs: readonly Uint8Array[],
  done: (index: number, run: ScenarioRun) => void,
  hugePages = 0,
): Promise<void> {
  // As a machine of ours is set.
  const parameters = ["transparent_hugepage=madvise", `hugepages=${hugePages}`];
  const kernel = findKernel(null, (line) => stderrOutput.write(`sealab: ${line}`));
  for (let from = 0; from < elfs.length; from += AT_ONCE)
    await bootSome(kernel, parameters, elfs.slice(from, from + AT_ONCE), (i, run) => done(from + i, run));
}

async function bootSome(
  kernel: KernelImage,
  parameters: readonly string[],
  elfs: readonly Uint8Array[],
  done: (index: number, run: ScenarioRun) => void,
): Promise<void> {
  const chunks: Uint8Array[] = [];
  const { statuses, log } = await bootLinux({
    kernel,
    parameters,
    programs: elfs.map((_, i) => ({ path: `/w/scenario-${i}`, argv: [`./scenario-${i}`] })),
    files: Object.fromEntries(elfs.map((elf, i) => [`w/scenario-${i}`, elf])),
    seconds: SECONDS,
    memoryMegabytes: 1024,
    marks: true,
    onOutput: (bytes) => chunks.push(bytes),
  });
  if (statuses.every((status) => status === undefined))
    throw new Failure(1, `the guest ran nothing:\n${log}`);
  const outputs = new Map<number, string>();
  for (const part of Buffer.concat(chunks).toString("latin1").split(`\n${OUTPUT_MARK}`).slice(1)) {
    const end = part.indexOf("\n");
    outputs.set(Number(part.slice(0, end)), part.slice(end + 1).replaceAll("\r\n", "\n"));
  }
  elfs.forEach((_, i) => {
    const status = statuses[i];
    const trouble = status === undefined ? "the guest did not come to its end" : troubleOf(status);
    done(i, { output: outputs.get(i) ?? "", trouble, reasons: new Map() });
  });
}

function troubleOf(status: number): string | null {
  if (status === 0) return null;
  const signal = status & 0x7f;
  return signal === 0 ? `it ended with status ${(status >> 8) & 0xff}` : `signal ${signal} ended it`;
}
