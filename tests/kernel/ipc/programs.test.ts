import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { PATIENCE_MS } from "../../patience.js";
import { compileOnce } from "../../programs/compile-once.js";

/*
 * C programs that print what System V calls, and calls on the memory of others, answer: as Linux 6.18.44 answered them (tests/recorded/ipc), and as this
 * machine does where it is one. They need a C compiler.
 */

function compile(name: string): string | null {
  const source = join(import.meta.dirname, `${name}.c`);
  return compileOnce(source, `ipc-${name}`, "gcc", ["-O1", "-static", "-w"]) ?? null;
}

function natively(path: string): string | null {
  if (process.platform !== "linux" || !release().startsWith("6.18.") || process.getuid?.() !== 0) return null;
  const command = ["--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", path];
  const child = spawnSync("unshare", command, { timeout: PATIENCE_MS, encoding: "latin1" });
  return child.status === 0 ? child.stdout : null;
}

describe.each(["shm", "sem-msg", "remote", "removed"])("calls between processes: %s", (name) => {
  const path = compile(name);

  it.skipIf(path === null)(`answers as Linux 6.18 did${path === null ? " (no C compiler)" : ""}`, () => {
    const host = new BufferHost();
    const machine = Machine.create({ host, memoryBytes: 64 << 20 });
    machine.load(readFileSync(path!));
    expect(machine.run(200_000_000).reason).toBe("exited");
    const recorded = new URL(`../../recorded/ipc/${name}.linux-6.18.txt`, import.meta.url);
    expect(host.text(1).split("\n")).toEqual(readFileSync(recorded, "latin1").split("\n"));
    expect(checkMachine(machine.kernel, [machine.kernel.init.leader.mm])).toEqual([]);
    const { ipc } = machine.kernel;
    // The last process's memory stays for inspection.
    machine.kernel.init.leader.mm.drop();
    // shm.c leaves the segment that it asked for without a name.
    expect(ipc.sharedMemory.ids.count).toBe(name === "shm" ? 1 : 0);
    expect(ipc.semaphores.ids.count + ipc.messageQueues.ids.count).toBe(0);
  });

  const native = path === null ? null : natively(path);
  it.skipIf(native === null)("this machine answers as recorded", () => {
    const recorded = new URL(`../../recorded/ipc/${name}.linux-6.18.txt`, import.meta.url);
    expect(native!.split("\n")).toEqual(readFileSync(recorded, "latin1").split("\n"));
  });
});
