import { LIMITS, SIGNALS, SYSCALLS } from "./words.js";
import type { Context, Verb } from "./compiler.js";
import type { Actor, Expression } from "./names.js";
import { single } from "./verbs-keys.js";
import { ScenarioMistake } from "./mistake.js";

const nr = (name: string): number => SYSCALLS[name]!;
const exactly = (value: number | bigint): Expression => ({ name: null, constant: BigInt(value) });
const PR_SET_MDWE = 65;
const PR_SET_VMA = 0x53564d41;

/** Makes a child or a thread, and has it do the block. Without a name it ends with the block. */
function start(kind: Actor["kind"]): (context: Context) => void {
  return (context) => {
    const { reader, compiler, statement } = context;
    const token = reader.done ? null : reader.token("a name");
    const actor = compiler.actor(kind, token, statement.verb);
    context.emit({ op: kind === "child" ? "fork" : "thread", number: actor.mailbox, dest: actor.slot });
    if (statement.body !== null) give(context, actor);
    if (token !== null) return;
    end(context, actor, true);
    compiler.actors.delete(actor.name);
  };
}

function give(context: Context, actor: Actor): void {
  const block = context.compiler.block(context.statement.body!);
  context.emit({ op: "give", number: actor.mailbox, operands: [{ block }] });
}

function end(context: Context, actor: Actor, quiet: boolean): void {
  const child = actor.kind === "child";
  const last = single(context, child ? "exit" : "endthread");
  context.emit({ op: child ? "wait" : "join", number: actor.mailbox, quiet, operands: [{ block: last }] });
  actor.ended = true;
}

function find(context: Context, kind?: Actor["kind"]): Actor {
  const token = context.reader.token(kind === undefined ? "a child or a thread" : `a ${kind}`);
  const actor = context.compiler.actors.get(token.text);
  if (actor === undefined || actor.ended || (kind !== undefined && actor.kind !== kind))
    throw new ScenarioMistake(token, `there is no ${kind ?? "child or thread"} ${token.text} here`);
  return actor;
}

function rlimit(context: Context): void {
  const { reader } = context;
  const which = reader.choice(LIMITS, "a limit: as, data, stack, memlock, nofile");
  const value = reader.take("none")
    ? exactly(0xffff_ffff_ffff_ffffn)
    : reader.length("a limit in pages, or none");
  const address = context.scratch(0, value);
  const hard = reader.done ? value : reader.length("the hard limit");
  context.scratch(8, hard);
  context.syscall(nr("prlimit64"), [exactly(0), which, address, exactly(0)]);
}

function name(context: Context): void {
  const { reader } = context;
  const [address, length] = [reader.address(), reader.length()];
  const text = reader.take("none") ? exactly(0) : context.text(reader.text("a name").text);
  context.syscall(nr("prctl"), [exactly(PR_SET_VMA), exactly(0), address, length, text]);
}

function rawCall(context: Context): void {
  const { reader } = context;
  const call = reader.choice(SYSCALLS, "a system call's name or number");
  const args: Expression[] = [];
  while (!reader.done) {
    if (args.length === 6) throw reader.wrong("a system call takes six arguments at most");
    args.push(reader.value());
  }
  context.answer({ kind: "number" });
  context.syscall(Number(call.constant), args, context.target(null));
}

export const ACTOR_VERBS: readonly (readonly [string, Verb])[] = [
  ["child", { form: "child [NAME] { ... }", body: "optional", compile: start("child") }],
  ["thread", { form: "thread [NAME] { ... }", body: "optional", compile: start("thread") }],
  [
    "in",
    {
      form: "in NAME { ... }",
      body: "always",
      compile(context) {
        const exits = context.statement.body!.some(({ verb }) => verb.text === "exit");
        context.answer({ kind: "block", exits });
        give(context, find(context));
      },
    },
  ],
  [
    "wait",
    {
      form: "wait CHILD",
      compile(context) {
        context.answer({ kind: "status" });
        end(context, find(context, "child"), false);
      },
    },
  ],
  ["join", { form: "join THREAD", compile: (context) => end(context, find(context, "thread"), false) }],
  [
    "kill",
    {
      form: "kill CHILD SIGNAL",
      compile(context) {
        const actor = find(context, "child");
        context.syscall(nr("kill"), [
          { slot: actor.slot, constant: 0n },
          context.reader.choice(SIGNALS, "a signal"),
        ]);
      },
    },
  ],
  [
    "exit",
    {
      form: "exit [STATUS]",
      compile(context) {
        const status = context.reader.optionalValue(0n, "a status");
        context.answer({ kind: "block", exits: true });
        context.emit({ op: "exit", operands: [{ slot: status.name?.slot ?? 0, constant: status.constant }] });
      },
    },
  ],
  [
    "exec",
    {
      form: "exec",
      compile(context) {
        context.answer({ kind: "exec" });
        context.emit({ op: "exec" });
      },
    },
  ],
  [
    "mdwe",
    {
      form: "mdwe on|on-no-inherit|off|VALUE",
      compile(context) {
        const words = { on: 1, "on-no-inherit": 3, off: 0 };
        const bits = context.reader.choice(words, "on, on-no-inherit or off");
        context.syscall(nr("prctl"), [exactly(PR_SET_MDWE), bits, exactly(0), exactly(0), exactly(0)]);
      },
    },
  ],
  ["name", { form: 'name ADDR LEN "TEXT"|none', compile: name }],
  ["rlimit", { form: "rlimit as|data|stack|memlock|... LEN|none [HARD]", compile: rlimit }],
  [
    "drop_root",
    {
      form: "drop_root",
      compile(context) {
        context.syscall(nr("setuid"), [exactly(65534)]);
      },
    },
  ],
  ["syscall", { form: "[v =] syscall NAME|NUMBER [ARGUMENT...]", gives: true, compile: rawCall }],
];
