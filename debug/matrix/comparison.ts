import { answerAt, type Answer, type Matrix } from "./answers.js";
import type { Memory, Protection, State } from "./dimensions.js";
import { KEYS, MEMORIES, PROTECTIONS } from "./dimensions.js";
import type { Operation } from "./operation.js";
import { outcomeOf, UNREAD, type Outcome } from "./outcome.js";
import type { Topic } from "./topics/topic.js";

/** One side of a table: whose answers they are. */
export interface Side {
  /** `6.18`, or a file's name. */
  readonly name: string;
  /** `judged by Linux 6.18.44`, `derived from the rules`. */
  readonly standing: string;
  readonly matrix: Matrix;
}

/** One matrix, or two next to each other. */
export class Comparison {
  constructor(
    readonly topic: Topic,
    readonly sides: readonly Side[],
  ) {}

  answers(state: State, operation: number): readonly Answer[] {
    return this.sides.map(({ matrix }) => answerAt(matrix, stateIndex(state), operation));
  }

  /** What became of it on each side; where one side could not read what the other one could, as that one has it. */
  outcomes(state: State, operation: number): readonly Outcome[] {
    const outcomes = this.answers(state, operation).map((answer) =>
      outcomeOf(this.topic, this.topic.operations[operation]!, answer),
    );
    if (outcomes.length < 2 || this.differs(state, operation)) return outcomes;
    const read = outcomes.find(({ letter }) => letter !== UNREAD) ?? outcomes[0]!;
    return outcomes.map(() => read);
  }

  /** Whether the sides part there; not where one of them only could not read the content. */
  differs(state: State, operation: number): boolean {
    const [first, second] = this.answers(state, operation) as [Answer, Answer?];
    if (second === undefined) return false;
    const same = [...first.contents].every((letter, i) => {
      const other = second.contents[i]!;
      return letter === other || (letter === "?" && other !== "-") || (other === "?" && letter !== "-");
    });
    return (
      !same || JSON.stringify({ ...first, contents: "" }) !== JSON.stringify({ ...second, contents: "" })
    );
  }

  /** A letter for each key, of each side. */
  letters(memory: Memory, protection: Protection, sealed: boolean, operation: number): string[] {
    return this.sides.map((_, side) =>
      KEYS.map((key) => this.outcomes({ memory, protection, key, sealed }, operation)[side]!.letter).join(""),
    );
  }

  /** Operations that have the same outcomes everywhere, together; in the topic's order. */
  groups(): { readonly first: Operation; readonly members: readonly number[] }[] {
    const groups = new Map<string, number[]>();
    this.topic.operations.forEach((_, operation) => {
      const all = MEMORIES.flatMap((memory) =>
        PROTECTIONS.flatMap((protection) =>
          [false, true].map((sealed) => this.letters(memory, protection, sealed, operation).join("|")),
        ),
      ).join(" ");
      groups.set(all, [...(groups.get(all) ?? []), operation]);
    });
    return [...groups.values()].map((members) => ({ first: this.topic.operations[members[0]!]!, members }));
  }
}

/** The place of a state in the program's rows. */
function stateIndex({ memory, protection, key, sealed }: State): number {
  const row = MEMORIES.indexOf(memory) * PROTECTIONS.length + PROTECTIONS.indexOf(protection);
  return (row * KEYS.length + KEYS.indexOf(key)) * 2 + (sealed ? 1 : 0);
}
