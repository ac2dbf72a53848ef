import { EEXIST, ENOENT } from "../errno.js";
import type { HostLower } from "./host-lower.js";

/** What is kept of one file of an upper layer. Times are [seconds, nanoseconds]. */
export interface UpperNode {
  /** As st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly accessed: readonly [number, number];
  readonly modified: readonly [number, number];
  readonly changed: readonly [number, number];
  readonly born: readonly [number, number];
  /** Major and minor number of a device. */
  readonly device?: readonly [number, number];
  /** Of a symbolic link. */
  readonly target?: string;
  /** Path in the lower layer of the file that it was, or is. */
  readonly lower?: string;
  /** Its bytes are in files/ID. */
  readonly data?: true;
}

/** One change: what a file is now; what a name of a directory stands for (null: nothing); a file is no more. */
export type UpperChange =
  | readonly ["node", id: number, node: UpperNode]
  | readonly ["name", directory: number, name: string, id: number | null]
  | readonly ["gone", id: number];

/** Everything that the journal says. */
export interface UpperState {
  readonly nodes: Map<number, UpperNode>;
  /** By directory. */
  readonly names: Map<number, Map<string, number | null>>;
}

/** A directory that cannot serve as an upper layer, and why. */
export class UpperError extends Error {
  override readonly name = "UpperError";
}

const JOURNAL = "journal";
const FRESH = "journal.new";
const FILES = "files";
const FIRST_LINE = '["sealab-upper",1]';
const PRIVATE_FILE = 0o600;
const PRIVATE_DIRECTORY = 0o700;

/**
 * The directory of an upper layer. `journal` has one JSON array of changes a line; a line counts whole or, if the run
 * was killed while it was being written, not at all. `files/ID` are the bytes of regular files. Guest names occur in
 * the journal only, so no guest name is ever a host name.
 */
export class UpperJournal {
  /** Bytes of the journal that count. */
  private end = 0;
  /** Changes that could not be written yet, for want of space say: they go with the next. */
  private unwritten: UpperChange[] = [];

  constructor(readonly store: HostLower) {}

  /** Reads the journal, or begins one; drops what nothing refers to. @throws UpperError */
  open(): UpperState {
    const { files, root } = this.store;
    const stat = this.store.stat(JOURNAL);
    const state: UpperState = { nodes: new Map(), names: new Map() };
    if (typeof stat === "number") {
      const listed = files.list(root, "");
      if (stat !== -ENOENT || typeof listed === "number") throw new UpperError("cannot be read");
      const strange = listed.find(({ name }) => name !== "lock" && name !== FRESH && name !== FILES);
      if (strange) throw new UpperError("is neither empty nor an upper layer");
    } else {
      const bytes = new Uint8Array(stat.size);
      if (this.store.read(JOURNAL, 0, bytes) !== stat.size)
        throw new UpperError("its journal cannot be read");
      readJournal(new TextDecoder().decode(bytes), state);
    }
    const made = files.makeDirectory(root, FILES, PRIVATE_DIRECTORY);
    if (made < 0 && made !== -EEXIST) throw new UpperError("cannot be written");
    this.compact(state);
    this.dropOrphans(state);
    return state;
  }

  /** Adds one line; 0 or -errno (then it goes with the next one). */
  append(changes: readonly UpperChange[]): number {
    this.unwritten.push(...changes);
    if (this.unwritten.length === 0) return 0;
    const line = new TextEncoder().encode(`${JSON.stringify(this.unwritten)}\n`);
    const result = this.store.write(JOURNAL, this.end, line);
    if (result < 0) {
      this.store.setSize(JOURNAL, this.end);
      return result;
    }
    this.end += line.length;
    this.unwritten = [];
    return 0;
  }

  sync(): number {
    return this.store.sync(JOURNAL);
  }

  /** Where the bytes of a file are, below the directory. */
  dataPath(id: number): string {
    return `${FILES}/${id}`;
  }

  /** An empty file for the bytes of `id`; 0 or -errno. */
  createData(id: number): number {
    const path = this.dataPath(id);
    const result = this.store.files.create(this.store.root, path, PRIVATE_FILE);
    return result === -EEXIST ? this.store.setSize(path, 0) : result;
  }

  removeData(path: string): void {
    this.store.forget(path);
    this.store.files.removeFile(this.store.root, path);
  }

  /** The journal anew, without what later lines made void; takes the old one's place in one step. */
  private compact(state: UpperState): void {
    const { files, root } = this.store;
    const lines = [FIRST_LINE];
    for (const [id, node] of state.nodes) lines.push(JSON.stringify([["node", id, node]]));
    for (const [directory, names] of state.names)
      for (const [name, id] of names) lines.push(JSON.stringify([["name", directory, name, id]]));
    const bytes = new TextEncoder().encode(`${lines.join("\n")}\n`);
    files.removeFile(root, FRESH);
    let result = files.create(root, FRESH, PRIVATE_FILE);
    if (result >= 0) result = this.store.write(FRESH, 0, bytes);
    if (result >= 0) result = this.store.sync(FRESH);
    this.store.forget(FRESH);
    this.store.forget(JOURNAL);
    if (result >= 0) result = files.rename(root, FRESH, JOURNAL);
    if (result < 0) throw new UpperError("cannot be written");
    this.end = bytes.length;
  }

  private dropOrphans(state: UpperState): void {
    const listed = this.store.files.list(this.store.root, FILES);
    if (typeof listed === "number") throw new UpperError("cannot be read");
    for (const { name } of listed)
      if (!state.nodes.get(Number(name))?.data) this.removeData(`${FILES}/${name}`);
  }
}

function readJournal(text: string, state: UpperState): void {
  const lines = text.split("\n");
  // What follows the last line feed is a line that was never finished.
  lines.pop();
  if (lines[0] !== FIRST_LINE) throw new UpperError("is not an upper layer of this version of sealab");
  lines.forEach((line, i) => {
    if (i === 0) return;
    try {
      for (const change of JSON.parse(line) as UpperChange[]) apply(change, state);
    } catch {
      throw new UpperError(`line ${i + 1} of its journal is broken`);
    }
  });
  const reachable = reach(state);
  for (const id of [...state.nodes.keys()]) if (!reachable.has(id)) drop(id, state);
}

function apply(change: UpperChange, state: UpperState): void {
  switch (change[0]) {
    case "node":
      if (!isNode(change[2])) throw new UpperError("no node");
      state.nodes.set(change[1], change[2]);
      break;
    case "name": {
      const [, directory, name, id] = change;
      if (typeof name !== "string" || name === "" || name.includes("/") || name === "." || name === "..")
        throw new UpperError("no name");
      let names = state.names.get(directory);
      if (!names) state.names.set(directory, (names = new Map<string, number | null>()));
      const onLower = state.nodes.get(directory)?.lower !== undefined;
      if (id === null && !onLower) names.delete(name);
      else names.set(name, id);
      break;
    }
    case "gone":
      drop(change[1], state);
      break;
    default:
      throw new UpperError("no change");
  }
}

function isNode(node: UpperNode): boolean {
  const numbers = [node.mode, node.uid, node.gid, node.links];
  const times = [node.accessed, node.modified, node.changed, node.born];
  const relative = node.lower === undefined || !/(^|\/)\.\.?(\/|$)|\0|^\/|\/\//.test(node.lower);
  return numbers.every(Number.isSafeInteger) && times.every((time) => time.length === 2) && relative;
}

function drop(id: number, state: UpperState): void {
  state.nodes.delete(id);
  state.names.delete(id);
}

/** Files that some name leads to: one of a directory here, or one that the lower layer has. */
function reach(state: UpperState): Set<number> {
  const seen = new Set<number>();
  for (const [id, { lower }] of state.nodes) if (lower !== undefined) visit(id);
  return seen;

  function visit(id: number): void {
    if (seen.has(id) || !state.nodes.has(id)) return;
    seen.add(id);
    for (const child of state.names.get(id)?.values() ?? []) if (child !== null) visit(child);
  }
}
