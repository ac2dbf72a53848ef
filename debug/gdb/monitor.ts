/** `monitor COMMAND` in gdb: what only sealab can say. */

import type { Kernel } from "../../kernel/kernel.js";
import { withRegisters } from "../../kernel/ptrace/registers.js";
import type { Provenance, Refusal } from "../../kernel/refusal.js";
import type { Task } from "../../kernel/task.js";
import { FETCH, READ, WRITE } from "../../mmu/access-kind.js";
import { pkruDeniesAccess, pkruDeniesWrite, pteFrame } from "../../mmu/page-table-entry.js";
import { walk } from "../../mmu/walk.js";
import { areaText, grouped, refusalLines } from "../explain/refusal-text.js";
import { entryName, entryText } from "../page-table-text.js";

const HELP = [
  "monitor explain    why the kernel last refused something",
  "monitor walk ADDR  the page-table entries of an address, and what the thread may do there",
  "monitor maps       the areas, as /proc/PID/maps has them",
  "monitor seals      the sealed areas, and who sealed them",
  "monitor pkru       what PKRU lets the thread do with each protection key, and who wrote it",
  "monitor help       this list",
];

export interface Monitored {
  readonly kernel: Kernel;
  /** The thread that gdb looks at. */
  readonly task: Task;
  /** The last refusal; null: none yet. */
  readonly refusal: Refusal | null;
  readonly symbolAt: (address: number) => string | undefined;
}

/** The lines that a command prints. */
export function monitor(command: string, at: Monitored): string[] {
  const [verb = "help", ...operands] = command.trim().split(/\s+/);
  switch (verb) {
    case "explain":
      return at.refusal === null
        ? ["nothing has been refused"]
        : refusalLines(at.refusal, { symbolAt: at.symbolAt });
    case "walk":
      return walkLines(at, operands[0]);
    case "maps":
      return at.task.mm.formatMaps().trimEnd().split("\n");
    case "seals":
      return sealLines(at);
    case "pkru":
      return pkruLines(at);
    case "":
    case "help":
      return HELP;
    default:
      return [`no monitor command ${verb}`, ...HELP];
  }
}

function pkruOf({ kernel, task }: Monitored): number {
  return withRegisters(kernel, task, () => kernel.cpu.registers.pkru) >>> 0;
}

function walkLines(at: Monitored, operand: string | undefined): string[] {
  const address = /^(0x[0-9a-f]{1,13}|\d{1,15})$/i.test(operand ?? "") ? Number(operand) : NaN;
  if (!(address < 2 ** 47)) return ["monitor walk ADDR: an address of the user half, as 0x401000"];
  const { memory, mmu } = at.kernel;
  const pkru = pkruOf(at);
  const to = (kind: typeof READ | typeof WRITE | typeof FETCH): ReturnType<typeof walk> =>
    walk(
      memory,
      at.task.mm.tables.root,
      Math.floor(address / 2 ** 32),
      address >>> 0,
      kind,
      true,
      mmu.features,
      pkru,
    );
  const lines = to(READ).levels.map(
    (level) => `${entryName(level)} ${entryText({ ...level, frame: pteFrame(level.low) })}`,
  );
  const kinds = [
    ["read", READ],
    ["write", WRITE],
    ["execute", FETCH],
  ] as const;
  for (const [name, kind] of kinds) {
    const { outcome, errorCode } = to(kind);
    lines.push(`${name}: ${outcome === "ok" ? "yes" : `page fault, error code 0x${errorCode.toString(16)}`}`);
  }
  return lines;
}

function placeText({ instruction, rip, by }: Provenance, symbolAt: Monitored["symbolAt"]): string {
  const symbol = symbolAt(rip);
  const where = `0x${rip.toString(16)}${symbol === undefined ? "" : ` <${symbol}>`}`;
  return `at ${where}, instruction ${grouped(instruction)}${by === undefined ? "" : `, by ${by}`}`;
}

function sealLines({ task, symbolAt }: Monitored): string[] {
  const lines: string[] = [];
  for (const area of task.mm.areas()) {
    const snapshot = task.mm.snapshotArea(area);
    if (!snapshot.sealed) continue;
    const by = snapshot.sealedBy === undefined ? "" : `: ${placeText(snapshot.sealedBy, symbolAt)}`;
    lines.push(`${areaText(snapshot)}${by}`);
  }
  return lines.length === 0 ? ["no area is sealed"] : lines;
}

function pkruLines(at: Monitored): string[] {
  const { kernel, task } = at;
  if (!kernel.pku) return ["this processor has no protection keys"];
  const pkru = pkruOf(at);
  const lines = [`PKRU 0x${pkru.toString(16)}`];
  for (let key = 0; key < 16; key++) {
    const rights = pkruDeniesAccess(pkru, key)
      ? "no access"
      : pkruDeniesWrite(pkru, key)
        ? "read"
        : "read and write";
    lines.push(`key ${key}: ${rights}`);
  }
  const writer = task === kernel.current ? kernel.pkruWriter() : undefined;
  if (writer !== undefined) lines.push(`written ${placeText(writer, at.symbolAt)}`);
  return lines;
}
