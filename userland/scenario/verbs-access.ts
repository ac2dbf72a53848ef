import { SIZES, SYSCALLS } from "./words.js";
import { mustFit } from "./reader.js";
import { operandOf, type Context, type Verb } from "./compiler.js";
import { PAGE, SCRATCH, SHARED } from "./layout.js";
import type { Expression } from "./names.js";
import { pagesOf } from "./verbs-memory.js";
import { constant, type Operand } from "./table.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });

/** The size behind an access; a byte where none is said. */
function size(context: Context): number {
  if (context.reader.done) return 1;
  return Number(context.reader.choice(SIZES, "byte, word, dword or qword").constant);
}

function write(context: Context): void {
  const address = context.reader.address();
  // Where only the access matters, the value need not be said.
  const token = context.reader.next;
  const value = context.reader.done ? exactly(1) : context.reader.value("the value to write");
  const bytes = size(context);
  mustFit(token, value, bytes);
  context.access(address);
  context.emit({ op: "store", size: bytes, operands: [address, value].map(operand) });
}

const operand = ({ name, constant: value }: Expression): Operand => ({
  slot: name?.slot ?? 0,
  constant: value,
});
const plus = (one: Expression, more: number): Expression => ({
  ...one,
  constant: one.constant + BigInt(more),
});

/** `mov eax, VALUE; jmp r12`: what `call` calls, in eight bytes. */
function codeOf(value: bigint): bigint {
  return 0xe4ff_4100_0000_00b8n | (BigInt.asUintN(32, value) << 8n);
}

/** A copy by the kernel between the memory at ADDR and the program's own file, a byte. */
function kernelCopy(call: "pread64" | "pwrite64"): (context: Context) => void {
  return (context) => {
    const address = context.reader.address();
    const length = context.reader.done ? exactly(1) : context.reader.length("a length");
    context.answer({ kind: "number" });
    context.syscall(nr(call), [exactly(SHARED.descriptor), address, length, exactly(3 * PAGE)]);
  };
}

/** A byte through /proc/self/mem, which asks no protection. */
function forced(call: "pread64" | "pwrite64"): (context: Context) => void {
  return (context) => {
    const address = context.reader.address();
    const value = call === "pwrite64" ? context.reader.byte("the value to write") : exactly(0);
    const buffer = context.scratch(0, value);
    const fd = context.slot();
    context.quietly(nr("open"), [context.text("/proc/self/mem"), exactly(2)], fd);
    const file: Operand = { slot: fd, constant: 0n };
    context.syscall(nr(call), [file, buffer, exactly(1), address]);
    if (call === "pread64") {
      context.answer({ kind: "loaded" });
      context.emit({ op: "load", size: 1, operands: [constant(SCRATCH)] });
    }
    context.quietly(nr("close"), [file]);
  };
}

/** A byte through process_vm_readv or process_vm_writev, of oneself. */
function remote(call: "process_vm_readv" | "process_vm_writev"): (context: Context) => void {
  return (context) => {
    const address = context.reader.address();
    const value = call === "process_vm_writev" ? context.reader.byte("the value to write") : exactly(0);
    context.scratch(0, value);
    const local = context.scratch(16, constant(SCRATCH));
    context.scratch(24, exactly(1));
    const far = context.scratch(32, address);
    context.scratch(40, exactly(1));
    const pid = context.slot();
    context.quietly(nr("getpid"), [], pid);
    const one = exactly(1);
    context.syscall(nr(call), [{ slot: pid, constant: 0n }, local, one, far, one, exactly(0)]);
    if (call === "process_vm_readv") {
      context.answer({ kind: "loaded" });
      context.emit({ op: "load", size: 1, operands: [constant(SCRATCH)] });
    }
  };
}

/** Of one `pagemap`: what the program has room for. */
const MOST_PAGES = 8192;

export const ACCESS_VERBS: readonly (readonly [string, Verb])[] = [
  [
    "read",
    {
      form: "[v =] read ADDR [byte|word|dword|qword]",
      gives: true,
      compile(context) {
        const address = context.reader.address();
        const bytes = size(context);
        context.access(address);
        context.answer({ kind: "loaded" });
        context.emit({ op: "load", size: bytes, dest: context.target(null), operands: [operand(address)] });
      },
    },
  ],
  ["write", { form: "write ADDR [VALUE] [byte|word|dword|qword]", compile: write }],
  ["touch", { form: "touch ADDR VALUE [byte|word|dword|qword]", compile: write }],
  [
    "fill",
    {
      form: "fill ADDR LEN VALUE",
      compile(context) {
        const address = context.reader.address();
        const pages = pagesOf(context.reader.length());
        if (pages === null || pages > 64) throw context.reader.wrong("expected 1 to 64 pages");
        const value = context.reader.byte("the value to write to each page's first byte");
        context.access(address);
        for (let i = 0; i < pages; i++) {
          const quiet = i < pages - 1;
          context.emit({
            op: "store",
            size: 1,
            quiet,
            operands: [plus(address, i * PAGE), value].map(operand),
          });
        }
      },
    },
  ],
  [
    "code",
    {
      form: "code ADDR VALUE",
      compile(context) {
        const address = context.reader.address();
        const value = context.reader.number(
          "the number that the code shall give, of 32 bits",
          -(1n << 31n),
          (1n << 32n) - 1n,
        );
        context.access(address);
        context.emit({
          op: "store",
          size: 8,
          operands: [operand(address), constant(codeOf(value))],
        });
      },
    },
  ],
  [
    "call",
    {
      form: "call ADDR",
      compile(context) {
        const address = context.reader.address();
        context.access(address);
        context.answer({ kind: "loaded" });
        context.emit({ op: "call", operands: [operand(address)] });
      },
    },
  ],
  ["kernel_read", { form: "kernel_read ADDR [LEN]", compile: kernelCopy("pwrite64") }],
  ["kernel_write", { form: "kernel_write ADDR [LEN]", compile: kernelCopy("pread64") }],
  ["peek", { form: "peek ADDR", compile: forced("pread64") }],
  ["poke", { form: "poke ADDR VALUE", compile: forced("pwrite64") }],
  ["vm_read", { form: "vm_read ADDR", compile: remote("process_vm_readv") }],
  ["vm_write", { form: "vm_write ADDR VALUE", compile: remote("process_vm_writev") }],
  [
    "maps",
    {
      form: "maps ADDR [LEN]",
      compile(context) {
        const start = context.reader.address();
        const length = context.reader.done ? null : context.reader.length();
        const pages = length === null ? start.name?.pages : pagesOf(length);
        if (pages == null) throw context.reader.wrong("expected a length in pages");
        context.answer({ kind: "maps", start, bytes: pages * PAGE });
        context.emit({ op: "smaps" });
      },
    },
  ],
  [
    "smaps",
    {
      form: "smaps ADDR FIELD",
      compile(context) {
        const start = context.reader.address();
        const field = context.reader.token("a field of /proc/PID/smaps, such as Rss").text;
        context.answer({ kind: "smaps", start, field });
        context.emit({ op: "smaps" });
      },
    },
  ],
  [
    "pagemap",
    {
      form: "pagemap ADDR LEN",
      compile(context) {
        const [start, length] = [context.reader.address(), context.reader.length()];
        const pages = pagesOf(length);
        if (pages === null || pages > MOST_PAGES)
          throw context.reader.wrong(`expected a length of at most ${MOST_PAGES} pages`);
        context.answer({ kind: "pages" });
        context.emit({ op: "pagemap", operands: [operandOf(start), operandOf(length)] });
      },
    },
  ],
  [
    "pool",
    {
      form: "pool",
      compile(context) {
        context.answer({ kind: "pool" });
        context.emit({ op: "meminfo" });
      },
    },
  ],
];
