/** What a scenario's program printed, read but not yet put into words. */

/** A line of a step: `v` a result, `f` a fault, `w` a child's status, `b` bytes, `m` smaps, `s` a signal, `d`, `x`. */
export interface RawAnswer {
  readonly tag: string;
  readonly numbers: readonly bigint[];
  /** Of `m`: the text of /proc/self/smaps. Of `b`: hexadecimal digits. */
  readonly text: string;
}

export interface RawOutput {
  /** What uname said; empty where the program did not come so far. */
  readonly release: string;
  readonly hasKeys: boolean;
  readonly hasMseal: boolean;
  /** The value of the name `stack`. */
  readonly stack: bigint;
  /** In the order in which they were printed. */
  readonly answers: readonly { readonly step: number; readonly raw: RawAnswer }[];
  /** The program came to its end. */
  readonly ended: boolean;
}

const parseHex = (text: string): bigint => BigInt(`0x${text}`);

/** @param output all of standard output; lines that are no answers are passed over */
export function readOutput(output: string): RawOutput {
  let release = "";
  let stack = 0n;
  let [hasKeys, hasMseal, ended] = [false, false, false];
  const answers: { step: number; raw: RawAnswer }[] = [];
  const lines = output.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i]!;
    const start = /^K (\S+) ([01]) ([0-9a-f]+) ([0-9a-f]+)$/.exec(line);
    if (start !== null) {
      release = start[1]!;
      hasKeys = start[2] === "1";
      hasMseal = start[3] === "0";
      stack = parseHex(start[4]!);
      continue;
    }
    if (line === "E") ended = true;
    const answer = /^([0-9a-f]+) ([a-zA-Z])((?: [0-9a-f]+)*)$/.exec(line);
    if (answer === null) continue;
    const step = parseInt(answer[1]!, 16);
    const tag = answer[2]!;
    const words = answer[3]!.split(" ").filter((word) => word !== "");
    let text = words.join(" ");
    if (tag === "m") {
      const end = lines.findIndex((one, at) => at > i && one === `${answer[1]!} M`);
      const to = end < 0 ? lines.length : end;
      text = lines.slice(i + 1, to).join("\n");
      i = to;
    }
    answers.push({ step, raw: { tag, numbers: tag === "b" ? [] : words.map(parseHex), text } });
  }
  return { release, hasKeys, hasMseal, stack, answers, ended };
}
