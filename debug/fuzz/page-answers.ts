/** Bits of a /proc/PID/pagemap entry that are shown; not soft-dirty, which a kernel may lack, nor the frame. */
const BITS: readonly (readonly [bit: number, letter: string])[] = [
  [31, "P"], // present
  [30, "S"], // swapped
  [29, "F"], // of a file, or shared
  [26, "G"], // guard region
  [25, "W"], // write-protected by userfaultfd
  [24, "E"], // mapped here alone
];

/** Runs of equal entries: `512 PE, 3 -, 1 P`. */
export function pagemapText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const runs: string[] = [];
  let last = "";
  let count = 0;
  const close = (): void => {
    if (count > 0) runs.push(`${String(count)} ${last}`);
  };
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const high = view.getUint32(at + 4, true);
    const word = BITS.map(([bit, letter]) => (((high >>> bit) & 1) === 1 ? letter : "")).join("") || "-";
    if (word !== last) {
      close();
      [last, count] = [word, 0];
    }
    count++;
  }
  close();
  return runs.join(", ");
}

/** /proc/meminfo's figures of the pool, as they have changed since a list first asked. Pages of 2 MiB. */
export class PoolFigures {
  private first: ReadonlyMap<string, number> | null = null;

  since(meminfo: string): string {
    const found = new Map(
      [...meminfo.matchAll(/^HugePages_(\w+): +(\d+)$/gm)].map(([, name, count]) => [
        name!,
        // Below 0 for a while where an owner went before a child that has its pages.
        Number(BigInt.asIntN(64, BigInt(count!))),
      ]),
    );
    this.first ??= found;
    return [...found].map(([name, count]) => `${name} ${String(count - this.first!.get(name)!)}`).join(" ");
  }
}
