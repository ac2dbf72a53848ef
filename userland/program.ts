import { Assembler, type LinkOptions } from "./assembler.js";
import { AssemblerError } from "./assembler/error.js";
import { findRegister } from "./assembler/registers.js";
import { writeElf, type ElfOptions } from "./elf-writer.js";
import { SA, SYS } from "./linux.js";
import { FAULT, faultHandler, faultPrinter, HANDLED, restorer } from "./runtime/faults.js";
import { printingRoutines, routineFor, type Printed } from "./runtime/printing.js";

/** A number, a register (`"rbx"`), memory (`"[count]"`), or a label, whose address is meant. */
export type Argument = number | bigint | string;

const ARGUMENT_REGISTERS = ["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const;

/**
 * A static Linux program in the making: an {@link Assembler} with system calls, printing and fault recovery.
 *
 * The print methods keep every register and flag; output goes to descriptor 1 a line at a time.
 * Execution begins at the label `_start`.
 */
export class Program extends Assembler {
  readonly #wanted = new Set<Printed>();
  readonly #literals = new Map<string, string>();
  #catches = false;
  #restores = false;
  #printsFaults = false;

  /** Loads a register; numbers in the shortest way that leaves the flags alone. */
  load(register: string, value: Argument): this {
    if (typeof value !== "string") {
      const number = BigInt.asIntN(64, BigInt(value));
      const low = findRegister(register)!.size === 8 && number >= 0n && number < 1n << 32n;
      return this.code(`mov ${low ? lowHalf(register) : register}, ${number}`);
    }
    if (value === register) return this;
    if (value.startsWith("[") || findRegister(value)) return this.code(`mov ${register}, ${value}`);
    return this.code(`lea ${register}, [${value}]`);
  }

  /**
   * A system call; the result is in RAX, RCX and R11 are lost. Arguments are loaded from left to right, so one that
   * names a register already loaded is refused with {@link AssemblerError}.
   */
  syscall(number: number, ...args: readonly Argument[]): this {
    const overwritten: string[] = [];
    args.forEach((value, i) => {
      const register = ARGUMENT_REGISTERS[i];
      if (!register) throw new AssemblerError("a system call takes six arguments at most");
      if (typeof value === "string" && overwritten.some((one) => mentions(value, one))) {
        throw new AssemblerError(`syscall argument "${value}" is overwritten by an earlier one`);
      }
      this.load(register, value);
      if (value !== register) overwritten.push(register);
    });
    return this.code(`mov eax, ${number}\n syscall`);
  }

  exit(status: Argument): this {
    return this.syscall(SYS.exit_group, status);
  }

  /** Prints text as it is (no newline is added). */
  print(text: string): this {
    let label = this.#literals.get(text);
    if (label === undefined) {
      label = this.unique("text");
      this.#literals.set(text, label);
    }
    this.#wanted.add("text");
    return this.code(`
      push rsi
      push rdx
      lea rsi, [${label}]
      mov edx, ${new TextEncoder().encode(text).length}
      call ${routineFor("text")}
      pop rdx
      pop rsi
    `);
  }

  /** Prints text and a newline. */
  line(text: string): this {
    return this.print(`${text}\n`);
  }

  /** Prints a 64-bit value: decimal, `0x` and the hex digits, or what a system call's result means. */
  printValue(how: Exclude<Printed, "text">, value: Argument): this {
    this.#wanted.add(how);
    this.#wanted.add("text");
    this.code("push rax");
    this.load("rax", value);
    return this.code(`call ${routineFor(how)}\n pop rax`);
  }

  printUnsigned(value: Argument): this {
    return this.printValue("unsigned", value);
  }

  printSigned(value: Argument): this {
    return this.printValue("signed", value);
  }

  /** `0x` and the digits, without leading zeroes. */
  printHex(value: Argument): this {
    return this.printValue("hex", value);
  }

  /** `EPERM` and the like for -4095..-1, else `ok`. */
  printErrno(value: Argument = "rax"): this {
    return this.printValue("errno", value);
  }

  /** `rt_sigaction(signal, handler)` with SA_SIGINFO, SA_RESTORER and `flags`. The handler returns by `ret`. */
  onSignal(signal: number, handler: string, flags = 0): this {
    this.#restores = true;
    const action = this.unique("sigaction");
    this.within(".data", () => {
      this.align(8).label(action).reserve(32);
    });
    return this.code(
      `
      lea rax, [${handler}]
      mov [${action}], rax
      mov dword ptr [${action}+8], ${flags | 0x04000004}
      lea rax, [${restorer}]
      mov [${action}+16], rax
    `,
    ).syscall(SYS.rt_sigaction, signal, action, 0, 8);
  }

  /**
   * Installs a handler for SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP that makes {@link attempt} work; on a stack of
   * its own if asked, so that it works whatever RSP is.
   */
  catchFaults(options: { readonly alternateStack?: boolean } = {}): this {
    this.#catches = true;
    if (options.alternateStack) {
      const [stack, description] = [this.unique("stack"), this.unique("stack_t")];
      this.within(".bss", () => this.align(16).label(stack).reserve(ALTERNATE_STACK));
      this.within(".data", () => this.align(8).label(description).reserve(16).u64(ALTERNATE_STACK));
      this.code(`lea rax, [${stack}]\n mov [${description}], rax`).syscall(SYS.sigaltstack, description, 0);
    }
    for (const signal of HANDLED)
      this.onSignal(signal, FAULT.handler, options.alternateStack ? SA.ONSTACK : 0);
    return this;
  }

  /**
   * Runs `body` so that a fault in it continues after it, with RSP as it was here, the other registers as they were
   * at the fault, and PKRU as it was there (sigreturn puts it back). A fault outside ends the program with 128+signal.
   */
  attempt(body: () => void): this {
    const after = this.unique("after");
    this.code(`
      push rax
      mov qword ptr [${FAULT.record}], 0
      lea rax, [${after}]
      mov [${FAULT.recoverRip}], rax
      pop rax
      mov [${FAULT.recoverRsp}], rsp
    `);
    body();
    this.label(after);
    return this.code(`mov qword ptr [${FAULT.recoverRip}], 0`);
  }

  /** What the last {@link attempt} ended in: `ok`, or `SIGSEGV SEGV_PKUERR, key 1`. */
  printFault(): this {
    this.#printsFaults = true;
    this.#wanted.add("text");
    this.#wanted.add("unsigned");
    return this.code(`call ${FAULT.printer}`);
  }

  /** Ends with status 77 and a line that says why, unless the kernel has mseal. */
  requireMseal(): this {
    this.syscall(SYS.mseal, 0, 0, 0);
    return this.#requireZeroOrMore("no mseal in this kernel");
  }

  /** pkey_alloc(0, rights): the key in RAX. Ends with status 77 and a line that says why if there are none. */
  allocateKey(rights: number): this {
    this.syscall(SYS.pkey_alloc, 0, rights);
    return this.#requireZeroOrMore("no protection keys on this machine");
  }

  #requireZeroOrMore(reason: string): this {
    const has = this.unique("has");
    this.code(`test rax, rax\n jns ${has}`);
    this.line(`skipped: ${reason}`).exit(SKIPPED);
    return this.label(has);
  }

  override link(options: LinkOptions = {}): ReturnType<Assembler["link"]> {
    this.section(".text");
    if (this.#printsFaults) faultPrinter(this);
    if (this.#catches) faultHandler(this);
    if (this.#restores) this.code(`${restorer}: mov eax, ${SYS.rt_sigreturn}\n syscall`);
    printingRoutines(this, this.#wanted);
    this.section(".rodata");
    for (const [text, label] of this.#literals) this.label(label).string(text);
    return super.link(options);
  }

  /** The finished ELF file. */
  build(options: ElfOptions = {}): Uint8Array {
    const pie = options.type === "static-pie";
    return writeElf(this.link(pie ? { base: 0x1000, allowAbsolute: false } : {}), options);
  }
}

/** Bytes: a frame with every register that today's CPUs have, more than once. */
const ALTERNATE_STACK = 65536;

/** The exit status of a program that found its machine lacking, as test suites have it. */
export const SKIPPED = 77;

function lowHalf(register: string): string {
  return /^r\d+$/.test(register) ? `${register}d` : register.replace(/^r/, "e");
}

function mentions(argument: string, register: string): boolean {
  return new RegExp(`\\b(${register}|${lowHalf(register)})\\b`).test(argument);
}
