import { REGISTER_NAMES, type RegisterName } from "../registers.js";
import type { FrameRow } from "./rows.js";
import { shortened } from "./meaning.js";
import { placeName } from "./sources.js";
import { hex, View } from "./view.js";

/** DWARF's order of the general registers (psABI, figure 3.36). */
const DWARF_ORDER: readonly RegisterName[] = [
  "rax",
  "rdx",
  "rcx",
  "rbx",
  "rsi",
  "rdi",
  "rbp",
  "rsp",
  ...REGISTER_NAMES.slice(8),
];
const RBP = 6;
const RSP = 7;
const RIP = 16;

interface Frame {
  readonly address: number;
  readonly registers: ReadonlyMap<number, number>;
  /** Where those are that are in memory: numbers are exact only to 2^53. */
  readonly saved: ReadonlyMap<number, number>;
  /** The address stands behind a call: what called is before it. */
  readonly called: boolean;
}

/** The calls that the thread is in, the innermost first: by .eh_frame, and by RBP's chain where there is none. */
export function frameRows(view: View, most = 64): FrameRow[] {
  const rows: FrameRow[] = [];
  for (let frame: Frame | null = innermost(view); frame !== null && rows.length < most;) {
    const above: Frame | null = callerOf(view, frame);
    rows.push(rowOf(view, frame, rows.length, above?.registers.get(RSP) ?? 0));
    frame = above;
  }
  return rows;
}

/** The present function's frame (CFA), from which its variables are counted; null where nothing says so. */
export function frameOf(view: View): number | null {
  return callerOf(view, innermost(view))?.registers.get(RSP) ?? null;
}

/** The thread as a caller sees it, so many frames up (0: the innermost); null where there are fewer. */
export function frameView(view: View, level: number): View | null {
  let frame: Frame | null = innermost(view);
  for (let i = 0; i < level && frame !== null; i++) frame = callerOf(view, frame);
  if (frame === null) return null;
  if (level === 0) return view;
  const { registers: known, saved, address, called } = frame;
  const registers = { ...view.registers, rip: BigInt(address) };
  DWARF_ORDER.forEach((name, number) => {
    const value = known.get(number);
    const at = saved.get(number);
    if (at !== undefined) registers[name] = view.number(at, 8) ?? registers[name];
    else if (value !== undefined && value !== Number(registers[name])) registers[name] = BigInt(value);
  });
  return new View(view.machine, view.task, { level, registers, rip: address, called });
}

/** Where the thread's present function returns to, and RSP then; null where nothing says so. */
export function returnOf(view: View): { readonly address: number; readonly stackPointer: number } | null {
  const caller = callerOf(view, innermost(view));
  const stackPointer = caller?.registers.get(RSP);
  return caller === null || stackPointer === undefined ? null : { address: caller.address, stackPointer };
}

function innermost(view: View): Frame {
  const registers = new Map(
    DWARF_ORDER.map((name, number) => [number, Number(view.registers[name])] as const),
  );
  registers.set(RIP, view.rip);
  return { address: view.rip, registers, saved: new Map(), called: view.frame?.called === true };
}

function word(view: View, address: number): number | undefined {
  const value = view.number(address, 8);
  return value === null ? undefined : Number(value);
}

function callerOf(view: View, { address, registers, saved: below, called }: Frame): Frame | null {
  const { mm } = view.task;
  // The row that counts is the call's own, not that of what follows it.
  const place = called ? address - 1 : address;
  const module = view.modules.moduleAt(place, mm);
  const found = module?.frames.caller(place - module.bias, {
    register: (number) => registers.get(number),
    word: (at) => word(view, at),
  });
  if (module !== undefined && found !== null && found !== undefined) {
    const back = found.registers.get(RIP);
    if (back === undefined || back === 0 || found.frame <= registers.get(RSP)! - 8) return null;
    const saved = new Map(found.saved);
    for (const [number, at] of below) if (found.kept.has(number)) saved.set(number, at);
    return { address: back, registers: found.registers, saved, called: !found.signal };
  }
  return module !== undefined && module.frames.covers(place - module.bias)
    ? null
    : byChain(view, { address, registers, saved: below, called });
}

/** Without rules: at a function's first instruction the return address is on top, else RBP leads to it. */
function byChain(view: View, { address, registers, saved, called }: Frame): Frame | null {
  const rsp = registers.get(RSP)!;
  const rbp = registers.get(RBP)!;
  const starts = view.modules.symbolAt(address, view.task.mm)?.address === address;
  const at = !called && starts ? rsp : rbp + 8;
  if (at < rsp || at > rsp + LARGEST_FRAME) return null;
  const back = word(view, at);
  if (back === undefined || !isCode(view, back)) return null;
  const above = new Map(registers);
  above.set(RSP, at + 8);
  if (at !== rsp) above.set(RBP, word(view, rbp) ?? 0);
  return { address: back, registers: above, saved, called: true };
}

const LARGEST_FRAME = 2 ** 20;
const VM_EXEC = 4;

function isCode(view: View, address: number): boolean {
  const area = view.task.mm.findArea(address);
  return area !== null && (area.flags & VM_EXEC) !== 0;
}

function rowOf(view: View, { address, called }: Frame, level: number, frame: number): FrameRow {
  const place = called ? address - 1 : address;
  const { mm } = view.task;
  const found = view.modules.symbolAt(place, mm);
  const offset = found === undefined ? 0 : address - found.address;
  const symbol =
    found === undefined ? undefined : `${found.name}${offset === 0 ? "" : `+0x${offset.toString(16)}`}`;
  const line = view.modules.lineAt(place, mm);
  const source = line === undefined ? undefined : { file: line.file, line: line.line };
  const at = source === undefined ? "" : ` at ${placeName(source)}`;
  const path = view.modules.moduleAt(place, mm)?.path;
  const unnamed = path === undefined ? "??" : `?? (${shortened(path)})`;
  const text = `#${String(level).padEnd(3)} ${hex(address)} ${symbol ?? unnamed}${at}`;
  return { level, address, frame, symbol, source, text };
}
