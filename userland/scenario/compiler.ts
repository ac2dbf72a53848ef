import { MAX_ACTORS, SCRATCH } from "./layout.js";
import { ScenarioMistake, type Mistake } from "./mistake.js";
import { Names, type Actor, type Expression, type Name } from "./names.js";
import { readPattern } from "./pattern.js";
import { Reader } from "./reader.js";
import { expectedText, type AnswerKind, type Step } from "./step.js";
import type { Statement } from "./syntax.js";
import { constant, type Block, type Operand, type TableRecord } from "./table.js";
import type { Token } from "./tokens.js";

/** What a statement may be: its form, for who got it wrong, and what it becomes. */
export interface Verb {
  /** `madvise ADDR LEN ADVICE`. */
  readonly form: string;
  /** It may stand behind `NAME =`. */
  readonly gives?: boolean;
  /** It has a body in braces: always, never (where left out), or as the statement likes. */
  readonly body?: "always" | "optional";
  compile(context: Context): void;
}

/** Makes the records of one scenario. */
export class Compiler {
  readonly names = new Names();
  readonly steps: Step[] = [];
  readonly blocks: Block[] = [];
  readonly texts: Uint8Array[] = [];
  readonly actors = new Map<string, Actor>();
  /** Where the next room of huge pages lies: far from all that the kernel chooses a place for. */
  nextHugeRoom = 0x40000000;
  /** Every actor, also of those without a name. */
  private mailboxes = 0;

  constructor(
    private readonly verbs: ReadonlyMap<string, Verb>,
    private readonly unknown: (token: Token) => string,
    private readonly mistakes: Mistake[],
  ) {}

  /** Compiles statements to a block of their own. */
  block(statements: readonly Statement[]): Block {
    const block: Block = { records: [] };
    this.blocks.push(block);
    for (const statement of statements) {
      try {
        this.statement(statement, block);
      } catch (error) {
        if (!(error instanceof ScenarioMistake)) throw error;
        this.mistakes.push({ ...error.place, message: error.message });
        // What it would have named is no second mistake.
        if (statement.target !== null && !this.names.all.has(statement.target.text))
          this.forgive(statement.target);
      }
    }
    return block;
  }

  private forgive(target: Token): void {
    if (this.names.allows(target.text)) this.names.define(target, 1);
  }

  private statement(statement: Statement, block: Block): void {
    const verb = this.verbs.get(statement.verb.text);
    if (verb === undefined) throw new ScenarioMistake(statement.verb, this.unknown(statement.verb));
    if (statement.target !== null && verb.gives !== true)
      throw new ScenarioMistake(
        statement.target,
        `${statement.verb.text} gives no value to name (${verb.form})`,
      );
    if (statement.body === null && verb.body === "always")
      throw new ScenarioMistake(statement.end, `expected { and what is to be done (${verb.form})`);
    if (statement.body !== null && verb.body === undefined)
      throw new ScenarioMistake(statement.end, `${statement.verb.text} takes no block (${verb.form})`);
    const context = new Context(this, statement, new Reader(statement, this.names, verb.form), block);
    verb.compile(context);
    context.reader.finish();
    context.close();
  }

  actor(kind: Actor["kind"], token: Token | null, place: Token): Actor {
    if (this.mailboxes >= MAX_ACTORS)
      throw new ScenarioMistake(place, `more than ${MAX_ACTORS} children and threads`);
    const name = token?.text ?? `${kind} ${this.mailboxes + 1}`;
    const known = this.actors.get(name);
    if (known !== undefined && !known.ended)
      throw new ScenarioMistake(place, `there is a ${known.kind} ${name} already`);
    const slot = token === null ? this.names.anonymous(place) : this.names.define(token, null).slot;
    const actor: Actor = { name, kind, mailbox: this.mailboxes++, slot, ended: false };
    this.actors.set(name, actor);
    return actor;
  }
}

/** One statement while it is compiled. */
export class Context {
  private answerKind: AnswerKind = { kind: "outcome" };
  private accessed: Expression | null = null;
  private targetName: Name | null = null;
  private readonly index: number;
  private closed = false;

  constructor(
    readonly compiler: Compiler,
    readonly statement: Statement,
    readonly reader: Reader,
    readonly records: Block,
  ) {
    this.index = compiler.steps.length + 1;
    // Its place in the order; the step itself follows in close().
    compiler.steps.push(undefined as unknown as Step);
  }

  get names(): Names {
    return this.compiler.names;
  }

  answer(kind: AnswerKind): void {
    this.answerKind = kind;
  }

  /** A fault's address is told where it is another one. */
  access(address: Expression): void {
    this.accessed = address;
  }

  /** Gives the name before the `=` its slot; after the arguments are read, for they may use the old value. */
  target(pages: number | null): number {
    if (this.statement.target === null) return 0;
    this.targetName = this.names.define(this.statement.target, pages);
    return this.targetName.slot;
  }

  emit(record: Omit<TableRecord, "step">): void {
    this.records.records.push({ step: this.index, ...record });
  }

  /** A system call that is the step's answer. */
  syscall(number: number, args: readonly (Expression | Operand)[], dest = 0): void {
    this.emit({ op: "syscall", number, dest, operands: args.map(operandOf) });
  }

  /** A system call on the way to the answer; its result is in the slot given. */
  quietly(number: number, args: readonly (Expression | Operand)[], dest = 0): void {
    this.emit({ op: "syscall", number, dest, quiet: true, operands: args.map(operandOf) });
  }

  /** Writes a value to the program's own scratch memory, at so many bytes; gives its address. */
  scratch(offset: number, value: Expression | Operand): Operand {
    const address = constant(SCRATCH + offset);
    this.emit({ op: "poke", operands: [address, operandOf(value)] });
    return address;
  }

  /** A text with a NUL behind it in the program's memory. */
  text(text: string): Operand {
    return { text: this.compiler.texts.push(new TextEncoder().encode(`${text}\0`)) - 1 };
  }

  slot(): number {
    return this.names.anonymous(this.statement.verb);
  }

  /** What `maps` looks at: from an address on so many bytes. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    const { statement, compiler } = this;
    const expected =
      statement.expected?.map((alternative) => ({
        from: alternative.from,
        pattern: readPattern(alternative.tokens, this.answerKind, compiler.names),
        text: expectedText(alternative),
      })) ?? null;
    const ranges = [...compiler.names.all.values()].flatMap((name): [Name, number][] =>
      name.pages === null ? [] : [[name, name.pages]],
    );
    compiler.steps[this.index - 1] = {
      index: this.index,
      line: statement.line,
      column: statement.column,
      text: statement.text,
      answer: this.answerKind,
      target: this.targetName,
      access: this.accessed,
      expected,
      ranges,
    };
  }
}

export function operandOf(value: Expression | Operand): Operand {
  if ("constant" in value && "name" in value)
    return { slot: value.name?.slot ?? 0, constant: value.constant };
  return value;
}
