/** The guest's users, as its /etc/passwd and /etc/group name them. */

export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups, the primary one among them. */
  readonly groups: readonly number[];
  /** Null for a number that has no entry. */
  readonly name: string | null;
  readonly home: string;
}

const LARGEST_ID = 0xffff_fffe;

/**
 * Whom `NAME`, `UID`, `NAME:GROUP` or `UID:GID` means; null where a name is unknown or a number none. A number
 * without an entry is a user by itself, in a group of the same number.
 * @param passwd text of /etc/passwd
 * @param group text of /etc/group
 */
export function findUser(text: string, passwd: string, group: string): User | null {
  const [who, which, ...more] = text.split(":");
  if (who === undefined || who === "" || which === "" || more.length > 0) return null;
  const users = fields(passwd);
  const number = idOf(who);
  const entry = users.find(([name, , uid]) => (number === null ? name === who : Number(uid) === number));
  const uid = entry === undefined ? number : idOf(entry[2]);
  if (uid === null) return null;
  const groups = fields(group);
  const named = which === undefined ? undefined : groups.find(([name]) => name === which);
  const gid = which === undefined ? (idOf(entry?.[3]) ?? uid) : (idOf(named?.[2]) ?? idOf(which));
  if (gid === null) return null;
  const name = entry?.[0] ?? null;
  const others = groups.flatMap(([, , id, members]) =>
    name !== null && (members ?? "").split(",").includes(name) ? [idOf(id) ?? gid] : [],
  );
  return { uid, gid, groups: [...new Set([gid, ...others])], name, home: entry?.[5] || "/" };
}

function fields(text: string): string[][] {
  return text.split("\n").map((line) => line.split(":"));
}

function idOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null;
  const id = Number(text);
  return id <= LARGEST_ID ? id : null;
}
