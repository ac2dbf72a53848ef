import type { Assembler } from "../assembler.js";
import { ERRNO, SYS } from "../linux.js";

/** What can be printed: text at RSI of RDX bytes, or RAX in some way. */
export type Printed = "text" | "unsigned" | "signed" | "hex" | "errno";

/** Bytes of the line buffer: a longer line is an overrun. */
const LINE = 4096;

/** Bytes of an errno table's entry: the name's length, then the name. */
const ERRNO_ENTRY = 16;
const ERRNO_LIMIT = Math.max(...Object.keys(ERRNO).map(Number)) + 1;

export function routineFor(printed: Printed): string {
  return `print_${printed}`;
}

/** Appends to the line buffer, and writes it out at a newline. Keeps all registers but RSI and RDX. */
function textRoutine(asm: Assembler): void {
  asm.code(`
    ${routineFor("text")}:
      pushfq
      push rax
      push rcx
      push rdi
      push r11
      cld
      mov rdi, [line_length]
      mov rcx, rdx
      add [line_length], rdx
      lea rax, [line_buffer]
      add rdi, rax
      rep movsb
      cmp byte ptr [rdi-1], 10
      jne .text_done
      mov edi, 1
      lea rsi, [line_buffer]
      mov rdx, [line_length]
      mov eax, ${SYS.write}
      syscall
      mov qword ptr [line_length], 0
    .text_done:
      pop r11
      pop rdi
      pop rcx
      pop rax
      popfq
      ret
  `);
  asm.within(".bss", () => asm.align(8).label("line_length").reserve(8).label("line_buffer").reserve(LINE));
}

const SAVED = ["rax", "rbx", "rcx", "rdx", "rsi"];

/** A routine that makes digits downwards from RSI in 32 bytes of stack and then prints [RSI, end). */
function digitsRoutine(asm: Assembler, name: string, body: string): void {
  asm.code(`${name}:\n pushfq`);
  for (const register of SAVED) asm.code(`push ${register}`);
  asm.code("sub rsp, 32\n lea rsi, [rsp+32]");
  asm.code(body);
  asm.code(`
      lea rdx, [rsp+32]
      sub rdx, rsi
      call ${routineFor("text")}
      add rsp, 32
  `);
  for (const register of [...SAVED].reverse()) asm.code(`pop ${register}`);
  asm.code("popfq\n ret");
}

const DECIMAL = (label: string): string => `
      mov ebx, 10
    ${label}:
      xor edx, edx
      div rbx
      add dl, '0'
      dec rsi
      mov [rsi], dl
      test rax, rax
      jnz ${label}
`;

function errnoRoutine(asm: Assembler): void {
  asm.code(`
    ${routineFor("errno")}:
      pushfq
      push rax
      push rdx
      push rsi
      cmp rax, -4095
      jae .errno_failed
      lea rsi, [errno_names]
      jmp .errno_print
    .errno_failed:
      neg rax
      cmp rax, ${ERRNO_LIMIT}
      jb .errno_known
      mov eax, ${ERRNO_LIMIT}
    .errno_known:
      shl eax, 4
      lea rsi, [errno_names]
      add rsi, rax
    .errno_print:
      movzx edx, byte ptr [rsi]
      inc rsi
      call ${routineFor("text")}
      pop rsi
      pop rdx
      pop rax
      popfq
      ret
  `);
  asm.within(".rodata", () => {
    asm.align(8).label("errno_names");
    for (let number = 0; number <= ERRNO_LIMIT; number++) {
      const name = number === 0 ? "ok" : (ERRNO[number] ?? "error?");
      const entry = new Uint8Array(ERRNO_ENTRY);
      entry[0] = name.length;
      new TextEncoder().encodeInto(name, entry.subarray(1));
      asm.bytes(entry);
    }
  });
}

/** Emits the routines that are wanted into the current section; all keep the flags and every other register. */
export function printingRoutines(asm: Assembler, wanted: ReadonlySet<Printed>): void {
  if (wanted.has("text")) textRoutine(asm);
  if (wanted.has("errno")) errnoRoutine(asm);
  if (wanted.has("unsigned")) digitsRoutine(asm, routineFor("unsigned"), DECIMAL(".unsigned_digit"));
  if (wanted.has("signed")) {
    digitsRoutine(
      asm,
      routineFor("signed"),
      `
      mov rcx, rax
      test rax, rax
      jns .signed_start
      neg rax
    .signed_start:
      ${DECIMAL(".signed_digit")}
      test rcx, rcx
      jns .signed_end
      dec rsi
      mov byte ptr [rsi], '-'
    .signed_end:
      `,
    );
  }
  if (wanted.has("hex")) {
    digitsRoutine(
      asm,
      routineFor("hex"),
      `
    .hex_digit:
      mov edx, eax
      and edx, 15
      lea ebx, [rdx+'0']
      cmp edx, 10
      jb .hex_put
      add ebx, 39
    .hex_put:
      dec rsi
      mov [rsi], bl
      shr rax, 4
      jnz .hex_digit
      sub rsi, 2
      mov word ptr [rsi], 0x7830
      `,
    );
  }
}
