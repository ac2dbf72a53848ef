import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeFixture } from "./fixture.js";
import { inSealab, natively, type Ran } from "./run.js";
import type { Workload } from "./workloads.js";

/** How sealab is run. */
export interface Sealab {
  /** The command line's file. */
  readonly cli: string;
  /** Options of `sealab run`. */
  readonly options?: readonly string[];
  /** How long it may take. */
  readonly milliseconds: number;
}

export interface Compared {
  readonly here: Ran;
  readonly there: Ran;
  /** Milliseconds. */
  readonly nativeTime: number;
  readonly sealabTime: number;
}

/** Directories that the workloads run in: one as it is made, and copies of it to be written in. */
export class Places {
  readonly #folder = mkdtempSync(join(tmpdir(), "sealab-ladder-"));
  readonly fixture = join(this.#folder, "fixture");
  #copies = 0;

  constructor(private readonly repository: string) {
    mkdirSync(this.fixture);
    makeFixture(this.fixture);
  }

  /** A copy that may be written in, times kept. */
  copy(): string {
    const copy = join(this.#folder, String(++this.#copies));
    cpSync(this.fixture, copy, { recursive: true, preserveTimestamps: true });
    return copy;
  }

  /** Where a workload of the host's runs; the repository is only read. */
  folderOf(host: NonNullable<Workload["host"]>, written: boolean): string {
    if (host.folder === "repository") return this.repository;
    return written ? this.copy() : this.fixture;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Runs a workload in sealab and on the host. */
export async function compare(
  sealab: Sealab,
  root: string,
  places: Places,
  { argv, input = "", host }: Workload,
): Promise<Compared> {
  const job = { argv, input, root: host === undefined ? root : "/" };
  const begun = performance.now();
  const written = host === undefined ? places.copy() : places.folderOf(host, true);
  const there = await natively({ ...job, work: written });
  const between = performance.now();
  // What it writes stays in sealab's memory: no copy is needed.
  const read = host === undefined ? places.fixture : places.folderOf(host, false);
  const here = await inSealab(sealab.cli, { ...job, work: read }, sealab.milliseconds, sealab.options);
  return { here, there, nativeTime: between - begun, sealabTime: performance.now() - between };
}

/** Process ids as shells name them: `line 3:  1007 Killed`. They start elsewhere here. */
const masked = (text: string): string => text.replace(/(line \d+:) +\d+(?= [A-Z])/g, "$1 PID");

/** The first difference in a few lines; null where all is the same. */
export function difference({ here, there }: Compared): string | null {
  const parts: string[] = [];
  if (here.status !== there.status)
    parts.push(`status ${String(here.status)}, natively ${String(there.status)}`);
  for (const name of ["stdout", "stderr"] as const) {
    const ours = masked(here[name]).split("\n");
    const theirs = masked(there[name]).split("\n");
    if (ours.length === theirs.length && ours.every((line, i) => line === theirs[i])) continue;
    const at = ours.findIndex((line, i) => line !== theirs[i]);
    const line = at === -1 ? ours.length : at;
    const show = (text: string | undefined): string =>
      text === undefined ? "(end)" : JSON.stringify(text.slice(0, 160));
    parts.push(`${name} line ${line + 1}: ${show(ours[line])}, natively ${show(theirs[line])}`);
  }
  return parts.length === 0 ? null : parts.join("; ");
}
