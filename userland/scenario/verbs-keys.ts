import { RIGHTS, SIGNALS, SYSCALLS } from "./words.js";
import type { Context, Verb } from "./compiler.js";
import type { Expression } from "./names.js";
import { constant, type Block, type Operand } from "./table.js";
import { ScenarioMistake } from "./mistake.js";
import type { Token } from "./tokens.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });
const operand = ({ name, constant: value }: Expression): Operand => ({
  slot: name?.slot ?? 0,
  constant: value,
});

/** @throws ScenarioMistake where a number is no key of PKRU's */
function mustBeKey(token: Token, { name, constant: key }: Expression): void {
  if (name === null && (key < 0n || key > 15n))
    throw new ScenarioMistake(token, `expected a key from 0 to 15, not ${token.text.replace(/:.*/, "")}`);
}

/** `k:wd 0:ad` or a whole value. */
function setRights(context: Context, one: "setkey" | "framekey", whole: "wrpkru" | "framepkru"): void {
  const { reader, names } = context;
  if (reader.done) throw reader.wrong("expected KEY:RIGHTS, or PKRU's value");
  if (!reader.next!.text.includes(":")) {
    const token = reader.next!;
    const value = reader.value("KEY:RIGHTS, or PKRU's value");
    if (value.name === null && (value.constant < 0n || value.constant > 0xffff_ffffn))
      throw new ScenarioMistake(
        token,
        `PKRU has 32 bits: expected KEY:RIGHTS or its value, not ${token.text}`,
      );
    context.emit({ op: whole, operands: [operand(value)] });
    return;
  }
  const pairs: Operand[][] = [];
  while (!reader.done) {
    const token = reader.token("KEY:RIGHTS");
    const colon = token.text.indexOf(":");
    const rights = RIGHTS[token.text.slice(colon + 1)];
    if (colon < 1 || rights === undefined)
      throw new ScenarioMistake(token, `expected KEY:rw, KEY:wd, KEY:ad or KEY:ad+wd, not ${token.text}`);
    const key = names.expression({ ...token, text: token.text.slice(0, colon) }, 1, "a key");
    mustBeKey(token, key);
    pairs.push([operand(key), constant(rights)]);
  }
  pairs.forEach((operands, i) => context.emit({ op: one, quiet: i < pairs.length - 1, operands }));
}

/** All of PKRU, or one key's rights in it. */
function getRights(context: Context, op: "rdpkru" | "handlerpkru"): void {
  const { reader } = context;
  if (reader.done) context.answer({ kind: "pkru" });
  else {
    const token = reader.next!;
    const key = reader.value("a key");
    mustBeKey(token, key);
    context.answer({ kind: "rights", key });
  }
  context.emit({ op });
}

function on(context: Context): void {
  const { reader, statement, compiler } = context;
  const signal = reader.choice(SIGNALS, "a signal");
  const end: Operand = statement.body === null ? constant(0) : { block: compiler.block(statement.body) };
  context.emit({ op: "handler", number: Number(signal.constant), operands: [end] });
}

function sigaltstack(context: Context): void {
  const { reader } = context;
  const none = reader.take("none");
  const stack = context.scratch(0, none ? exactly(0) : reader.address());
  context.scratch(8, exactly(none ? 2 : 0));
  context.scratch(16, none ? exactly(0) : reader.length());
  context.syscall(nr("sigaltstack"), [stack, exactly(0)]);
}

export const KEY_VERBS: readonly (readonly [string, Verb])[] = [
  [
    "pkey_alloc",
    {
      form: "[k =] pkey_alloc [rw|wd|ad|ad+wd] [flags FLAGS]",
      gives: true,
      compile(context) {
        const { reader } = context;
        const rights =
          reader.done || reader.next!.text === "flags"
            ? exactly(0)
            : reader.choice(RIGHTS, "rights: rw, wd, ad or ad+wd");
        const flags = reader.take("flags") ? reader.value("flags as a number") : exactly(0);
        context.answer({ kind: "number" });
        context.syscall(nr("pkey_alloc"), [flags, rights], context.target(null));
      },
    },
  ],
  [
    "pkey_free",
    {
      form: "pkey_free KEY",
      compile: (context) => context.syscall(nr("pkey_free"), [context.reader.value("a key")]),
    },
  ],
  [
    "wrpkru",
    { form: "wrpkru KEY:RIGHTS... | wrpkru VALUE", compile: (c) => setRights(c, "setkey", "wrpkru") },
  ],
  ["rdpkru", { form: "rdpkru [KEY]", compile: (context) => getRights(context, "rdpkru") }],
  ["handler_pkru", { form: "handler_pkru [KEY]", compile: (context) => getRights(context, "handlerpkru") }],
  [
    "frame_pkru",
    {
      form: "frame_pkru KEY:RIGHTS... | frame_pkru VALUE | frame_pkru absent",
      compile(context) {
        if (context.reader.take("absent"))
          context.emit({ op: "framepkru", size: 1, operands: [constant(0)] });
        else setRights(context, "framekey", "framepkru");
      },
    },
  ],
  ["sigaltstack", { form: "sigaltstack ADDR LEN | sigaltstack none", compile: sigaltstack }],
  ["on", { form: "on SIGNAL { ... }", body: "optional", compile: on }],
  [
    "raise",
    {
      form: "raise SIGNAL",
      compile(context) {
        const signal = context.reader.choice(SIGNALS, "a signal");
        const thread = context.slot();
        context.quietly(nr("gettid"), [], thread);
        context.syscall(nr("tkill"), [{ slot: thread, constant: 0n }, signal]);
      },
    },
  ],
];

/** A block that holds one operation. */
export function single(context: Context, op: "exit" | "endthread", value = 0): Block {
  const block: Block = { records: [{ op, step: 0, quiet: true, operands: [constant(value)] }] };
  context.compiler.blocks.push(block);
  return block;
}
