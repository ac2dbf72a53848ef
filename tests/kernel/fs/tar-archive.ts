/** A tar archive for tests, member by member. */

export interface Member {
  readonly name: string;
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly content?: string | Uint8Array;
  readonly link?: string;
  readonly modified?: number;
  readonly device?: readonly [major: number, minor: number];
  readonly prefix?: string;
  /** "gnu" for the GNU magic; "v7" for none. */
  readonly format?: "ustar" | "gnu" | "v7";
  /** Instead of the content's. */
  readonly size?: number;
}

const BLOCK = 512;

export function header(member: Member, length: number): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const text = (at: number, value: string): void => block.set(Buffer.from(value, "latin1"), at);
  const octal = (at: number, width: number, value: number): void =>
    text(at, value.toString(8).padStart(width - 1, "0"));
  text(0, member.name);
  octal(100, 8, member.mode ?? 0o644);
  octal(108, 8, member.uid ?? 0);
  octal(116, 8, member.gid ?? 0);
  octal(124, 12, member.size ?? length);
  octal(136, 12, member.modified ?? 1_000_000_000);
  text(156, member.type ?? "0");
  text(157, member.link ?? "");
  const format = member.format ?? "ustar";
  if (format === "ustar") text(257, "ustar\x0000");
  if (format === "gnu") text(257, "ustar  \0");
  if (member.device) {
    octal(329, 8, member.device[0]);
    octal(337, 8, member.device[1]);
  }
  text(345, member.prefix ?? "");
  text(148, "        ");
  const sum = block.reduce((total, byte) => total + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

export function tar(members: readonly Member[], end = true): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const member of members) {
    const content =
      typeof member.content === "string"
        ? Buffer.from(member.content, "latin1")
        : (member.content ?? new Uint8Array());
    parts.push(header(member, content.length), content);
    parts.push(new Uint8Array((BLOCK - (content.length % BLOCK)) % BLOCK));
  }
  if (end) parts.push(new Uint8Array(2 * BLOCK));
  return Buffer.concat(parts);
}

/** The content of a pax extended header. */
export function pax(records: Readonly<Record<string, string>>): string {
  let text = "";
  for (const [key, value] of Object.entries(records)) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (`${length}`.length + rest.length !== length) length = `${length}`.length + rest.length;
    text += `${length}${rest}`;
  }
  return text;
}
