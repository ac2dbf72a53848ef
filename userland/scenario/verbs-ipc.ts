import type { Context, Verb } from "./compiler.js";
import type { Expression } from "./names.js";
import { SYSCALLS } from "./words.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });

const IPC_CREAT_RW = 0o1600;
const IPC_RMID = 0;
const KINDS = { hugetlb: 0o4000, noreserve: 0o10000 };
const ATTACHING = { ro: 0o10000, rnd: 0o20000, remap: 0o40000, exec: 0o100000 };

function attach(context: Context): void {
  const { reader } = context;
  const id = reader.value("a segment, such as s");
  const placed = !reader.done && !(reader.next!.text in ATTACHING);
  const address = placed ? reader.address() : exactly(0);
  const flags = reader.flags(ATTACHING, "ro, rnd, remap or exec");
  context.answer({ kind: "address", asked: address, near: address.name });
  const dest = context.target(null);
  context.syscall(nr("shmat"), [id, address, exactly(flags)], dest);
}

/** Shared memory of System V. */
export const IPC_VERBS: readonly (readonly [string, Verb])[] = [
  [
    "shmget",
    {
      form: "s = shmget LEN [hugetlb] [noreserve]",
      gives: true,
      compile(context) {
        const length = context.reader.length();
        const flags = context.reader.flags(KINDS, "hugetlb or noreserve") | BigInt(IPC_CREAT_RW);
        context.syscall(nr("shmget"), [exactly(0), length, exactly(flags)], context.target(null));
      },
    },
  ],
  ["shmat", { form: "[p =] shmat SEGMENT [ADDR] [ro] [rnd] [remap] [exec]", gives: true, compile: attach }],
  [
    "shmdt",
    {
      form: "shmdt ADDR",
      compile: (context) => context.syscall(nr("shmdt"), [context.reader.address()]),
    },
  ],
  [
    "shmrm",
    {
      form: "shmrm SEGMENT",
      compile(context) {
        const id = context.reader.value("a segment, such as s");
        context.syscall(nr("shmctl"), [id, exactly(IPC_RMID), exactly(0)]);
      },
    },
  ],
];
