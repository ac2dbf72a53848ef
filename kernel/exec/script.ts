/** "#!" scripts (fs/binfmt_script.c). */

/** The interpreter a script names, and the one argument its line may give. */
export interface ScriptLine {
  readonly interpreter: string;
  readonly argument: string | null;
}

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09;

/**
 * Reads the first line; null if the bytes are no script that Linux would run: no "#!", no name, or a name that the
 * 256 bytes may have cut off.
 * @param head the file's first 256 bytes, zero-filled
 */
export function parseScript(head: Uint8Array): ScriptLine | null {
  if (head[0] !== 0x23 || head[1] !== 0x21) return null;
  const newline = head.indexOf(0x0a);
  const whole = newline >= 0;
  let end = whole ? newline : head.length;
  let start = 2;
  while (start < end && isBlank(head[start]!)) start++;
  if (!whole) {
    // The name must end within what was read: at a blank or a NUL.
    let nameEnd = start;
    while (nameEnd < end && !isBlank(head[nameEnd]!) && head[nameEnd] !== 0) nameEnd++;
    if (nameEnd === end) return null;
  }
  while (end > start && isBlank(head[end - 1]!)) end--;
  let nameEnd = start;
  while (nameEnd < end && !isBlank(head[nameEnd]!) && head[nameEnd] !== 0) nameEnd++;
  if (nameEnd === start) return null;
  let argument = nameEnd;
  while (argument < end && isBlank(head[argument]!)) argument++;
  let argumentEnd = argument;
  while (argumentEnd < end && head[argumentEnd] !== 0) argumentEnd++;
  const text = (from: number, to: number): string => String.fromCharCode(...head.subarray(from, to));
  return {
    interpreter: text(start, nameEnd),
    argument: argumentEnd > argument ? text(argument, argumentEnd) : null,
  };
}
