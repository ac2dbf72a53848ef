import { ByteReader } from "./byte-reader.js";

/** What a call frame's rules are worked out from. Registers by DWARF's numbers: 6 RBP, 7 RSP, 16 RIP. */
export interface FrameSource {
  register(number: number): number | undefined;
  /** 8 bytes of memory; undefined where none can be read. */
  word(address: number): number | undefined;
}

/** A DWARF expression, as far as call frames use them (PLT stubs, signal frames); undefined where it cannot be. */
export function evaluateExpression(
  code: Uint8Array,
  source: FrameSource,
  first?: number,
): number | undefined {
  const reader = new ByteReader(code);
  const stack: number[] = first === undefined ? [] : [first];
  const binary = (act: (a: number, b: number) => number): void => {
    const b = stack.pop()!;
    stack.push(act(stack.pop()!, b));
  };
  while (!reader.done) {
    const operation = reader.u8();
    if (operation >= 0x30 && operation <= 0x4f) stack.push(operation - 0x30);
    else if (operation >= 0x70 && operation <= 0x8f) {
      const base = source.register(operation - 0x70);
      if (base === undefined) return undefined;
      stack.push(base + reader.sleb());
    } else {
      switch (operation) {
        case 0x06: {
          const word = source.word(stack.pop()!);
          if (word === undefined) return undefined;
          stack.push(word);
          break;
        }
        case 0x08:
          stack.push(reader.u8());
          break;
        case 0x09:
          stack.push(reader.i8());
          break;
        case 0x0a:
          stack.push(reader.u16());
          break;
        case 0x0c:
          stack.push(reader.u32());
          break;
        case 0x10:
          stack.push(reader.uleb());
          break;
        case 0x11:
          stack.push(reader.sleb());
          break;
        case 0x12:
          stack.push(stack.at(-1)!);
          break;
        case 0x13:
          stack.pop();
          break;
        case 0x1a:
          // What is masked in a stub's expression is the low bits of RIP.
          binary((a, b) => (b < 2 ** 31 ? (a % 2 ** 31) & b : NaN));
          break;
        case 0x1c:
          binary((a, b) => a - b);
          break;
        case 0x22:
          binary((a, b) => a + b);
          break;
        case 0x23:
          stack.push(stack.pop()! + reader.uleb());
          break;
        case 0x24:
          binary((a, b) => a * 2 ** b);
          break;
        case 0x2a:
          binary((a, b) => Number(a >= b));
          break;
        default:
          return undefined;
      }
    }
  }
  const value = stack.at(-1);
  return value === undefined || Number.isNaN(value) ? undefined : value;
}
