import type { Context, Verb } from "./compiler.js";
import type { Expression } from "./names.js";
import type { Operand } from "./table.js";
import { SYSCALLS } from "./words.js";

/*
 * userfaultfd(2) without anybody who answers faults: a scenario's userfaultfd always has UFFD_FEATURE_SIGBUS, so that a
 * fault it is to be told of is SIGBUS.
 */

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });

const UFFD_USER_MODE_ONLY = 1;
const UFFD_API = 0xaa;
const SIGBUS = 1 << 7;
const FEATURES = { exact: 1 << 11, "wp-unpopulated": 1 << 13, "wp-async": 1 << 15 };
const MODES = { missing: 1, wp: 2, minor: 4 };
const DONTWAKE = 1;

const UFFDIO = {
  api: 0xc018aa3f,
  register: 0xc020aa00,
  unregister: 0x8010aa01,
  copy: 0xc028aa03,
  zeropage: 0xc020aa04,
  move: 0xc028aa05,
  writeprotect: 0xc018aa06,
  continue: 0xc020aa07,
  poison: 0xc020aa08,
} as const;

/** An ioctl of a structure of 8-byte fields; those that are left out are 0. */
function ask(
  context: Context,
  fd: Expression | Operand,
  request: number,
  fields: readonly Expression[],
): void {
  const all = [...fields, ...Array<Expression>(5 - fields.length).fill(exactly(0))];
  const at = all.map((field, i) => context.scratch(8 * i, field))[0]!;
  context.syscall(nr("ioctl"), [fd, exactly(request), at]);
}

function open(context: Context): void {
  const features = context.reader.flags(FEATURES, "exact, wp-unpopulated or wp-async") | BigInt(SIGBUS);
  const slot = context.target(null) || context.slot();
  context.quietly(nr("userfaultfd"), [exactly(UFFD_USER_MODE_ONLY)], slot);
  ask(context, { slot, constant: 0n }, UFFDIO.api, [exactly(UFFD_API), exactly(features)]);
}

/** `VERB UFFD [SOURCE...] ADDR LEN [MODE...]`, in the order of the structure's fields. */
function ranged(
  name: string,
  request: number,
  modes: Readonly<Record<string, number>>,
  addresses: "ADDR" | "TO FROM" = "ADDR",
): readonly [string, Verb] {
  const words = Object.keys(modes);
  const form = `${name} UFFD ${addresses} LEN${words.length === 0 ? "" : ` [${words.join("] [")}]`}`;
  return [
    name,
    {
      form,
      compile(context) {
        const { reader } = context;
        const fd = reader.value("a userfaultfd, such as u");
        const fields = [reader.address()];
        if (addresses !== "ADDR") fields.push(reader.address("where from"));
        fields.push(reader.length());
        if (words.length > 0) fields.push(exactly(reader.flags(modes, words.join(" or "))));
        ask(context, fd, request, fields);
      },
    },
  ];
}

export const USERFAULT_VERBS: readonly (readonly [string, Verb])[] = [
  [
    "userfaultfd",
    { form: "u = userfaultfd [exact] [wp-unpopulated] [wp-async]", gives: true, compile: open },
  ],
  ranged("uffd_register", UFFDIO.register, MODES),
  ranged("uffd_unregister", UFFDIO.unregister, {}),
  ranged("uffd_copy", UFFDIO.copy, { dontwake: DONTWAKE, wp: 2 }, "TO FROM"),
  ranged("uffd_move", UFFDIO.move, { dontwake: DONTWAKE, holes: 2 }, "TO FROM"),
  ranged("uffd_zeropage", UFFDIO.zeropage, { dontwake: DONTWAKE }),
  ranged("uffd_protect", UFFDIO.writeprotect, { wp: 1, dontwake: 2 }),
  ranged("uffd_continue", UFFDIO.continue, { dontwake: DONTWAKE, wp: 2 }),
  ranged("uffd_poison", UFFDIO.poison, { dontwake: DONTWAKE }),
];
