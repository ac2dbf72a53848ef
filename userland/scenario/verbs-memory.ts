import {
  SYSCALLS,
  ADVICE,
  MLOCKALL_FLAGS,
  MMAP_FLAGS,
  MMAP_TYPES,
  MREMAP_FLAGS,
  MSYNC_FLAGS,
  PROT_EXTRA,
} from "./words.js";
import type { Context, Verb } from "./compiler.js";
import { PAGE, SCRATCH } from "./layout.js";
import type { Expression } from "./names.js";
import { constant, type Operand } from "./table.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });

/** Pages that a length covers, where it is a sensible number; for names of ranges. */
export function pagesOf(length: Expression): number | null {
  if (length.name !== null || length.constant <= 0n || length.constant > 1n << 40n) return null;
  return Number((length.constant + BigInt(PAGE - 1)) / BigInt(PAGE));
}

function mmap(context: Context): void {
  const { reader } = context;
  const first = reader.length("a length in pages, or an address and a length");
  const placed = !reader.isProtection() && !/^0x[0-9a-f]+$/i.test(reader.next?.text ?? "");
  if (placed && !reader.done && !/^\d|max/.test(reader.next!.text) && !reader.isName())
    throw reader.unexpected("a protection (none, or of r, w and x), or a length behind an address");
  const address = placed ? first : exactly(0);
  const length = placed ? reader.length() : first;
  const prot = reader.protection();
  let type: number | null = null;
  let flags = 0n;
  let descriptor: Expression | null = null;
  let offset = exactly(0);
  let anonymous = false;
  while (!reader.done) {
    if (reader.take("anon")) anonymous = true;
    else if (reader.take("fd")) {
      descriptor = reader.value("a file, such as f");
      if (!reader.done && /^(0x[0-9a-f]+|\d+)$/i.test(reader.next!.text))
        offset = reader.length("an offset in pages");
    } else if (reader.take("flags")) flags |= reader.flagNumber();
    else if (reader.next!.text in MMAP_TYPES) {
      const other = MMAP_TYPES[reader.next!.text]!;
      if (type !== null && type !== other)
        throw reader.unexpected("one of shared, private, validate, droppable and notype");
      type = other;
      reader.token("");
    } else
      flags |= reader.choice(
        { ...MMAP_FLAGS, anon: 0, fd: 0, ...MMAP_TYPES },
        "anon, fd FILE, shared or a flag",
      ).constant;
  }
  if (!anonymous && descriptor === null) throw reader.wrong("expected anon or fd FILE");
  if (!placed && (flags & 0x100010n) !== 0n)
    throw reader.wrong("fixed and noreplace need an address: expected one before the length");
  if (anonymous) flags |= 0x20n;
  flags |= BigInt(type ?? 2);
  if (placed) context.answer({ kind: "address", asked: address, near: null });
  const dest = context.target(pagesOf(length));
  context.syscall(
    nr("mmap"),
    [address, length, prot, exactly(flags), descriptor ?? exactly(-1), offset],
    dest,
  );
}

/** Of one `mincore`: what an answer has room for. */
const MOST_RESIDENT = 64;
/** Free pages on both sides of a room, and of the wall of inaccessible ones behind them that keeps others away. */
const AROUND = 256;
/** Pages of 2 MiB. */
const HUGE_PAGES = 512;

/** A stretch of free addresses, with free ones around it. */
function room(context: Context): void {
  const length = context.reader.length();
  const pages = pagesOf(length);
  if (pages === null || pages > 1 << 20) throw context.reader.wrong("expected a number of pages");
  if (context.reader.take("huge")) {
    const at = context.compiler.nextHugeRoom;
    context.compiler.nextHugeRoom += (Math.ceil(pages / HUGE_PAGES) + 2) * HUGE_PAGES * PAGE;
    context.emit({ op: "value", dest: context.target(pages), operands: [constant(at)] });
    return;
  }
  const whole = context.slot();
  const dest = context.target(pages);
  const bytes = (count: number): Expression => exactly(count * PAGE);
  const all = [exactly(0), bytes(pages + 4 * AROUND), exactly(0), exactly(0x4022), exactly(-1), exactly(0)];
  context.quietly(nr("mmap"), all, whole);
  const inner: Operand = { slot: whole, constant: BigInt(AROUND * PAGE) };
  context.quietly(nr("munmap"), [inner, bytes(pages + 2 * AROUND)]);
  context.emit({ op: "value", dest, operands: [{ slot: whole, constant: BigInt(2 * AROUND * PAGE) }] });
}

function mremap(context: Context): void {
  const { reader } = context;
  const old = reader.address();
  const oldLength = reader.length("the old length");
  const newLength = reader.length("the new length");
  let flags = 0n;
  let to = exactly(0);
  while (!reader.done) {
    if (reader.take("to")) to = reader.address("the new address");
    else if (reader.take("flags")) flags |= reader.flagNumber();
    else
      flags |= reader.choice(
        { ...MREMAP_FLAGS, to: 0, flags: 0 },
        "maymove, fixed, dontunmap or to ADDR",
      ).constant;
  }
  context.answer({ kind: "address", asked: to, near: null });
  const dest = context.target(pagesOf(newLength));
  context.syscall(nr("mremap"), [old, oldLength, newLength, exactly(flags), to], dest);
}

function protect(context: Context, withKey: boolean): void {
  const { reader } = context;
  const [address, length] = [reader.address(), reader.length()];
  const prot = reader.protection();
  const key = withKey ? [reader.value("a key: a name, a number or -1")] : [];
  const extra = reader.flags(PROT_EXTRA, "growsdown, growsup or sem");
  context.syscall(nr(withKey ? "pkey_mprotect" : "mprotect"), [
    address,
    length,
    { ...prot, constant: prot.constant | extra },
    ...key,
  ]);
}

function processMadvise(context: Context): void {
  const { reader, compiler } = context;
  const who = reader.token("self or a child's name");
  const actor = compiler.actors.get(who.text);
  if (who.text !== "self" && actor?.kind !== "child") throw reader.wrong(`there is no child ${who.text}`);
  const advice = reader.choice(ADVICE, "an advice");
  const parts: Expression[] = [];
  do parts.push(reader.address(), reader.length());
  while (!reader.done);
  const [pid, descriptor] = [context.slot(), context.slot()];
  if (actor === undefined) context.quietly(nr("getpid"), [], pid);
  const process: Operand = { slot: actor?.slot ?? pid, constant: 0n };
  context.quietly(nr("pidfd_open"), [process, exactly(0)], descriptor);
  parts.forEach((part, i) => context.scratch(8 * i, part));
  context.answer({ kind: "number" });
  const fd: Operand = { slot: descriptor, constant: 0n };
  context.syscall(nr("process_madvise"), [
    fd,
    constant(SCRATCH),
    exactly(parts.length / 2),
    advice,
    exactly(0),
  ]);
  context.quietly(nr("close"), [fd]);
}

/** A call of address and length, with a number of more arguments. */
function ranged(name: string, form: string, more?: (context: Context) => Expression[]): [string, Verb] {
  return [
    name,
    {
      form,
      compile(context) {
        const [address, length] = [context.reader.address(), context.reader.length()];
        context.syscall(nr(name), [address, length, ...(more?.(context) ?? [])]);
      },
    },
  ];
}

export const MEMORY_VERBS: readonly (readonly [string, Verb])[] = [
  [
    "mmap",
    { form: "[p =] mmap [ADDR] LEN PROT anon|fd FILE [OFFSET] [FLAG...]", gives: true, compile: mmap },
  ],
  ["room", { form: "p = room LEN [huge]", gives: true, compile: room }],
  ranged("munmap", "munmap ADDR LEN"),
  ["mprotect", { form: "mprotect ADDR LEN PROT", compile: (context) => protect(context, false) }],
  [
    "pkey_mprotect",
    { form: "pkey_mprotect ADDR LEN PROT KEY", compile: (context) => protect(context, true) },
  ],
  ranged("mseal", "mseal ADDR LEN [FLAGS]", ({ reader }) => [reader.optionalValue(0n, "flags as a number")]),
  ranged("madvise", "madvise ADDR LEN ADVICE", ({ reader }) => [reader.choice(ADVICE, "an advice")]),
  [
    "mremap",
    {
      form: "[q =] mremap ADDR OLD NEW [maymove] [fixed] [dontunmap] [to ADDR]",
      gives: true,
      compile: mremap,
    },
  ],
  [
    "brk",
    {
      form: "[h =] brk [ADDR]",
      gives: true,
      compile(context) {
        const address = context.reader.done ? exactly(0) : context.reader.address();
        const asks = address.name === null && address.constant === 0n;
        context.answer(asks ? { kind: "outcome" } : { kind: "address", asked: address, near: address.name });
        context.syscall(nr("brk"), [address], context.target(null));
      },
    },
  ],
  ranged("mlock", "mlock ADDR LEN"),
  ranged("mlock2", "mlock2 ADDR LEN FLAGS", ({ reader }) => [
    reader.choice({ onfault: 1 }, "onfault or a number"),
  ]),
  ranged("munlock", "munlock ADDR LEN"),
  [
    "mlockall",
    {
      form: "mlockall current|future|onfault...",
      compile(context) {
        context.syscall(nr("mlockall"), [
          exactly(context.reader.flags(MLOCKALL_FLAGS, "current, future or onfault")),
        ]);
      },
    },
  ],
  ["munlockall", { form: "munlockall", compile: (context) => context.syscall(nr("munlockall"), []) }],
  ranged("msync", "msync ADDR LEN [sync|async|invalidate...]", ({ reader }) => [
    exactly(reader.flags(MSYNC_FLAGS, "sync, async or invalidate")),
  ]),
  [
    "mincore",
    {
      form: "mincore ADDR LEN",
      compile(context) {
        const [address, length] = [context.reader.address(), context.reader.length()];
        const pages = pagesOf(length) ?? 1;
        if (pages > MOST_RESIDENT)
          throw context.reader.wrong(`expected a length of at most ${MOST_RESIDENT} pages`);
        for (let i = 0; i < pages; i += 8) context.scratch(i, exactly(0));
        context.answer({ kind: "resident" });
        context.syscall(nr("mincore"), [address, length, constant(SCRATCH)]);
        context.emit({ op: "dump", number: pages, operands: [constant(SCRATCH)] });
      },
    },
  ],
  [
    "process_madvise",
    { form: "process_madvise self|CHILD ADVICE ADDR LEN [ADDR LEN...]", compile: processMadvise },
  ],
];
