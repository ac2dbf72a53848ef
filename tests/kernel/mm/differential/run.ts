import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { checkMachine } from "../../../../kernel/mm/check-machine.js";
import { Machine } from "../../../../debug/machine.js";
import { readAnswers } from "./answers.js";
import { buildInterpreter } from "./interpreter.js";
import { encodeOperations, type Operation } from "./operation.js";

let elf: Uint8Array | undefined;
let path: string | undefined;

/** sealab's answers. */
export function runInSealab(operations: readonly Operation[]): string[] {
  elf ??= buildInterpreter();
  const host = new BufferHost(encodeOperations(operations) as unknown as Uint8Array);
  const machine = Machine.create({ host, memoryBytes: 96 * 2 ** 20 });
  machine.load(elf);
  const end = machine.run(200_000_000);
  if (end.reason !== "exited" || machine.exit?.code !== 0) {
    return [`sealab: ${end.reason} ${JSON.stringify(machine.exit)}`];
  }
  const problems = checkMachine(machine.kernel, [machine.kernel.init.leader.mm]);
  if (problems.length > 0) return [`sealab: ${problems.join("; ")}`];
  return readAnswers(operations, Buffer.concat(host.written[1]));
}

/** This machine's answers. */
export function runNatively(operations: readonly Operation[]): string[] {
  if (path === undefined) {
    path = join(mkdtempSync(join(tmpdir(), "sealab-mm-")), "interpreter");
    writeFileSync(path, (elf ??= buildInterpreter()));
    chmodSync(path, 0o755);
  }
  const child = spawnSync(
    "unshare",
    ["--pid", "--fork", "--kill-child", "--mount-proc", "setarch", "-R", path],
    {
      input: encodeOperations(operations),
      maxBuffer: 1 << 26,
      timeout: 20_000,
    },
  );
  if (child.status !== 0) return [`native: ${String(child.status)} ${String(child.signal)}`];
  return readAnswers(operations, child.stdout);
}
