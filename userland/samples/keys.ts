import { PKEY, PROT, SIGNAL, SYS } from "../linux.js";
import { at, PAGE, RW, sample } from "./sample.js";

/** Memory that may only be executed: Linux makes it from a protection key, for x86 page tables cannot say it. */
export const executeOnly = sample(
  "execute-only",
  "PROT_EXEC alone: code runs and cannot be read",
  (program) => {
    program.requireMseal().catchFaults();
    program.allocateKey(0).syscall(SYS.pkey_free, "rax");
    program.map(0, 1, RW).store(at(0), 0xc30000002ab8); // mov eax, 42; ret
    program.protect(0, 1, PROT.EXEC).report("mprotect(EXEC): ");
    program.callAt(at(0)).print("call: ").printFault().print(", ").printUnsigned("rax").line("");
    program.peek(at(0)).print("read: ").printFault().line("");
    program.touch(at(0)).print("write: ").printFault().line("");
    program.allocateKey(0).print("the next key to be had is ").printUnsigned("rax").line("");
    program.seal(0, 1).report("mseal: ");
    program.discard(0, 1).report("madvise(DONTNEED): ");
    program.callAt(at(0)).print("call: ").printFault().print(", ").printUnsigned("rax").line("");
  },
  { needsKeys: true },
);

/** What a signal handler finds in PKRU, and what the interrupted code has afterwards. */
export const signalPkru = sample(
  "signal-pkru",
  "a signal handler starts with Linux's default PKRU",
  (program) => {
    program.allocateKey(0).code("mov r12, rax");
    program.print("key ").printUnsigned("r12").line("");
    program.map(0, 1, RW).syscall(SYS.pkey_mprotect, at(0), PAGE, RW, "r12").report("pkey_mprotect: ");
    program.onSignal(SIGNAL.SIGTRAP, "handler").onSignal(SIGNAL.SIGSEGV, "inner");
    program.code("xor ecx, ecx\n rdpkru").print("before: PKRU is ").printHex("rax").line("");
    program.code("int3");
    program.code("xor ecx, ecx\n rdpkru").print("after: PKRU is ").printHex("rax").line("");
    program.changeRights("and eax, 0x0fffffff");
    program.code("int3");
    program.code("xor ecx, ecx\n rdpkru").print("after: PKRU is ").printHex("rax").line("");
    program.exit(0);
    program.label("handler").code("xor ecx, ecx\n rdpkru");
    program.print("in the handler: PKRU is ").printHex("rax").line("");
    // A read of the key's page: allowed outside, refused in here, and allowed to the inner handler's change.
    program.load("rbx", at(0)).code("lea r15, [.skip]\n mov al, [rbx]").line("in the handler: a read works");
    program.code(".skip: xor ecx, ecx\n xor eax, eax\n xor edx, edx\n wrpkru");
    program.line("in the handler: PKRU is 0 until it returns").code("ret");
    program.label("inner").code("mov eax, [rsi+8]\n mov r14d, [rsi+32]\n mov [rdx+168], r15");
    program
      .print("in the handler: a read: si_code ")
      .printUnsigned("rax")
      .print(", key ")
      .printUnsigned("r14");
    program.line("").code("ret");
  },
  { needsKeys: true },
);

/** Every right that PKRU can give to a key, and what each access then comes to. */
export const keyRights = sample(
  "key-rights",
  "read, write and fetch under each right of a key",
  (program) => {
    program.catchFaults().allocateKey(PKEY.DISABLE_ACCESS).code("mov r12, rax");
    program.map(0, 1, PROT.READ | PROT.WRITE | PROT.EXEC).store(at(0), 0xc3); // ret
    program.syscall(SYS.pkey_mprotect, at(0), PAGE, 7, "r12").report("pkey_mprotect: ");
    for (const [name, rights] of [
      ["all", 0],
      ["access disabled", 1],
      ["write disabled", 2],
      ["both disabled", 3],
    ] as const) {
      program.changeRights(`lea ecx, [r12+r12]\n mov edx, 3\n shl edx, cl\n not edx\n and eax, edx
        mov edx, ${rights}\n shl edx, cl\n or eax, edx\n xor ecx, ecx`);
      program.line(`${name}:`);
      program.peek(at(0)).print("  read: ").printFault().line("");
      program.touch(at(0)).print("  write: ").printFault().line("");
      program.callAt(at(0)).print("  fetch: ").printFault().line("");
      program.syscall(SYS.write, 1, at(0), 0).report("  write(1, page, 0): ");
      program
        .load("rdi", 1)
        .syscall(SYS.rt_sigprocmask, 0, at(0), 0, 8)
        .report("  a set read by rt_sigprocmask: ");
    }
  },
  { needsKeys: true },
);
