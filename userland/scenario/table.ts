import { OPERATIONS, PAGE, RECORD, TABLE, type Operation } from "./layout.js";

/** A value that is known when the step runs: a name's plus a constant, a text's or a block's address. */
export type Operand =
  | { readonly slot: number; readonly constant: bigint }
  | { readonly text: number }
  | { readonly block: Block };

export interface TableRecord {
  readonly op: Operation;
  readonly step: number;
  readonly size?: number;
  readonly quiet?: boolean;
  /** Slot that takes the result; none where 0 or left out. */
  readonly dest?: number;
  /** A system call's number, a signal's, a mailbox's. */
  readonly number?: number;
  readonly operands?: readonly Operand[];
}

/** Records that run one after the other; an `end` is put behind them. */
export interface Block {
  readonly records: TableRecord[];
}

/** The number, known when the scenario is compiled. */
export const constant = (value: number | bigint): Operand => ({ slot: 0, constant: BigInt(value) });

/** The bytes of a scenario's table: records of all blocks, the first one's first, then texts. */
export function tableBytes(blocks: readonly Block[], texts: readonly Uint8Array[]): Uint8Array {
  const addresses = new Map<Block, number>();
  let next = TABLE;
  for (const block of blocks) {
    addresses.set(block, next);
    next += (block.records.length + 1) * RECORD.bytes;
  }
  const textAddresses = texts.map((text) => {
    const at = next;
    next += (text.length + 7) & ~7;
    return at;
  });
  const bytes = new Uint8Array(Math.max(next - TABLE, PAGE));
  const view = new DataView(bytes.buffer);
  for (const block of blocks) {
    let at = addresses.get(block)! - TABLE;
    for (const record of block.records) {
      writeRecord(view, at, record, (operand) => {
        if ("text" in operand) return [0, BigInt(textAddresses[operand.text]!)];
        if ("block" in operand) return [0, BigInt(addresses.get(operand.block)!)];
        return [operand.slot, operand.constant];
      });
      at += RECORD.bytes;
    }
    view.setUint8(at, OPERATIONS.indexOf("end"));
  }
  texts.forEach((text, i) => bytes.set(text, textAddresses[i]! - TABLE));
  return bytes;
}

function writeRecord(
  view: DataView,
  at: number,
  record: TableRecord,
  resolve: (operand: Operand) => [slot: number, constant: bigint],
): void {
  view.setUint8(at + RECORD.op, OPERATIONS.indexOf(record.op));
  view.setUint8(at + RECORD.size, record.size ?? 0);
  view.setUint8(at + RECORD.quiet, record.quiet === true ? 1 : 0);
  view.setUint32(at + RECORD.step, record.step, true);
  view.setUint32(at + RECORD.dest, 8 * (record.dest ?? 0), true);
  view.setUint32(at + RECORD.number, record.number ?? 0, true);
  record.operands?.forEach((operand, i) => {
    const [slot, value] = resolve(operand);
    view.setUint32(at + RECORD.operands + 16 * i, 8 * slot, true);
    view.setBigUint64(at + RECORD.operands + 16 * i + 8, BigInt.asUintN(64, value), true);
  });
}
