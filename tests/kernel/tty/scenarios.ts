/** What is done to a terminal in the recorded comparison: operations for tests/recorded/tty/player.c, one a line. */

import { SeededRandom } from "../../../debug/seeded-random.js";

export const hex = (text: string): string => Buffer.from(text, "latin1").toString("hex");
const type = (text: string): string => `type ${hex(text)}`;
const print = (text: string): string => `print ${hex(text)}`;
/** What the terminal shows, and what a program finds. */
const SHOW = ["screen ffff", "waiting", "poll"];
const COOKED = { input: 0x500, output: 0x5, local: 0x8a3b };
const set = (change: Partial<typeof COOKED>, how = 0): string => {
  const { input, output, local } = { ...COOKED, ...change };
  return ["set", how, input, output, local]
    .map((part) => (typeof part === "number" ? part.toString(16) : part))
    .join(" ");
};
const ISIG = 1;
const ICANON = 2;
const ECHO = 8;
const ECHOE = 0x10;
const ECHOK = 0x20;
const ECHONL = 0x40;
const NOFLSH = 0x80;
const ECHOCTL = 0x200;
const ECHOPRT = 0x400;
const ECHOKE = 0x800;
const IEXTEN = 0x8000;
const VMIN = 6;
const VTIME = 5;
const VEOL = 0xb;
const VEOL2 = 0x10;

const LINES = [
  "hello\r",
  "one\rtwo\rthree",
  "ab\x7fc\r",
  "a\tb\x7f\x7f\x7fz\r",
  "\t\t\x7fx\x7f\x7f\r",
  "word another_one  last\x17\x17more\r",
  "kill this\x15kept\r",
  "\x16\x03lit\x16\x16\r",
  "re\x01print\x12done\r",
  "eof\x04\x04tail\r",
  "\x04",
  "ctl\x01\x02\x7f\x7f\x7f\r",
  "caf\xc3\xa9\x7f\x7f\r",
  "\xff\xfe\x80\r",
  "abc\x03def\r",
  "abc\x1cdef\x1aghi\r",
  "stop\x13held\x11go\r",
  "a\nb\rc\r\n",
];

function edits(): string[] {
  const locals = [
    COOKED.local,
    ISIG | ICANON,
    ISIG | ICANON | ECHO,
    ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
    ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOPRT | IEXTEN | ECHOCTL,
    ICANON | ECHO | ECHOK | ECHOCTL | IEXTEN,
    ICANON | ECHONL | IEXTEN,
    COOKED.local | NOFLSH,
    ECHO | ECHOCTL,
    ISIG | ECHO | ECHOE | ECHOKE,
    0,
  ];
  const lines: string[] = [];
  for (const local of locals)
    for (const line of LINES)
      lines.push("new", set({ local }), type(line), ...SHOW, "read ffff", "read ffff");
  return lines;
}

function inputModes(): string[] {
  const lines: string[] = [];
  for (const input of [0, 0x40, 0x80, 0x100, 0x1c0, 0x20, 0x200, 0x8, 0xc00, 0x500, 0x4500, 0x4d08])
    for (const local of [COOKED.local, 0, ECHO])
      for (const line of ["A\rB\nC\r\n\xff\xe1x", "p\x13q\x11r\r", "\xc3\xa9\xe2\x82\xac\x7f\x17z\r"])
        lines.push(
          "new",
          set({ input, local }),
          type(line),
          print("out\n"),
          ...SHOW,
          "read ffff",
          "read ffff",
        );
  return lines;
}

function outputModes(): string[] {
  const lines: string[] = [];
  for (const output of [0, 1, 5, 3, 9, 0x11, 0x21, 0x31, 0x1801, 0x1805, 0x2d, 0x3f])
    lines.push(
      "new",
      set({ output }),
      print("a\tb\n\rc\r\nabcdefghi\tj\bk\x01\n"),
      print("\r\r\n\tx"),
      type("\ttab\x7f\x7f\x7f\x7f\x15\r"),
      ...SHOW,
    );
  return lines;
}

function reads(): string[] {
  return [
    ...["new", type("abc\rdef\rgh"), "waiting", "read 2", "read 1", "read 1", "read ffff", "read ffff"],
    ...["new", type("abc\x04"), "waiting", "read 3", "read 3"],
    ...["new", type("abc\x04\x04"), "waiting", "read 3", "read 3", "read 3"],
    ...["new", type("abc"), set({ local: 0 }), "waiting", "poll", "read ffff"],
    ...[
      "new",
      set({ local: 0 }),
      type("ab\rcd"),
      set({}),
      "waiting",
      "poll",
      "read ffff",
      type("x\r"),
      "read ffff",
    ],
    ...[
      "new",
      type("one\rtwo\rth"),
      "read 1",
      set({ local: 0 }),
      "read ffff",
      set({}),
      type("z\r"),
      "read ffff",
    ],
    ...["new", set({ local: 0 }), `key ${VMIN} 0`, "read 10", type("abc"), "read 2", "read 10", "read 10"],
    ...[
      "new",
      set({ local: 0 }),
      `key ${VMIN} 3`,
      type("ab"),
      "poll",
      "waiting",
      "read 10",
      type("cde"),
      "poll",
      "read 2",
      "read 10",
    ],
    ...["new", set({ local: 0 }), `key ${VMIN} 0`, `key ${VTIME} 1`, "poll", "read 10"],
    ...["new", `key ${VEOL} 3b`, type("a;b;\r"), ...SHOW, "read ff", "read ff", "read ff"],
    ...[
      "new",
      `key ${VEOL2} ff`,
      set({ input: 0x508 }),
      type("a\xffb\xff\r"),
      ...SHOW,
      "read ff",
      "read ff",
      "read ff",
    ],
    ...["new", `key 2 0`, `key 0 0`, type("a\x00b\x7f\x03\r"), ...SHOW, "read ff"],
    ...["new", "key f 61", "key 4 62", "key 1 63", type("xa\x03b"), ...SHOW, "read ff"],
    ...["new", set({}, 2), type("abc\rdef"), set({}, 2), ...SHOW, "read ff", type("\r"), "read ff"],
    ...["new", type("abc"), set({}, 1), type("\r"), "read ff"],
    "new",
    "settings 0",
    "control 0",
    "settings 0",
    "settings 1",
    "control 13ff",
    "settings 0",
    "control 100f",
    "settings 0",
    "window 18 50 1 2",
  ];
}

function fullness(): string[] {
  const long = "0123456789abcde\r".repeat(300);
  return [
    ...[
      "new",
      type("x".repeat(4094)),
      "waiting",
      type("yz"),
      "waiting",
      type("w"),
      "waiting",
      type("\r"),
      "waiting",
      "read ffff",
      "screen ffff",
      "screen ffff",
    ],
    ...[
      "new",
      type("x".repeat(5000) + "\x7f\x7f\r"),
      "screen 1000",
      "screen 1000",
      "screen 1000",
      "read ffff",
      "read ffff",
    ],
    ...[
      "new",
      set({ local: 0 }),
      type("x".repeat(6000)),
      "waiting",
      "read 100",
      "waiting",
      "read ffff",
      "waiting",
      "read ffff",
      "waiting",
      "read ffff",
    ],
    ...["new", set({ local: ICANON }), type(long), "waiting", "read ff", "read ff", "waiting", "poll"],
    ...["new", print("y".repeat(5000)), "waiting", "screen 1000", "waiting", "screen 1000", "screen 1000"],
    ...[
      "new",
      set({ input: 0x508, local: 0 }),
      type("x".repeat(2000)),
      "waiting",
      type("\xff".repeat(4)),
      "waiting",
    ],
  ];
}

function flows(): string[] {
  return [
    ...["new", "flow 0", print("held"), type("typed\r"), ...SHOW, "flow 1", ...SHOW, print("x"), ...SHOW],
    ...["new", type("\x13"), print("held"), type("abc"), ...SHOW, type("\x11"), ...SHOW],
    ...["new", type("\x13"), type("abc"), set({ input: 0x100 }), ...SHOW],
    ...["new", set({ input: 0xd00 }), type("\x13"), type("abc"), ...SHOW],
    ...[
      "new",
      type("\x13"),
      "flow 1",
      print("a"),
      ...SHOW,
      "flow 0",
      type("\x11"),
      print("b"),
      ...SHOW,
      "flow 1",
      print("c"),
      ...SHOW,
    ],
    ...["new", "flow 2", ...SHOW, "flow 3", ...SHOW, "flow 4"],
    ...["new", type("\x13"), type("ab\x03"), ...SHOW],
    ...["new", type("lines\rmore"), "flush 0 0", "waiting", "poll", "read ff", type("\r"), "read ff"],
    ...[
      "new",
      print("abc"),
      "flush 0 1",
      "screen ff",
      print("abc"),
      "flush 1 0",
      "screen ff",
      "flush 0 2",
      "flush 0 3",
      "flush 1 2",
    ],
    ...[
      "new",
      "packet 1",
      print("ab"),
      "poll",
      "screen 1",
      "screen ff",
      "screen ff",
      type("\x13"),
      "poll",
      "screen ff",
      type("\x11"),
      "screen ff",
      "screen ff",
    ],
    ...[
      "new",
      "packet 1",
      "flush 0 0",
      "poll",
      "screen ff",
      "flush 0 1",
      "screen ff",
      "flush 0 2",
      "screen ff",
      set({ input: 0x100 }),
      "screen ff",
      set({}),
      "screen ff",
      "key 8 1",
      "screen ff",
      "flow 0",
      "flow 1",
      "screen ff",
      type("ab\x03"),
      "screen ff",
      "screen ff",
    ],
    ...["new", "packet 1", print("ab"), "packet 0", "screen ff", "packet 1", "poll", "screen ff"],
  ];
}

function ends(): string[] {
  return [
    ...[
      "new",
      "close",
      "poll",
      "screen ff",
      type("lost\r"),
      "poll",
      "screen ff",
      "open",
      "poll",
      "screen ff",
      "read ff",
    ],
    ...["new", print("left"), "close", "poll", "screen 2", "screen ff", "screen ff", "open", "screen ff"],
    ...["new", set({ local: 0 }), "close", "open", "settings 0", type("ab"), "screen ff", "read ff"],
    ...["new", type("ab\rcd\r"), "read ff", "hangup", "poll", "read ff", print("x"), "settings 0", "waiting"],
    ...["new", type("ab\r"), "hangup", "read ff", "read ff"],
  ];
}

/** Typed text with many keys that mean something. */
function randomText(random: SeededRandom, length: number): string {
  const pick =
    "abz Z09_-\t\r\n\x7f\x15\x17\x16\x12\x04\x01\x1b\x08\x00\xff\x80\xc3\xa9\xe1\x03\x1c\x1a\x13\x11";
  let text = "";
  for (let i = 0; i < length; i++) {
    const [choice, byte] = random.bytes(2) as unknown as [number, number];
    text +=
      choice < 20
        ? String.fromCharCode(byte)
        : choice < 130
          ? "abc de"[byte % 6]!
          : pick[byte % pick.length]!;
  }
  return text;
}

/** Random settings, input, output and reads, from a seed. */
export function randomScenario(seed: number, rounds: number): string[] {
  const random = new SeededRandom(seed);
  const below = (limit: number): number => {
    const [a, b] = random.bytes(2) as unknown as [number, number];
    return (a * 256 + b) % limit;
  };
  const some = (all: readonly number[], of: number): number =>
    all.reduce((bits, bit) => (below(of) === 0 ? bits : bits | bit), 0);
  const lines: string[] = [];
  for (let round = 0; round < rounds; round++) {
    lines.push("new");
    if (below(5) === 0) lines.push("packet 1");
    for (let step = 3 + below(8); step > 0; step--) {
      const kind = below(12);
      if (kind < 2) {
        const local =
          some([ISIG, ICANON, ICANON, ECHO, ECHOE, ECHOK, ECHOCTL, ECHOKE, IEXTEN], 5) |
          (below(6) === 0 ? ECHOPRT : 0) |
          (below(6) === 0 ? NOFLSH : 0) |
          (below(6) === 0 ? ECHONL : 0);
        const input =
          some([0x100, 0x400], 3) |
          (below(3) === 0 ? 0x4000 : 0) |
          (below(8) === 0 ? 1 << [3, 5, 6, 7, 9, 11][below(6)]! : 0);
        const output =
          some([1, 4], 5) |
          (below(8) === 0 ? 1 << [1, 3, 4, 5][below(4)]! : 0) |
          (below(8) === 0 ? 0x1800 : 0);
        lines.push(set({ local, input, output }, below(8) === 0 ? 2 : 0));
      } else if (kind < 6) lines.push(type(randomText(random, 1 + below(24))), "screen ffff");
      else if (kind < 8) lines.push(print(randomText(random, 1 + below(16))), "screen ffff");
      else if (kind < 10) lines.push("waiting", `read ${[1, 3, 0x40][below(3)]!.toString(16)}`);
      else if (kind === 10) lines.push(`flow ${below(2)}`);
      else if (below(3) === 0)
        lines.push(`key ${[2, 3, 4, 11, 14, 16][below(6)]!.toString(16)} ${below(256).toString(16)}`);
      else lines.push(`flush ${below(2)} ${below(3)}`);
    }
    lines.push(...SHOW, "read ffff");
  }
  return lines;
}

export const scenarios: Readonly<Record<string, () => string[]>> = {
  edits,
  "input-modes": inputModes,
  "output-modes": outputModes,
  reads,
  fullness,
  flows,
  ends,
  random: () => randomScenario(1, 250),
};
