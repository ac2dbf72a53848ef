import { describe, expect, it } from "vitest";
import { CommandError } from "../../../debug/commands/command-error.js";
import type { Type } from "../../../debug/dwarf/types.js";
import { evaluate, wrapped, type Scope } from "../../../debug/commands/expression.js";
import { parseExpression } from "../../../debug/commands/parse-expression.js";

function type(parts: Partial<Type>): Type {
  const nothing = {
    name: "it",
    size: 0,
    signed: false,
    target: null,
    count: null,
    members: [],
    values: new Map(),
  };
  return { kind: "number", ...nothing, ...parts };
}
const u16 = type({ size: 2 });
const u32 = type({ size: 4 });
/** `struct pair { u16 a; struct { u16 b : 4, c : 12; }; u32 *next; struct { u32 deep; } in; };` */
const pair = type({
  kind: "structure",
  name: "struct pair",
  size: 20,
  members: [
    { name: "a", offset: 0, type: u16, bits: null },
    {
      name: "",
      offset: 2,
      bits: null,
      type: type({
        kind: "structure",
        size: 2,
        members: [
          { name: "b", offset: 0, type: u16, bits: { first: 0, count: 4 } },
          { name: "c", offset: 0, type: type({ size: 2, signed: true }), bits: { first: 4, count: 12 } },
        ],
      }),
    },
    { name: "next", offset: 8, type: type({ kind: "pointer", size: 8, target: u32 }), bits: null },
    {
      name: "in",
      offset: 16,
      bits: null,
      type: type({
        kind: "structure",
        name: "struct {…}",
        size: 4,
        members: [{ name: "deep", offset: 0, type: u32, bits: null }],
      }),
    },
  ],
});

/** Memory whose every byte is the low byte of its address. */
const scope: Scope = {
  register: (name) => ({ rax: 0xffff_ffff_ffff_ffffn, rsp: 0x7000n, rip: 0x401000n })[name],
  name(name) {
    const value = { main: 0x401136n, counter: -5n, EPERM: 1n }[name];
    if (value === undefined) throw new CommandError(`no symbol ${name}`);
    return value;
  },
  addressOf: () => 0x404000n,
  variable(name) {
    const array = name === "counter" || name === "words";
    if (array) return { address: 0x1000n, type: type({ kind: "array", target: u16, size: 8, count: 4 }) };
    return name === "pair" ? { address: 0x20n, type: pair } : undefined;
  },
  type: (name) => (name === "struct pair" || name === "pair_t" ? pair : undefined),
  memory(address, cell) {
    let value = 0n;
    for (let i = cell.size - 1; i >= 0; i--) value = (value << 8n) | ((address + BigInt(i)) & 0xffn);
    return wrapped(value, cell);
  },
};
const value = (text: string): bigint => evaluate(parseExpression(text), scope);

describe("expressions", () => {
  it.each([
    ["1 + 2 * 3", 7n],
    ["(1 + 2) * 3", 9n],
    ["0x10 | 1 << 3 & 0xff", 0x18n],
    ["7 / 2 - 7 % 2", 2n],
    ["-counter", 5n],
    ["!0 + !5", 1n],
    ["~0 == -1", 1n],
    ["$rax == -1", 1n],
    ["$rax > 0", 1n],
    ["-1 < 0", 1n],
    ["(int)$rax", -1n],
    ["(unsigned char)0x1ff", 0xffn],
    ["(uint32_t)-1", 0xffff_ffffn],
    ["main+4", 0x40113an],
    ["&main", 0x404000n],
    ["*$rsp", 0x0706050403020100n],
    ["*(int *)$rsp", 0x03020100n],
    ["*(char *)0x70ff", -1n],
    ["*(unsigned char*)0x70ff", 255n],
    ["{u16}0x7010", 0x1110n],
    ["{long} ($rsp + 8)", 0x0f0e0d0c0b0a0908n],
    ["**(long**)0x10", value("*(long *)0x1716151413121110")],
    ["'a' + 1", 98n],
    ["'\\n'", 10n],
    ["1 && 0 || 2", 1n],
    ["0 && 1/0", 0n],
    ["EPERM == 1 && main != 0", 1n],
    ["1 <= 1 && 2 >= 3", 0n],
    ["0b101 ^ 1", 4n],
    ["counter[2]", 0x0504n],
    ["counter[1 + 1] & 0xff", 4n],
    ["*counter", 0x0100n],
    ["pair.a", 0x2120n],
    ["pair.b + pair.c", 2n + 0x232n],
    ["pair.in.deep", 0x33323130n],
    ["*pair.next", 0x2b2a2928n],
    ["pair.next[1]", 0x2f2e2d2cn],
    ["&pair.in.deep", 0x30n],
    ["&pair.next", 0x28n],
    ["((struct pair *)0x40)->in.deep", 0x53525150n],
    ["(*(pair_t *) 0x40).a", 0x4140n],
    ["((struct pair *)0x40)[1].a", 0x5554n],
    ["{struct pair} 0x40 == 0x40", 1n],
    ["&words[3]", 0x1006n],
    ["-words[0]", -0x0100n],
  ] as const)("%s is %s", (text, expected) => {
    expect(value(text)).toBe(expected);
  });

  it.each([
    ["", "expected an expression, as $rsp+8, main or 0x401000"],
    ["1 +", "1 +: expected a number, a symbol or a register"],
    ["(1", "(1: expected )"],
    ["1 2", "1 2: more than one expression"],
    ["1 ? 2", "? 2: not part of an expression"],
    ["12ab", "12ab: not part of an expression"],
    ["$nope", "$nope: no such register"],
    ["nope", "no symbol nope"],
    ["&5", "&5: expected a symbol behind &"],
    ["pair.z", "struct pair has no member z; there are a, b, c, next, in"],
    ["pair.a.b", "pair.a: it, no structure"],
    ["&pair.b", "pair.b: a bit field has no address"],
    [
      "(struct frog *) 1 == 1 && ((struct frog *) 1)->x",
      "struct frog: no such type in the program's debugging information",
    ],
    ["main.x", "no symbol main.x"],
    ["main->x", "main: its type is not known, no structure"],
    ["pair->", "pair->: expected a member's name behind ->"],
    ["{frog}5", "{frog}5: expected a type, as int or u64, in braces"],
    ["1 / 0", "division by 0"],
    ["main[1]", "main[…]: of what type is it? *(char *) (main + N) says so"],
    ["counter[1", "counter[1: expected ]"],
    ["1 << 65", "a shift by 65: expected 0 to 64"],
  ])("%s is refused: %s", (text, message) => {
    expect(() => value(text)).toThrow(new CommandError(message));
  });
});
