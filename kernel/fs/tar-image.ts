import { bytesOf } from "./bytes.js";
import { SourceWindow } from "./byte-source.js";
import type { ByteSource } from "./byte-source.js";
import { S_IFDIR, S_IFLNK, S_IFREG } from "./mode.js";
import { paxNumber, paxTime, readHeader, readPax, TAR_BLOCK, TarError, typeOfFlag } from "./tar-header.js";
import type { PaxRecords, TarHeader } from "./tar-header.js";
import type { Timestamp } from "./timestamp.js";

/** A file of an archive; a hard link is the same one under another name. */
export interface TarNode {
  /** Unique in the archive, from 1 on. */
  readonly number: number;
  /** As st_mode. */
  mode: number;
  uid: number;
  gid: number;
  links: number;
  /** Bytes. */
  readonly size: number;
  /** Where its content begins in the archive. */
  readonly offset: number;
  modified: Timestamp;
  readonly device: { readonly major: number; readonly minor: number };
  /** Of a symbolic link. */
  readonly target: string;
  /** Null but for directories. */
  readonly children: Map<string, TarNode> | null;
}

const MAX_SYMLINKS = 40;
const EPOCH: Timestamp = { seconds: 0, nanoseconds: 0 };
/** Names and records of one member: far more than PATH_MAX, far less than the memory of a host. */
const LARGEST_EXTENSION = 1 << 20;

/**
 * The index of a tar archive: its headers are read once, contents stay where they are. What comes later replaces what
 * came before under the same name; a directory is only given its owner, mode and time anew.
 */
export class TarImage {
  /** Nodes made so far. */
  private count = 0;
  readonly root = this.newNode({ mode: S_IFDIR | 0o755, modified: EPOCH });

  /** @throws TarError for what is no tar archive, is cut short, or uses sparse members */
  constructor(readonly source: ByteSource) {
    this.root.links = 2;
    const window = new SourceWindow(source);
    let global: PaxRecords = new Map();
    let pax: PaxRecords = new Map();
    let longName: string | null = null;
    let longLink: string | null = null;
    for (let at = 0; at < source.size;) {
      const block = this.take(window, at, TAR_BLOCK, at);
      if (block.every((byte) => byte === 0)) {
        if (at === 0 && source.size < 2 * TAR_BLOCK) throw new TarError(0, "not a tar archive");
        break;
      }
      const header = readHeader(block, at);
      const { flag } = header;
      const extension = "xgLK".includes(flag);
      // A link has no content, whatever its size says.
      const stated = extension ? header.size : (paxNumber(pax, "size", at) ?? header.size);
      const size = flag === "1" || flag === "2" ? 0 : stated;
      const content = at + TAR_BLOCK;
      if (size < 0 || content + size > source.size) {
        throw new TarError(
          at,
          `cut short: this member has ${size} bytes, the archive ${source.size - content}`,
        );
      }
      if (extension) {
        if (size > LARGEST_EXTENSION) throw new TarError(at, `an extended header of ${size} bytes`);
        const bytes = this.take(window, content, size, at);
        if (flag === "x") pax = readPax(bytes, content);
        else if (flag === "g") global = new Map([...global, ...readPax(bytes, content)]);
        else if (flag === "L") longName = untilNul(bytes);
        else longLink = untilNul(bytes);
      } else if (flag !== "V") {
        const records = new Map([...global, ...pax]);
        const sparse = flag === "S" || [...records.keys()].some((key) => key.startsWith("GNU.sparse."));
        if (sparse)
          throw new TarError(at, "a sparse member, which is not supported (make it without --sparse)");
        if (flag === "M") throw new TarError(at, "a part of an archive in several volumes");
        const name = records.get("path") ?? longName ?? header.name;
        const link = records.get("linkpath") ?? longLink ?? header.link;
        this.add(header, records, at, { name, link, size, content });
        pax = new Map();
        longName = longLink = null;
      }
      at = content + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
    }
    if (source.size === 0) throw new TarError(0, "not a tar archive: it is empty");
  }

  private take(window: SourceWindow, offset: number, count: number, member: number): Uint8Array {
    if (offset + count > this.source.size) throw new TarError(member, "cut short within a header");
    const bytes = window.bytes(offset, count);
    if (typeof bytes === "number") throw new TarError(offset, "cannot be read");
    return bytes;
  }

  private add(
    header: TarHeader,
    records: PaxRecords,
    at: number,
    { name, link, size, content }: { name: string; link: string; size: number; content: number },
  ): void {
    const parts = partsOf(name, at);
    const type = typeOfFlag(header.flag, name);
    const attributes = {
      mode: type | header.permissions,
      uid: paxNumber(records, "uid", at) ?? header.uid,
      gid: paxNumber(records, "gid", at) ?? header.gid,
      modified: paxTime(records, "mtime", at) ?? header.modified,
    };
    const last = parts.pop();
    if (last === undefined) {
      if (type === S_IFDIR) Object.assign(this.root, attributes);
      return;
    }
    const parent = this.directory(parts, at);
    const known = parent.children!.get(last);
    if (header.flag === "1") {
      const linked = this.find(partsOf(link, at));
      if (!linked || linked.children)
        throw new TarError(at, `a hard link to ${shown(link)}, which is not there`);
      if (linked !== known) this.put(parent, last, linked, at);
      return;
    }
    if (type === S_IFDIR && known?.children) {
      Object.assign(known, attributes);
      return;
    }
    const isFile = type === S_IFREG;
    const target = type === S_IFLNK ? link : "";
    const made = this.newNode({
      ...attributes,
      size: isFile ? size : target.length,
      offset: content,
      device: header.device,
      target,
    });
    this.put(parent, last, made, at);
  }

  private put(parent: TarNode, name: string, node: TarNode, at: number): void {
    const known = parent.children!.get(name);
    if (known?.children && known.children.size > 0)
      throw new TarError(at, `${shown(name)} takes the place of a directory that is not empty`);
    if (known) known.links -= known.children ? 2 : 1;
    if (known?.children) parent.links--;
    parent.children!.set(name, node);
    if (node.children) {
      node.links = 2;
      parent.links++;
    } else node.links++;
  }

  /** The directory that members below these names go to; made where it is missing. Links are followed, as by tar -x. */
  private directory(parts: readonly string[], at: number): TarNode {
    let path: string[] = [];
    let node = this.root;
    let links = 0;
    const rest = [...parts];
    while (rest.length > 0) {
      const name = rest.shift()!;
      if (name === "..") {
        path = path.slice(0, -1);
        node = this.walk(path);
        continue;
      }
      let child = node.children!.get(name);
      if (!child) {
        child = this.newNode({ mode: S_IFDIR | 0o755, modified: EPOCH });
        this.put(node, name, child, at);
      }
      if ((child.mode & 0o170000) === S_IFLNK) {
        if (++links > MAX_SYMLINKS) throw new TarError(at, `too many symbolic links at ${shown(name)}`);
        rest.unshift(...child.target.split("/").filter((part) => part !== "" && part !== "."));
        if (child.target.startsWith("/")) {
          path = [];
          node = this.root;
        }
        continue;
      }
      if (!child.children) throw new TarError(at, `a member below ${shown(name)}, which is no directory`);
      path.push(name);
      node = child;
    }
    return node;
  }

  /** A directory by names that are known to be directories. */
  private walk(path: readonly string[]): TarNode {
    return path.reduce((node, name) => node.children!.get(name)!, this.root);
  }

  private find(parts: readonly string[]): TarNode | undefined {
    let node: TarNode | undefined = this.root;
    for (const name of parts) node = node?.children?.get(name);
    return node;
  }

  private newNode(
    parts: Pick<TarNode, "mode" | "modified"> & Partial<Omit<TarNode, "number" | "links" | "children">>,
  ): TarNode {
    this.count++;
    return {
      uid: 0,
      gid: 0,
      size: 0,
      offset: 0,
      device: { major: 0, minor: 0 },
      target: "",
      ...parts,
      number: this.count,
      links: 0,
      children: (parts.mode & 0o170000) === S_IFDIR ? new Map() : null,
    };
  }
}

/** The components of a member's name. A step upward is refused: no member lies outside. */
function partsOf(name: string, at: number): string[] {
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new TarError(at, `the name ${shown(name)} leads out of the archive`);
  return parts;
}

function untilNul(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  let text = "";
  for (const byte of end < 0 ? bytes : bytes.subarray(0, end)) text += String.fromCharCode(byte);
  return text;
}

function shown(name: string): string {
  return JSON.stringify(new TextDecoder().decode(bytesOf(name)));
}
