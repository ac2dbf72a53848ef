import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BufferHost } from "../debug/buffer-host.js";
import { Machine } from "../debug/machine.js";
import type { SealingModel } from "../kernel/mm/sealing/sealing-model.js";
import type { Refusal } from "../kernel/refusal.js";
import { hugePagesOf, STEP_OFFSET, type Need } from "../userland/scenario/index.js";
import { freeHugePages } from "./host-huge-pages.js";
import { Failure, USAGE_STATUS } from "./failure.js";

/** What a run gave. */
export interface ScenarioRun {
  /** Standard output. */
  readonly output: string;
  /** Null where the program came to its end by itself. */
  readonly trouble: string | null;
  /** Huge pages that were free; as many as are needed unless told. */
  readonly hugePages?: number;
  /** Why a step was refused, by its number; only sealab knows. */
  readonly reasons: ReadonlyMap<number, Refusal>;
}

const MAX_INSTRUCTIONS = 100_000_000;

/** Enough for every scenario; less to ask of the host than what a program is given otherwise. */
const MEMORY_BYTES = 256 * 2 ** 20;

/** Runs scenarios' programs in sealab, one after the other, each on a machine of its own. */
export class SealabTarget {
  private last: Machine | null = null;

  /** @param kernel the release to be, or null */
  constructor(
    private readonly kernel: string | null,
    private readonly sealing: SealingModel | null = null,
  ) {}

  run(elf: Uint8Array, needs: readonly Need[] = []): ScenarioRun {
    const hugePages = hugePagesOf(needs);
    const host = new BufferHost();
    const machine = Machine.create({
      host,
      memoryBytes: MEMORY_BYTES,
      ...(this.last === null ? {} : { reuse: this.last }),
      ...(this.kernel === null ? {} : { kernel: this.kernel }),
      ...(this.sealing === null ? {} : { sealing: this.sealing }),
      ...(hugePages === 0 ? {} : { params: [`hugepages=${hugePages}`] }),
    });
    this.last = machine;
    return runScenario(machine, host, elf);
  }
}

function runScenario(machine: Machine, host: BufferHost, elf: Uint8Array): ScenarioRun {
  machine.load(elf, { path: "/scenario" });
  const reasons = new Map<number, Refusal>();
  const note = (refusal: Refusal | undefined): void => {
    if (refusal === undefined) return;
    const step = machine.read(Number(machine.registers.get("rbp")) + STEP_OFFSET, 4);
    if (step.length === 4)
      reasons.set(new DataView(step.buffer, step.byteOffset).getUint32(0, true), refusal);
  };
  machine.on("refusal", note);
  machine.on("fault", (fault) => note(fault.refusal));
  const end = machine.run(MAX_INSTRUCTIONS);
  let trouble: string | null = null;
  if (end.reason === "suspended" || end.reason === "blocked") trouble = "it waits, and nothing wakes it";
  else if (end.reason !== "exited") trouble = `it did not end within ${MAX_INSTRUCTIONS} instructions`;
  else if (machine.exit?.signal != null) trouble = `signal ${machine.exit.signal} ended it`;
  return { output: host.text(1), trouble, reasons };
}

const NO_REASONS: ReadonlyMap<number, Refusal> = new Map();
const HOST_SECONDS = 10;

/** Ways to run a program away from the host's other processes, the best first. */
const ISOLATION = [
  ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
  ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
] as const;

/** Runs programs on the host itself, each in a PID namespace of its own. @throws Failure where the host cannot */
export async function runOnHost(
  elfs: readonly Uint8Array[],
  done: (index: number, run: ScenarioRun) => void,
): Promise<void> {
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Failure(USAGE_STATUS, `--on host: the host is no Linux on x86-64 (try --on linux)`);
  const isolation = ISOLATION.find(
    ([command, ...args]) => spawnSync(command, [...args, "true"], { timeout: 5000 }).status === 0,
  );
  if (isolation === undefined)
    throw new Failure(USAGE_STATUS, "--on host: unshare(1) cannot make a PID namespace here (try as root)");
  const folder = mkdtempSync(join(tmpdir(), "sealab-check-"));
  let running: ChildProcess | null = null;
  // Ctrl-C leaves nothing behind.
  const interrupted = (signal: NodeJS.Signals): void => {
    running?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, signal);
  };
  for (const signal of ENDINGS) process.once(signal, interrupted);
  try {
    for (const [index, elf] of elfs.entries()) {
      const file = join(folder, `scenario-${index}`);
      writeFileSync(file, elf, { mode: 0o755 });
      done(index, await runIsolated([...isolation, file], (child) => (running = child)));
      rmSync(file);
    }
  } finally {
    for (const signal of ENDINGS) process.off(signal, interrupted);
    rmSync(folder, { recursive: true, force: true });
  }
}

const ENDINGS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function runIsolated(
  command: readonly string[],
  started: (child: ChildProcess) => void,
): Promise<ScenarioRun> {
  return new Promise((resolve, reject) => {
    const hugePages = freeHugePages();
    const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "pipe"] });
    started(child);
    const chunks: Buffer[] = [];
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill("SIGKILL");
    }, HOST_SECONDS * 1000);
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const trouble = late
        ? `it did not end within ${HOST_SECONDS} seconds`
        : signal !== null
          ? `${signal} ended it`
          : status === 0
            ? null
            : `it ended with status ${status}`;
      const output = Buffer.concat(chunks).toString("latin1");
      resolve({ output, trouble, reasons: NO_REASONS, hugePages });
    });
  });
}
