/** A thread's registers in the order of the target description, and that description. */

import { XSAVE_PKRU_OFFSET } from "../../cpu/models.js";
import type { Kernel } from "../../kernel/kernel.js";
import { readUserRegs, readXstate, writeUserRegs, writeXstate } from "../../kernel/ptrace/registers.js";
import type { Task } from "../../kernel/task.js";

interface RegisterPlace {
  readonly name: string;
  /** Bytes that gdb sees. */
  readonly bytes: number;
  /** Attributes of its description: the type, and a group where gdb needs to be told. */
  readonly attributes: string;
  readonly feature: string;
  /** user_regs_struct, the XSAVE area, or the x87 tag word that is made from it. */
  readonly area: "user" | "xsave" | "tags";
  readonly offset: number;
  /** Bytes that it has there. */
  readonly stored: number;
}

const USER_ORDER =
  "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss fs_base gs_base ds es fs gs".split(
    " ",
  );
const CORE = "org.gnu.gdb.i386.core";
const SSE = "org.gnu.gdb.i386.sse";
const LINUX = "org.gnu.gdb.i386.linux";
const SEGMENTS = "org.gnu.gdb.i386.segments";
const PKEYS = "org.gnu.gdb.i386.pkeys";
const ST = 32;
const XMM = 160;
const MXCSR = 24;
const TAGS = 4;

function user(name: string, type: string, feature: string, bytes = 8): RegisterPlace {
  const offset = 8 * USER_ORDER.indexOf(name);
  return { name, bytes, attributes: `type="${type}"`, feature, area: "user", offset, stored: 8 };
}

function places(pku: boolean): RegisterPlace[] {
  const general = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
  const pointers = new Set(["rbp", "rsp"]);
  const out = general.map((name) => user(name, pointers.has(name) ? "data_ptr" : "int64", CORE));
  out.push(user("rip", "code_ptr", CORE), user("eflags", "i386_eflags", CORE, 4));
  for (const name of ["cs", "ss", "ds", "es", "fs", "gs"]) out.push(user(name, "int32", CORE, 4));
  const xsave = (
    name: string,
    bytes: number,
    attributes: string,
    feature: string,
    offset: number,
    stored: number,
  ): void => void out.push({ name, bytes, attributes, feature, area: "xsave", offset, stored });
  for (let i = 0; i < 8; i++) xsave(`st${i}`, 10, 'type="i387_ext"', CORE, ST + 16 * i, 10);
  const float = 'type="int" group="float"';
  xsave("fctrl", 4, float, CORE, 0, 2);
  xsave("fstat", 4, float, CORE, 2, 2);
  out.push({
    name: "ftag",
    bytes: 4,
    attributes: float,
    feature: CORE,
    area: "tags",
    offset: TAGS,
    stored: 1,
  });
  xsave("fiseg", 4, float, CORE, 12, 2);
  xsave("fioff", 4, float, CORE, 8, 4);
  xsave("foseg", 4, float, CORE, 20, 2);
  xsave("fooff", 4, float, CORE, 16, 4);
  xsave("fop", 4, float, CORE, 6, 2);
  for (let i = 0; i < 16; i++) xsave(`xmm${i}`, 16, 'type="vec128"', SSE, XMM + 16 * i, 16);
  xsave("mxcsr", 4, 'type="i386_mxcsr" group="vector"', SSE, MXCSR, 4);
  out.push(
    user("orig_rax", "int64", LINUX),
    user("fs_base", "int64", SEGMENTS),
    user("gs_base", "int64", SEGMENTS),
  );
  if (pku) xsave("pkru", 4, 'type="uint32"', PKEYS, XSAVE_PKRU_OFFSET, 4);
  return out;
}

const field = (name: string, bit: number): string => `<field name="${name}" start="${bit}" end="${bit}"/>`;
const FLAGS: readonly (readonly [string, number])[] = [
  ["CF", 0],
  ["PF", 2],
  ["AF", 4],
  ["ZF", 6],
  ["SF", 7],
  ["TF", 8],
  ["IF", 9],
  ["DF", 10],
  ["OF", 11],
  ["NT", 14],
  ["RF", 16],
  ["VM", 17],
  ["AC", 18],
  ["VIF", 19],
  ["VIP", 20],
  ["ID", 21],
];
const MXCSR_FLAGS = "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM".split(" ");
/** Types that a feature defines before its registers. */
const TYPES: Readonly<Record<string, string>> = {
  [CORE]: `<flags id="i386_eflags" size="4">${field("", 1)}${FLAGS.map(([name, bit]) => field(name, bit)).join("")}</flags>`,
  [SSE]: [
    '<vector id="v4f" type="ieee_single" count="4"/>',
    '<vector id="v2d" type="ieee_double" count="2"/>',
    '<vector id="v16i8" type="int8" count="16"/>',
    '<vector id="v8i16" type="int16" count="8"/>',
    '<vector id="v4i32" type="int32" count="4"/>',
    '<vector id="v2i64" type="int64" count="2"/>',
    '<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>',
    '<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/>',
    '<field name="v4_int32" type="v4i32"/><field name="v2_int64" type="v2i64"/>',
    '<field name="uint128" type="uint128"/></union>',
    `<flags id="i386_mxcsr" size="4">${MXCSR_FLAGS.map((name, bit) => field(name, bit)).join("")}${field("FZ", 15)}</flags>`,
  ].join(""),
};

/** FXSAVE's tag byte (1: not empty) as the tag word of old: 0 valid, 1 zero, 2 special, 3 empty. */
function tagWord(area: Uint8Array): number {
  const top = (area[3]! >>> 3) & 7;
  let word = 0;
  for (let physical = 0; physical < 8; physical++) {
    let tag = 3;
    if ((area[TAGS]! & (1 << physical)) !== 0) {
      const at = ST + 16 * ((physical - top) & 7);
      const exponent = (area[at + 8]! | (area[at + 9]! << 8)) & 0x7fff;
      const zero = area.subarray(at, at + 8).every((byte) => byte === 0);
      if (exponent === 0x7fff) tag = 2;
      else if (exponent === 0) tag = zero ? 1 : 2;
      else tag = (area[at + 7]! & 0x80) !== 0 ? 0 : 2;
    }
    word |= tag << (2 * physical);
  }
  return word;
}

export class RegisterFile {
  private readonly places: readonly RegisterPlace[];

  constructor(private readonly kernel: Kernel) {
    this.places = places(kernel.pku);
  }

  /** target.xml of qXfer:features. */
  get description(): string {
    const features = [...new Set(this.places.map(({ feature }) => feature))].map((feature) => {
      const registers = this.places
        .filter((place) => place.feature === feature)
        .map(({ name, bytes, attributes }) => `<reg name="${name}" bitsize="${8 * bytes}" ${attributes}/>`);
      return `<feature name="${feature}">${TYPES[feature] ?? ""}${registers.join("")}</feature>`;
    });
    const head = '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">';
    return `${head}<target><architecture>i386:x86-64</architecture><osabi>GNU/Linux</osabi>${features.join("")}</target>`;
  }

  get count(): number {
    return this.places.length;
  }

  /** The number of a register by its name. */
  indexOf(name: string): number {
    return this.places.findIndex((place) => place.name === name);
  }

  /** All registers, each as gdb sees it. */
  read(task: Task): Uint8Array[] {
    const areas = { user: this.user(task), xsave: readXstate(this.kernel, task) };
    return this.places.map(({ bytes, area, offset, stored }) => {
      const value = new Uint8Array(bytes);
      if (area === "tags") new DataView(value.buffer).setUint16(0, tagWord(areas.xsave), true);
      else value.set(areas[area].subarray(offset, offset + Math.min(stored, bytes)));
      return value;
    });
  }

  /** user_regs_struct; a call that waits looks interrupted, and outside of a call orig_rax is -1. */
  private user(task: Task): Uint8Array {
    const bytes = readUserRegs(this.kernel, task);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const { waiting } = task;
    const set = (name: string, value: bigint): void =>
      view.setBigInt64(8 * USER_ORDER.indexOf(name), value, true);
    if (waiting !== null && waiting.interrupted !== 0) set("rax", BigInt(-waiting.interrupted));
    const inCall = waiting !== null || task.unfinished.length > 0 || task.interruptedBy !== 0;
    if (!inCall && !this.atCall(task)) set("orig_rax", -1n);
    return bytes;
  }

  /** Whether a task stands at a stop that is a system call's. */
  atCall: (task: Task) => boolean = () => false;

  /**
   * Writes registers by number.
   * @returns false for a value that no user program may have, or a number that is no register
   */
  write(task: Task, values: ReadonlyMap<number, Uint8Array>): boolean {
    const { kernel } = this;
    // What a waiting call would return is not the program's to see yet: the call is given up, and made again.
    kernel.interruptWait(task);
    const user = readUserRegs(kernel, task);
    const xsave = readXstate(kernel, task);
    let touched = false;
    for (const [index, value] of values) {
      const place = this.places[index];
      if (place === undefined || value.length !== place.bytes) return false;
      const { area, offset, stored } = place;
      if (area === "user") {
        user.fill(0, offset, offset + 8);
        user.set(value.subarray(0, 8), offset);
        continue;
      }
      touched = true;
      if (area === "xsave") xsave.set(value.subarray(0, stored), offset);
      else xsave[offset] = abridged(value);
    }
    if (touched) writeXstate(kernel, task, xsave);
    return writeUserRegs(kernel, task, user) === 0;
  }
}

function abridged(value: Uint8Array): number {
  const word = value[0]! | (value[1]! << 8);
  let tags = 0;
  for (let i = 0; i < 8; i++) if (((word >>> (2 * i)) & 3) !== 3) tags |= 1 << i;
  return tags;
}
