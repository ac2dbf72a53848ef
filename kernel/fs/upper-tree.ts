import type { Inode } from "./inode.js";
import { S_IFDIR, S_IFLNK, S_IFMT } from "./mode.js";
import { TreeDirectory } from "./tree-directory.js";
import type { TreeFileSystem } from "./tree-file-system.js";
import { OWN_NUMBERS, SpecialInode } from "./tree-file-system.js";
import { TreeFile } from "./tree-file.js";
import { TreeSymlink } from "./tree-symlink.js";
import type { Timestamp } from "./timestamp.js";
import type { UpperChange, UpperJournal, UpperNode } from "./upper-journal.js";

type NameChange = readonly [directory: TreeDirectory, name: string, inode: Inode | null];

/** What an upper layer knows of a file. */
export interface KeptInode {
  /** What the journal says of it; null: nothing. */
  recorded: string | null;
  /** Where it is, for a directory made while suspended, which must be kept once something in it is. */
  unplaced: { readonly parent: TreeDirectory; readonly name: string } | null;
  /** How many such a directory has: its link count is kept without them. */
  uncounted: number;
  /** Its path in the lower layer, if it is of that. */
  lowerPath: string | null;
}

const CHUNK = 65536;

/** The changes of a tree, kept in a directory of the host: knows which file has which number in the journal. */
export class UpperTree {
  /** While the tree is set up: what is made then is made again in the next run, and not kept. */
  suspended = false;
  private readonly ids = new Map<Inode, number>();
  /** Files whose attributes may have changed since. */
  private readonly touched = new Set<Inode>();
  /** Files of the lower layer that the journal speaks of, by their path there. */
  private readonly byLower = new Map<string, Inode>();

  constructor(
    private readonly tree: TreeFileSystem,
    private readonly journal: UpperJournal,
  ) {}

  /** Brings back what earlier runs left. @throws UpperError */
  load(): void {
    const { nodes, names } = this.journal.open();
    const inodes = new Map<number, Inode>();
    keptOf(this.tree.root).lowerPath = "";
    for (const [id, node] of nodes) {
      const inode = this.restore(id, node);
      if (!inode) continue;
      inodes.set(id, inode);
      this.ids.set(inode, id);
      keptOf(inode).recorded = JSON.stringify(node);
      this.tree.reserveInodeNumbers(OWN_NUMBERS + id);
      if (node.lower !== undefined) {
        this.byLower.set(node.lower, inode);
        keptOf(inode).lowerPath = node.lower;
      }
    }
    for (const [id, entries] of names) {
      const directory = inodes.get(id);
      if (!(directory instanceof TreeDirectory)) continue;
      for (const [name, child] of entries) {
        const inode = child === null ? null : inodes.get(child);
        if (inode !== undefined) directory.names.set(name, inode);
      }
    }
  }

  /** The file that the journal puts in the place of one of the lower layer. */
  ofLower(path: string): Inode | undefined {
    return this.byLower.get(path);
  }

  /** A file of the lower layer was seen. */
  seen(inode: Inode, path: string): void {
    keptOf(inode).lowerPath = path;
  }

  /** A file was made while suspended. */
  placed(parent: TreeDirectory, name: string, inode: Inode): void {
    if (!inode.isDirectory) return;
    keptOf(inode).unplaced = { parent, name };
    keptOf(parent).uncounted++;
  }

  /** Names changed, and these files with them; 0 or -errno. */
  changed(inodes: readonly Inode[], names: readonly NameChange[] = []): number {
    if (this.suspended) return 0;
    const changes: UpperChange[] = [];
    for (const inode of inodes) if (inode.links === 0) this.gone(inode, changes);
    for (const inode of inodes) this.record(inode, changes);
    for (const [directory, name, inode] of names) {
      this.record(directory, changes);
      if (inode) this.record(inode, changes);
      changes.push(["name", this.id(directory), name, inode ? this.id(inode) : null]);
    }
    this.recordTouched(changes);
    return this.journal.append(changes);
  }

  /** Attributes of a file may have changed; noted now, written by the next `settle` or change of a name. */
  touch(inode: Inode): void {
    if (!this.suspended && inode.links > 0) this.touched.add(inode);
  }

  /** Writes what was noted; 0 or -errno. */
  settle(): number {
    if (this.suspended || this.touched.size === 0) return 0;
    const changes: UpperChange[] = [];
    this.recordTouched(changes);
    return this.journal.append(changes);
  }

  sync(): number {
    const result = this.settle();
    return result < 0 ? result : this.journal.sync();
  }

  /**
   * Gives a regular file bytes of its own in the directory: those it has, up to `limit`. Nothing to do for one that
   * has them, or has no name.
   */
  copyUp(file: TreeFile, limit = Infinity): number {
    const { store } = this.journal;
    if (this.suspended || file.links === 0 || file.store === store) return 0;
    const id = this.id(file);
    const path = this.journal.dataPath(id);
    let result = this.journal.createData(id);
    const size = Math.min(file.size, limit);
    const chunk = new Uint8Array(Math.min(CHUNK, size));
    for (let at = 0; at < size && result >= 0;) {
      const count = file.read(at, chunk.subarray(0, Math.min(chunk.length, size - at)));
      result = count > 0 ? store.write(path, at, chunk.subarray(0, count)) : count;
      if (count === 0) break;
      at += count;
    }
    if (result < 0) return result;
    file.moveTo(store, path);
    return this.changed([file]);
  }

  /** Nobody can reach the file any more: its bytes go. */
  reclaim(file: TreeFile): void {
    this.touched.delete(file);
    if (file.store === this.journal.store && file.hostPath !== null) this.journal.removeData(file.hostPath);
  }

  private id(inode: Inode): number {
    let id = this.ids.get(inode);
    if (id === undefined) {
      const own = inode.number >= OWN_NUMBERS;
      id = (own ? inode.number : this.tree.newInodeNumber()) - OWN_NUMBERS;
      this.ids.set(inode, id);
      const lower = inode.kept?.lowerPath ?? null;
      if (lower !== null) this.byLower.set(lower, inode);
    }
    return id;
  }

  private record(inode: Inode, changes: UpperChange[]): void {
    if (inode.links === 0) return;
    const node = this.nodeOf(inode);
    const text = JSON.stringify(node);
    const kept = keptOf(inode);
    if (kept.recorded === text) return;
    kept.recorded = text;
    const id = this.id(inode);
    changes.push(["node", id, node]);
    const place = this.takePlace(inode);
    if (!place) return;
    this.record(place.parent, changes);
    changes.push(["name", this.id(place.parent), place.name, id]);
  }

  private takePlace(inode: Inode): KeptInode["unplaced"] {
    const { kept } = inode;
    const place = kept?.unplaced;
    if (!kept || !place) return null;
    kept.unplaced = null;
    keptOf(place.parent).uncounted--;
    return place;
  }

  private recordTouched(changes: UpperChange[]): void {
    for (const inode of this.touched) this.record(inode, changes);
    this.touched.clear();
  }

  private gone(inode: Inode, changes: UpperChange[]): void {
    this.takePlace(inode);
    const id = this.ids.get(inode);
    if (id === undefined) return;
    changes.push(["gone", id]);
    this.ids.delete(inode);
    this.touched.delete(inode);
    const { kept } = inode;
    if (kept === null) return;
    if (kept.lowerPath !== null) this.byLower.delete(kept.lowerPath);
    kept.recorded = null;
  }

  private nodeOf(inode: Inode): UpperNode {
    const { major, minor } = inode.deviceNumber;
    const lower = inode.kept?.lowerPath ?? null;
    return {
      mode: inode.mode,
      uid: inode.uid,
      gid: inode.gid,
      links: inode.links - (inode.kept?.uncounted ?? 0),
      accessed: pair(inode.accessed),
      modified: pair(inode.modified),
      changed: pair(inode.changed),
      born: pair(inode.born),
      ...(major === 0 && minor === 0 ? {} : { device: [major, minor] }),
      ...(inode instanceof TreeSymlink ? { target: inode.target } : {}),
      ...(lower === null ? {} : { lower }),
      ...(inode instanceof TreeFile && inode.store === this.journal.store ? { data: true } : {}),
    };
  }

  /** Undefined where what it was made of has gone. */
  private restore(id: number, node: UpperNode): Inode | undefined {
    const { tree, journal } = this;
    const { lower } = node;
    const stat = lower === undefined ? undefined : tree.lower?.stat(lower);
    const below = typeof stat === "object" ? stat : null;
    const type = node.mode & S_IFMT;
    if (lower === "" && type === S_IFDIR) {
      adopt(tree.root, node);
      return tree.root;
    }
    const parts = {
      number: (below && tree.numberOf(below)) ?? OWN_NUMBERS + id,
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      time: moment(node.modified),
      ...(node.device ? { device: { major: node.device[0], minor: node.device[1] } } : {}),
    };
    const inode = make();
    if (!inode) return undefined;
    adopt(inode, node);
    if (below && below.links > 1 && type !== S_IFDIR) tree.share(below, inode);
    return inode;

    function make(): Inode | undefined {
      if (type === S_IFDIR) return new TreeDirectory(tree, parts, below ? lower! : null);
      if (type === S_IFLNK) return new TreeSymlink(tree, parts, node.target ?? "");
      if ((type & S_IFMT) !== 0o100000) return new SpecialInode(tree, parts);
      if (!node.data) {
        if (lower === undefined) return new TreeFile(tree, parts, null, 0);
        return below ? new TreeFile(tree, parts, lower, below.size) : undefined;
      }
      const path = journal.dataPath(id);
      const bytes = journal.store.stat(path);
      if (typeof bytes === "number") return undefined;
      const file = new TreeFile(tree, parts, path, bytes.size);
      file.moveTo(journal.store, path);
      return file;
    }
  }
}

function keptOf(inode: Inode): KeptInode {
  return (inode.kept ??= { recorded: null, unplaced: null, uncounted: 0, lowerPath: null });
}

function adopt(inode: Inode, node: UpperNode): void {
  inode.mode = node.mode;
  inode.uid = node.uid;
  inode.gid = node.gid;
  inode.links = node.links;
  inode.accessed = moment(node.accessed);
  inode.modified = moment(node.modified);
  inode.changed = moment(node.changed);
  inode.born = moment(node.born);
}

function pair({ seconds, nanoseconds }: Timestamp): [number, number] {
  return [seconds, nanoseconds];
}

function moment([seconds, nanoseconds]: readonly [number, number]): Timestamp {
  return { seconds, nanoseconds };
}
