import { Program, SYS } from "../../../userland/index.js";
import { announcedCodes, type AnnouncedCode } from "./codes.js";
import { casesOf, type Case } from "./cases.js";
import type { Field, FormsGroup, FormsProgram, Printed } from "./layout.js";
import { shapesOf, type Shape, type Slot } from "./shapes.js";

/** Where the memory operand is: an address that does not change with the program. */
export const SCRATCH = 0x10000000;
const SCRATCH_PAGES = 4;
/** RDI points into it, so that what lies before can be reached too. */
export const SCRATCH_MIDDLE = SCRATCH + 0x2000;

const OUTPUT_BYTES = 1 << 20;

/** Bytes of a case's record before its slots: RFLAGS, the flag mask, MXCSR. */
const RECORD_HEADER = 16;

const padded = (bytes: number): number => (bytes + 7) & ~7;

/** Starts a program that prints by R14: it is where the next output byte goes. */
export function startForms(): Program {
  const program = new Program();
  program
    .section("scratch", { write: true, address: SCRATCH })
    .label("scratch")
    .reserve(SCRATCH_PAGES * 4096);
  program.within(".bss", () => program.align(64).label("output").reserve(OUTPUT_BYTES));
  program.section(".text").code(`
    flush:
      lea rsi, [output]
      mov rdx, r14
      sub rdx, rsi
      jz .flush_done
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      test rax, rax
      js .flush_failed
      lea rsi, [output]
      add rax, rsi
      mov rcx, r14
      sub rcx, rax
      mov rdi, rsi
      mov rsi, rax
      rep movsb
      mov r14, rdi
      jmp flush
    .flush_done:
      ret
    .flush_failed:
      mov edi, 1
      mov eax, ${SYS.exit_group}
      syscall
    _start:
      lea r14, [output]
  `);
  return program;
}

/** Bytes after which the buffer is written out: often, so that a program that dies has shown how far it came. */
const ENOUGH = 16384;

/** Writes out what is in the buffer when there is enough of it. */
export function flushWhenFull(program: Program): void {
  const enough = program.unique("room");
  program.code(`
    lea rax, [output+${ENOUGH}]
    cmp r14, rax
    jb ${enough}
    call flush
    ${enough}:
  `);
}

export function finishForms(program: Program): Uint8Array {
  return program.code("call flush").exit(0).build();
}

function put(program: Program, slot: Slot, value: bigint): void {
  const bytes = new Uint8Array(padded(slot.bytes));
  for (let i = 0; i < slot.bytes; i++) bytes[i] = Number((value >> BigInt(i * 8)) & 0xffn);
  program.bytes(bytes);
}

/** The cases' records; equal ones are stored once. */
function table(program: Program, shape: Shape, cases: readonly Case[], known: Map<string, string>): string {
  const key = cases
    .map((one) => `${one.flags} ${one.flagMask} ${one.mxcsr} ${[...one.values.values()].join()}`)
    .concat(shape.inputs.map((slot) => String(slot.bytes)))
    .join(";");
  let label = known.get(key);
  if (label === undefined) {
    label = program.unique("cases");
    known.set(key, label);
    const name = label;
    program.within(".rodata", () => {
      program.align(8).label(name);
      for (const one of cases) {
        program.u64(0x202 | one.flags).u32(one.flagMask, one.mxcsr);
        for (const slot of shape.inputs) put(program, slot, one.values.get(slot.name)!);
      }
    });
  }
  return label;
}

const isGeneral = (slot: Slot): boolean => /^r/.test(slot.name);

function loadSlots(program: Program, shape: Shape): void {
  let at = RECORD_HEADER;
  const offsets = shape.inputs.map((slot) => {
    const offset = at;
    at += padded(slot.bytes);
    return offset;
  });
  shape.inputs.forEach((slot, i) => {
    const from = offsets[i]!;
    if (slot.name.startsWith("xmm")) program.code(`movdqu ${slot.name}, [r12+${from}]`);
    else if (slot.name.startsWith("mm")) program.code(`movq ${slot.name}, qword ptr [r12+${from}]`);
    else if (slot.name === "memory") {
      for (let byte = 0; byte < slot.bytes; byte += 8) {
        program.code(`mov rax, [r12+${from + byte}]\n mov [rdi+${slot.offset + byte}], rax`);
      }
    }
  });
  if (shape.comparesMxcsr) program.code("ldmxcsr [r12+12]");
  if (shape.comparesFlags) program.code("push qword ptr [r12]\n popfq");
  shape.inputs.forEach((slot, i) => {
    if (isGeneral(slot)) program.code(`mov ${slot.name}, [r12+${offsets[i]!}]`);
  });
}

function storeSlots(program: Program, shape: Shape): void {
  let at = 0;
  const after: string[] = [];
  for (const slot of shape.outputs) {
    if (slot.name.startsWith("xmm")) after.push(`movdqu [r14+${at}], ${slot.name}`);
    else if (slot.name.startsWith("mm")) after.push(`movq qword ptr [r14+${at}], ${slot.name}`);
    else if (slot.name !== "memory") program.code(`mov [r14+${at}], ${slot.name}`);
    else {
      let byte = 0;
      for (const [size, register] of [
        [8, "rax"],
        [4, "eax"],
        [2, "ax"],
        [1, "al"],
      ] as const) {
        for (; byte + size <= slot.bytes; byte += size) {
          after.push(`mov ${register}, [rdi+${slot.offset + byte}]\n mov [r14+${at + byte}], ${register}`);
        }
      }
    }
    at += slot.bytes;
  }
  if (shape.comparesFlags) {
    program.code(`pushfq\n pop rax\n and eax, [r12+8]\n mov [r14+${at}], ax`);
    at += 2;
  }
  program.code(after.join("\n"));
  if (shape.comparesMxcsr) {
    program.code(`stmxcsr [rdi+64]\n mov eax, [rdi+64]\n mov [r14+${at}], al`);
    at += 1;
  }
  program.code(`lea r14, [r14+${at}]`);
}

function fieldsOf(shape: Shape): Field[] {
  const closeness = /^r(cp|sqrt)/.test(shape.announced.mnemonic) ? "reciprocal" : "exact";
  const fields: Field[] = shape.outputs.map(({ name, bytes }) => ({ name, bytes, closeness }));
  if (shape.comparesFlags) fields.push({ name: "flags", bytes: 2, closeness: "exact" });
  if (shape.comparesMxcsr) fields.push({ name: "mxcsr", bytes: 1, closeness: "exact" });
  return fields;
}

function describe(shape: Shape, one: Case): string {
  const values = shape.inputs.map((slot) => `${slot.name}=${one.values.get(slot.name)!.toString(16)}`);
  if (shape.comparesFlags) values.push(`flags=${one.flags.toString(16)}`);
  if (shape.comparesMxcsr) values.push(`mxcsr=${one.mxcsr.toString(16)}`);
  return values.join(" ");
}

function emit(program: Program, shape: Shape, known: Map<string, string>): Printed | undefined {
  const cases = casesOf(shape);
  // Every one of them may leave the result undefined: a 16-bit double shift by 17.
  if (cases.length === 0) return undefined;
  const records = table(program, shape, cases, known);
  const size = RECORD_HEADER + shape.inputs.reduce((sum, slot) => sum + padded(slot.bytes), 0);
  const loop = program.unique("loop");
  program.code(`lea r12, [${records}]\n mov r13d, ${cases.length}\n mov edi, ${SCRATCH_MIDDLE}\n ${loop}:`);
  loadSlots(program, shape);
  program.form(shape.announced.code, shape.operands, shape.lock ? { lock: true } : {});
  storeSlots(program, shape);
  program.code(`add r12, ${size}\n dec r13d\n jnz ${loop}`);
  if (shape.inputs.some((slot) => slot.name.startsWith("mm"))) program.code("emms");
  flushWhenFull(program);
  return {
    form: shape.announced.name,
    title: `${shape.announced.name}: ${shape.text}`,
    fields: fieldsOf(shape),
    cases: cases.length,
    describe: (index) => describe(shape, cases[index]!),
  };
}

function groupOf({ feature, mnemonic }: AnnouncedCode): string {
  if (feature.startsWith("FPU")) return "x87";
  if (/^(rol|ror|rcl|rcr|shl|shr|sal|sar|shld|shrd)$/.test(mnemonic)) return "shifts";
  if (/^(MMX|SSE|SSSE)/.test(feature)) {
    if (/^pcmp[ei]str/.test(mnemonic)) return "strings-sse42";
    if (/(ps|pd|ss|sd)$|^cvt|^(u?comis)/.test(mnemonic) && !/^(p|mov)/.test(mnemonic)) return "floating";
    return "vector";
  }
  return "integer";
}

/** The generated groups: the names of a group's forms decide which it is in. */
export const GENERATED = ["integer", "shifts", "vector", "floating", "strings-sse42"] as const;

export function generatedGroup(name: (typeof GENERATED)[number]): FormsGroup {
  return {
    name,
    build(): FormsProgram {
      const program = startForms();
      const known = new Map<string, string>();
      const printed = announcedCodes()
        .filter((one) => one.byHand === undefined && groupOf(one) === name)
        .flatMap((one) => shapesOf(one))
        .flatMap((shape) => emit(program, shape, known) ?? []);
      return { elf: finishForms(program), printed };
    },
  };
}

/** The forms that the generated groups are about, by group; the x87 ones have a generator of their own. */
export function generatedCodes(name: string): AnnouncedCode[] {
  return announcedCodes().filter((one) => one.byHand === undefined && groupOf(one) === name);
}
