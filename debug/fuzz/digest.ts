/**
 * Answers as a few characters: one for each line, and seven for all of them together, so that many can be kept. Equal
 * answers have equal digests; where two part, the first character that differs tells the line (63 times in 64).
 */
export function digest(answers: readonly string[]): string {
  let all = 0;
  let lines = "";
  for (const answer of answers) {
    const hash = hashOf(answer);
    all = (Math.imul(all, 31) + hash) | 0;
    lines += LETTERS[hash >>> 26]!;
  }
  return `${(all >>> 0).toString(36).padStart(7, "0")} ${lines}`;
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** FNV-1a of 32 bits, mixed once more so that its upper bits are worth as much as its lower ones. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
