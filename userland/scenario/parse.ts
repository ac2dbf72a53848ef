import { ScenarioMistake, type Mistake, type Place } from "./mistake.js";
import { releaseNumber, type Alternative, type Need, type Scenario, type Statement } from "./syntax.js";
import { tokenize, type Token } from "./tokens.js";

/** More statements than this after `for` has been written out are a mistake of the scenario's. */
const MOST_STATEMENTS = 5000;

/**
 * Reads a scenario's text. Every mistake that can be told is told: after one the reader goes on with the next
 * statement.
 */
export function parse(source: string): { scenario: Scenario; mistakes: Mistake[] } {
  const mistakes: Mistake[] = [];
  const parser = new Parser(tokenize(source, mistakes), mistakes, { statements: 0 });
  const scenario = parser.scenario();
  return { scenario, mistakes };
}

class Parser {
  private at = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly mistakes: Mistake[],
    /** Shared by the readers of all blocks. */
    private readonly count: { statements: number },
  ) {}

  scenario(): Scenario {
    const needs: Need[] = [];
    const statements = this.statements(needs);
    return { needs, statements };
  }

  private get token(): Token | undefined {
    return this.tokens[this.at];
  }

  private statements(needs: Need[] | null): Statement[] {
    const statements: Statement[] = [];
    while (this.token !== undefined) {
      if (this.token.kind === "end") {
        this.at++;
        continue;
      }
      const from = this.at;
      try {
        this.statement(statements, needs);
      } catch (error) {
        if (!(error instanceof ScenarioMistake)) throw error;
        this.mistakes.push({ ...error.place, message: error.message });
        this.at = Math.max(this.at, from + 1);
        this.recover();
      }
    }
    return statements;
  }

  /** To the line's end; over a block that begins in it. */
  private recover(): void {
    let depth = 0;
    for (; this.token !== undefined; this.at++) {
      if (this.token.kind === "open") depth++;
      if (this.token.kind === "close") depth--;
      if (this.token.kind === "end" && depth <= 0) return;
    }
  }

  private statement(statements: Statement[], needs: Need[] | null): void {
    const first = this.word("a statement, such as: p = mmap 4 rw anon");
    if (first.text === "needs") this.needs(first, needs);
    else if (first.text === "for") this.loop(first, statements);
    else {
      const statement = this.plain(first);
      if (++this.count.statements > MOST_STATEMENTS)
        throw new ScenarioMistake(first, `more than ${MOST_STATEMENTS} statements`);
      statements.push(statement);
    }
  }

  private plain(first: Token): Statement {
    let target: Token | null = null;
    let verb = first;
    if (this.token?.kind === "equals") {
      target = first;
      this.at++;
      verb = this.word("what gives the value, such as: mmap 4 rw anon");
    }
    const args: Token[] = [];
    while (this.token?.kind === "word" || this.token?.kind === "text" || this.token?.kind === "comma") {
      args.push(this.token);
      this.at++;
    }
    let body: Statement[] | null = null;
    let expected: Alternative[] | null = null;
    const end = this.here();
    if (this.token?.kind === "open") body = this.block().statements(null);
    if (this.token?.kind === "arrow") {
      this.at++;
      expected = this.alternatives();
    }
    this.finish();
    const words = [...(target === null ? [] : [target.text, "="]), verb.text, ...args.map(written)];
    return {
      line: first.line,
      column: first.column,
      text: words.join(" ").replaceAll(" ,", ","),
      target,
      verb,
      args,
      end,
      expected,
      body,
    };
  }

  /** `A, B from 6.17`; a comma before something without `from` belongs to the expectation (`rw-p 2, r--p 2`). */
  private alternatives(): Alternative[] {
    const parts: Token[][] = [[]];
    while (this.token !== undefined && this.token.kind !== "end" && this.token.kind !== "close") {
      if (this.token.kind === "open" || this.token.kind === "arrow" || this.token.kind === "text")
        throw new ScenarioMistake(this.token, `unexpected ${this.token.text} in what is expected`);
      if (this.token.text === "|") parts.push([]);
      else parts[parts.length - 1]!.push(this.token);
      this.at++;
    }
    let last = 0;
    return parts.map((tokens, i): Alternative => {
      const from = tokens.findIndex((token) => token.text === "from");
      const place = tokens[0] ?? this.here();
      if (i === 0 && from < 0 && tokens.length > 0) return { from: null, tokens };
      const release = from < 0 ? NaN : releaseNumber(tokens[from + 1]?.text ?? "");
      if (tokens.length === 0)
        throw new ScenarioMistake(place, "expected what the answer is: ok, EPERM, 7, SIGSEGV accerr, ?, any");
      if (i === 0) throw new ScenarioMistake(place, "the first answer is every release's: it takes no from");
      const named = from < 0 ? undefined : tokens[from + 1];
      if (named !== undefined && Number.isNaN(release))
        throw new ScenarioMistake(named, `expected a release, such as 6.17, not ${named.text}`);
      if (Number.isNaN(release) || from !== tokens.length - 2 || from === 0)
        throw new ScenarioMistake(
          place,
          "expected an answer and the release it begins with: | EINVAL from 6.17",
        );
      if (release <= last) throw new ScenarioMistake(named!, "expected a later release than the one before");
      last = release;
      return { from: release, tokens: tokens.slice(0, from) };
    });
  }

  private needs(verb: Token, needs: Need[] | null): void {
    if (needs === null)
      throw new ScenarioMistake(verb, "needs belongs to the whole scenario: not into a block");
    const what = this.word("what is needed: keys, mseal, hugepages 4 or kernel >= 6.17");
    if (what.text === "keys" || what.text === "mseal") needs.push({ kind: what.text });
    else if (what.text === "kernel") {
      const relation = this.word(">= or <");
      if (relation.text !== ">=" && relation.text !== "<")
        throw new ScenarioMistake(relation, `expected >= or <, not ${relation.text}`);
      const release = this.word("a release, such as 6.17");
      if (Number.isNaN(releaseNumber(release.text)))
        throw new ScenarioMistake(release, `expected a release, such as 6.17, not ${release.text}`);
      needs.push({ kind: "kernel", relation: relation.text, release: releaseNumber(release.text) });
    } else if (what.text === "hugepages") {
      const count = this.word("a number of huge pages, such as 4");
      if (!/^[1-9]\d{0,2}$/.test(count.text))
        throw new ScenarioMistake(count, `expected a number of huge pages, such as 4, not ${count.text}`);
      needs.push({ kind: "hugepages", count: Number(count.text) });
    } else
      throw new ScenarioMistake(
        what,
        `expected keys, mseal, hugepages 4 or kernel >= 6.17, not ${what.text}`,
      );
    this.finish();
  }

  /** `for $a $b in r EPERM, rw ok { ... }`: the body once for each group, its words put in. */
  private loop(verb: Token, statements: Statement[]): void {
    const names: Token[] = [];
    while (this.token?.kind === "word" && this.token.text !== "in") {
      if (!/^\$[A-Za-z_]\w*$/.test(this.token.text))
        throw new ScenarioMistake(this.token, `expected a variable, such as $prot, not ${this.token.text}`);
      names.push(this.token);
      this.at++;
    }
    if (names.length === 0) throw new ScenarioMistake(this.here(), "expected a variable, such as $prot");
    const word = this.word("in");
    if (word.text !== "in") throw new ScenarioMistake(word, `expected in, not ${word.text}`);
    while (this.tokens[this.at]?.kind === "end") this.at++;
    const groups = this.groups(names.length);
    if (this.token?.kind !== "open")
      throw new ScenarioMistake(this.here(), "expected { and what is to be done");
    const tokens = this.blockTokens();
    this.finish();
    groups.forEach((group, i) => {
      const values = new Map(names.map((name, index) => [name.text, group[index]!]));
      const put = tokens.flatMap((token) => substitute(token, values));
      // Each mistake once, not once a group.
      const own = i === 0 ? this.mistakes : [];
      statements.push(...new Parser(put, own, this.count).statements(null));
    });
    if (groups.length === 0) throw new ScenarioMistake(verb, "for without a value: nothing would be done");
  }

  /** The values: of one variable words; of several, words in groups with commas between. */
  private groups(size: number): Token[][] {
    const groups: Token[][] = [];
    let group: Token[] = [];
    const close = (place: Place): void => {
      if (group.length === 0) throw new ScenarioMistake(place, "expected a value");
      if (size === 1) groups.push(...group.map((token) => [token]));
      else if (group.length === size) groups.push(group);
      else
        throw new ScenarioMistake(
          group[0]!,
          `expected ${size} values in each group, and this has ${group.length}`,
        );
      group = [];
    };
    while (this.token?.kind === "word" || this.token?.kind === "text" || this.token?.kind === "comma") {
      if (this.token.kind === "comma") close(this.token);
      else group.push(this.token);
      this.at++;
      // The groups may go on in the next line.
      while (this.tokens[this.at]?.kind === "end" && this.tokens[this.at - 1]?.kind === "comma") this.at++;
    }
    close(this.here());
    return groups;
  }

  private block(): Parser {
    return new Parser(this.blockTokens(), this.mistakes, this.count);
  }

  /** What is between the braces; goes behind the closing one. */
  private blockTokens(): Token[] {
    const open = this.token!;
    const from = ++this.at;
    for (let depth = 1; this.token !== undefined; this.at++) {
      if (this.token.kind === "open") depth++;
      if (this.token.kind === "close") depth--;
      if (depth === 0) {
        const inner = this.tokens.slice(from, this.at);
        this.at++;
        return inner;
      }
    }
    // What is in it is read as if it were outside, for the mistakes that it may have.
    this.at = from;
    throw new ScenarioMistake(open, "this { has no }");
  }

  private word(expected: string): Token {
    const token = this.token;
    if (token?.kind !== "word") {
      const found = token === undefined || token.kind === "end" ? "" : `, not ${token.text}`;
      throw new ScenarioMistake(this.here(), `expected ${expected}${found}`);
    }
    this.at++;
    return token;
  }

  private here(): Place {
    const token = this.token ?? this.tokens[this.tokens.length - 1];
    return token === undefined ? { line: 1, column: 1 } : { line: token.line, column: token.column };
  }

  private finish(): void {
    if (this.token === undefined || this.token.kind === "end") return;
    throw new ScenarioMistake(this.token, `expected the end of the statement, not ${this.token.text}`);
  }
}

function written(token: Token): string {
  return token.kind === "text" ? `"${token.text}"` : token.text;
}

/** Puts values in the place of variables; a text that stands alone becomes as many words as it has. */
function substitute(token: Token, values: ReadonlyMap<string, Token>): Token[] {
  if (token.kind !== "word" && token.kind !== "text") return [token];
  const whole = values.get(token.text);
  if (whole?.kind === "text" && token.kind === "word")
    return whole.text.split(/\s+/).map((text) => ({ ...token, text }));
  const text = token.text.replace(/\$[A-Za-z_]\w*/g, (name) => values.get(name)?.text ?? name);
  return [{ ...token, text }];
}
