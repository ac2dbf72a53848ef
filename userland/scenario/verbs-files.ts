import { FILE_SEALS, SYSCALLS } from "./words.js";
import type { Context, Verb } from "./compiler.js";
import type { Expression } from "./names.js";
import { constant, type Operand } from "./table.js";
import { SCRATCH } from "./layout.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });
const OPEN_WORDS = { ro: 0, wo: 1, rw: 2, append: 0o2000 };
const O_CREAT_TRUNC = 0o1100;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const FALLOC_PUNCH_HOLE = 3;

function sized(context: Context, file: Operand, length: Expression): void {
  context.quietly(nr("ftruncate"), [file, length]);
}

/** A file in memory, open for reading and writing; of so many pages. */
function memfd(context: Context): void {
  const { reader } = context;
  const length = reader.length();
  const flags = reader.flags({ "noexec-seal": 8, exec: 16, hugetlb: 4 }, "noexec-seal, exec or hugetlb");
  const fd = context.target(null) || context.slot();
  context.syscall(
    nr("memfd_create"),
    [context.text("memfd"), exactly(flags | BigInt(MFD_ALLOW_SEALING))],
    fd,
  );
  sized(context, { slot: fd, constant: 0n }, length);
}

/** A file on the disk (of /tmp), without a name soon after; `ro` gives a descriptor for reading only. */
function file(context: Context): void {
  const { reader } = context;
  const length = reader.length();
  const mode = reader.done ? 2n : reader.flags(OPEN_WORDS, "ro, wo or append");
  const path = context.text("/tmp/sealab-scenario");
  const [first, fd] = [context.slot(), context.target(null) || context.slot()];
  context.quietly(nr("open"), [path, exactly(2 | O_CREAT_TRUNC), exactly(0o600)], first);
  sized(context, { slot: first, constant: 0n }, length);
  context.syscall(nr("open"), [path, exactly(mode)], fd);
  context.quietly(nr("close"), [{ slot: first, constant: 0n }]);
  context.quietly(87, [path]);
}

function open(context: Context): void {
  const { reader } = context;
  const path = context.text(reader.text("a path").text);
  const flags = reader.done ? 2n : reader.flags(OPEN_WORDS, "ro, wo, rw or append");
  const fd = context.target(null);
  context.syscall(nr("open"), [path, exactly(flags), exactly(0o600)], fd);
}

function pwrite(context: Context): void {
  const { reader } = context;
  const fd = reader.value("a file, such as f");
  const offset = reader.length("an offset in pages");
  const buffer = context.scratch(0, reader.byte("the byte to write"));
  context.answer({ kind: "number" });
  context.syscall(nr("pwrite64"), [fd, buffer, exactly(1), offset]);
}

function pread(context: Context): void {
  const { reader } = context;
  const fd = reader.value("a file, such as f");
  const offset = reader.length("an offset in pages");
  const buffer = context.scratch(0, exactly(0));
  context.answer({ kind: "loaded" });
  context.quietly(nr("pread64"), [fd, buffer, exactly(1), offset]);
  context.emit({ op: "load", size: 1, operands: [constant(SCRATCH)] });
}

export const FILE_VERBS: readonly (readonly [string, Verb])[] = [
  ["memfd", { form: "f = memfd LEN [noexec-seal|exec|hugetlb]", gives: true, compile: memfd }],
  ["file", { form: "f = file LEN [ro|wo|append]", gives: true, compile: file }],
  ["open", { form: 'f = open "PATH" [ro|wo|rw|append]', gives: true, compile: open }],
  [
    "close",
    {
      form: "close FILE",
      compile: (context) => context.syscall(nr("close"), [context.reader.value("a file, such as f")]),
    },
  ],
  [
    "ftruncate",
    {
      form: "ftruncate FILE LEN",
      compile(context) {
        const fd = context.reader.value("a file, such as f");
        context.syscall(nr("ftruncate"), [fd, context.reader.length()]);
      },
    },
  ],
  ["pwrite", { form: "pwrite FILE OFFSET VALUE", compile: pwrite }],
  ["pread", { form: "pread FILE OFFSET", compile: pread }],
  [
    "punch",
    {
      form: "punch FILE OFFSET LEN",
      compile(context) {
        const { reader } = context;
        const fd = reader.value("a file, such as f");
        const offset = reader.length("an offset in pages");
        context.syscall(nr("fallocate"), [fd, exactly(FALLOC_PUNCH_HOLE), offset, reader.length()]);
      },
    },
  ],
  [
    "allocate",
    {
      form: "allocate FILE OFFSET LEN [keep-size]",
      compile(context) {
        const { reader } = context;
        const fd = reader.value("a file, such as f");
        const [offset, length] = [reader.length("an offset in pages"), reader.length()];
        const mode = exactly(reader.flags({ "keep-size": 1 }, "keep-size"));
        context.syscall(nr("fallocate"), [fd, mode, offset, length]);
      },
    },
  ],
  [
    "seal_file",
    {
      form: "seal_file FILE write|future-write|shrink|grow|seal...",
      compile(context) {
        const fd = context.reader.value("a file, such as f");
        const seals = context.reader.flags(FILE_SEALS, "write, future-write, shrink, grow or seal");
        context.syscall(nr("fcntl"), [fd, exactly(F_ADD_SEALS), exactly(seals)]);
      },
    },
  ],
];
