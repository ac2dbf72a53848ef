import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import type { Judge } from "../debug/fuzz/campaign.js";
import { EmulatedLists, type EmulatedOptions } from "../debug/fuzz/emulated.js";
import { readFrames } from "../debug/fuzz/frames.js";
import { buildInterpreter } from "../debug/fuzz/interpreter.js";
import { encodeLists, type Operation } from "../debug/fuzz/operation.js";
import { SMALL, type World } from "../debug/fuzz/worlds.js";
import { Failure, USAGE_STATUS } from "./failure.js";
import { freeHugePages, unlikeOurs } from "./host-huge-pages.js";
import { bootLinux } from "./on-linux-boot.js";
import { findKernel, type KernelImage } from "./on-linux-kernel.js";
import { stderrOutput } from "./output.js";

type Lists = readonly (readonly Operation[])[];

/** A judge that may hold processes and files. */
export interface HeldJudge extends Judge {
  close(): void;
}

/** Lists that a machine of ours answers before it looks up. */
const LISTS_A_SLICE = 50;

/** A machine of ours. */
export function emulatedJudge(name: string, options: EmulatedOptions): HeldJudge {
  const machine = new EmulatedLists(options);
  const answer = async (lists: Lists): Promise<string[][]> => {
    const answers: string[][] = [];
    for (let i = 0; i < lists.length; i += LISTS_A_SLICE) {
      answers.push(...machine.answer(lists.slice(i, i + LISTS_A_SLICE)));
      // Ctrl-C, and what another judge has said meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
    return answers;
  };
  return { name, answer, close: () => {} };
}

/** Ways to run a program away from the host's other processes, the best first. */
const ISOLATION = [
  ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"],
  ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"],
] as const;
/** Milliseconds for a batch, and for each list in it. */
const PATIENCE = 40_000;
const PATIENCE_A_LIST = 50;

/** The host itself, in a PID namespace. @throws Failure where it cannot judge */
export function hostJudge(world: World = SMALL): HeldJudge {
  const cannot = (why: string): never => {
    throw new Failure(USAGE_STATUS, `--on host: ${why}`);
  };
  if (process.platform !== "linux" || process.arch !== "x64") cannot("this is no Linux on x86-64");
  if (!/^flags.*\bospke\b/m.test(readFileSync("/proc/cpuinfo", "latin1")))
    cannot("the host has no protection keys");
  const unlike = world === SMALL ? null : unlikeOurs();
  if (unlike !== null) cannot(`${unlike}, as it is where the world ${world.name} is to be the same`);
  if (world.hugePages > 0 && freeHugePages() !== world.hugePages)
    cannot(
      `the world ${world.name} wants ${String(world.hugePages)} free huge pages, and here are ${String(freeHugePages())} (/proc/sys/vm/nr_hugepages)`,
    );
  const isolation = ISOLATION.find(
    ([command, ...args]) =>
      spawnSync(command, [...args, "setarch", "-R", "true"], { timeout: 5000 }).status === 0,
  );
  if (isolation === undefined) return cannot("unshare(1) cannot make a PID namespace here (try as root)");
  const folder = mkdtempSync(join(tmpdir(), "sealab-fuzz-"));
  const path = join(folder, "interpreter");
  writeFileSync(path, buildInterpreter(), { mode: 0o755 });
  return new HostJudge([...isolation, "setarch", "-R", path], folder);
}

class HostJudge implements HeldJudge {
  readonly name = `Linux ${release()}`;
  private child: ChildProcess | null = null;

  constructor(
    private readonly command: readonly string[],
    private readonly folder: string,
  ) {}

  async answer(lists: Lists): Promise<string[][]> {
    const answers: string[][] = [];
    while (answers.length < lists.length) {
      const left = lists.slice(answers.length);
      const got = readFrames(left, await this.run(left));
      answers.push(...got);
      // The next one kept the program from going on: the others are asked without it.
      if (got.length < left.length) answers.push(["no answer: time ran out"]);
    }
    return answers;
  }

  private run(lists: Lists): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      // In a process group of its own: the terminal's Ctrl-C is for us.
      const child = spawn(this.command[0]!, this.command.slice(1), {
        stdio: ["pipe", "pipe", "ignore"],
        detached: true,
      });
      this.child = child;
      const chunks: Buffer[] = [];
      const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE + lists.length * PATIENCE_A_LIST);
      child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
      child.stdin.on("error", () => {});
      child.on("error", reject);
      child.on("close", () => {
        clearTimeout(timer);
        this.child = null;
        resolve(Buffer.concat(chunks));
      });
      child.stdin.end(encodeLists(lists));
    });
  }

  close(): void {
    this.child?.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Seconds for a boot's lists, and lists that a second is enough for. */
const GUEST_SECONDS = 120;
const LISTS_A_SECOND = 5;
const GUEST_MEGABYTES = 1536;

/** A real Linux in QEMU. @param release such as `6.12`, or null for the newest @throws Failure where there is none */
export function linuxJudge(release: string | null, world: World = SMALL): HeldJudge {
  return new LinuxJudge(
    findKernel(release, (line) => stderrOutput.write(`sealab: ${line}`)),
    world,
  );
}

class LinuxJudge implements HeldJudge {
  readonly name: string;
  private readonly elf = buildInterpreter();

  constructor(
    private readonly kernel: KernelImage,
    private readonly world: World,
  ) {
    this.name = `Linux ${kernel.release}`;
  }

  async answer(lists: Lists): Promise<string[][]> {
    const answers: string[][] = [];
    while (answers.length < lists.length) {
      const left = lists.slice(answers.length);
      const got = readFrames(left, await this.boot(left));
      answers.push(...got);
      if (got.length < left.length) answers.push(["no answer: the guest's kernel ended, or time ran out"]);
    }
    return answers;
  }

  private async boot(lists: Lists): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const { statuses, log } = await bootLinux({
      kernel: this.kernel,
      programs: [{ path: "/w/interpreter", argv: ["./interpreter", "lists"] }],
      files: { "w/interpreter": this.elf, "w/lists": encodeLists(lists) },
      seconds: GUEST_SECONDS + Math.ceil(lists.length / LISTS_A_SECOND),
      memoryMegabytes: GUEST_MEGABYTES,
      // At random the heap would begin among the operations' pages now and then.
      randomPlaces: false,
      parameters: parametersOf(this.world),
      marks: false,
      onOutput: (bytes) => chunks.push(bytes),
    });
    if (statuses[0] === undefined && chunks.length === 0) {
      throw new Failure(1, `the guest ran nothing:\n${log}`);
    }
    return Buffer.concat(chunks);
  }

  close(): void {}
}

/** As a machine of ours is set: huge pages where they are advised, and the world's pool. */
function parametersOf(world: World): readonly string[] {
  if (world === SMALL) return [];
  const pool = world.hugePages > 0 ? [`hugepages=${String(world.hugePages)}`] : [];
  return ["transparent_hugepage=madvise", ...pool];
}
