import { EINVAL, ENOMEM } from "../../errno.js";
import { HugeFilePages } from "../../mm/hugetlb/file-pages.js";
import type { HugePagePool } from "../../mm/hugetlb/pool.js";
import type { HugePagePools } from "../../mm/hugetlb/pools.js";
import { Subpool } from "../../mm/hugetlb/subpool.js";
import type { FileSystemContext, FileSystemStatistics } from "../file-system.js";
import { HugetlbInode } from "../hugetlb-file.js";
import type { DeviceNumber, Inode, NewInode } from "../inode.js";
import { S_IFLNK, S_IFMT, S_IFREG } from "../mode.js";
import { memparse, type MountData } from "../mounts/data.js";
import { TreeDirectory } from "../tree-directory.js";
import { TreeFileSystem } from "../tree-file-system.js";
import type { FileSystemType } from "./file-system-type.js";
import { identifier, octal } from "./options.js";

const HUGETLBFS_MAGIC = 0x9584_58f6;
const DEFAULT_MODE = 0o755;

/** What a mount may say; what is absent was not said. */
interface HugetlbOptions {
  /** Huge pages at most, and at least. */
  readonly most?: number;
  readonly least?: number;
  readonly inodes?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** A tree whose files' pages are huge and come from the pool (fs/hugetlbfs/inode.c). */
export class HugetlbFileSystem extends TreeFileSystem {
  private inodesFree: number;

  constructor(
    context: FileSystemContext,
    device: DeviceNumber,
    private readonly pools: HugePagePools,
    readonly pool: HugePagePool,
    private readonly options: HugetlbOptions = {},
    readonly subpool: Subpool | null = null,
  ) {
    const { mode = DEFAULT_MODE, uid = 0, gid = 0 } = options;
    super(context, device, null, { mode, uid, gid }, "hugetlbfs");
    this.inodesFree = (options.inodes ?? Infinity) - 1;
  }

  override make(parts: NewInode, hostPath: string | null = null): Inode {
    if ((parts.mode & S_IFMT) !== S_IFREG) return super.make(parts, hostPath);
    const pages = new HugeFilePages(this.context.frames, this.pool, 0, this.subpool);
    return new HugetlbInode(this, { ...parts, number: this.newInodeNumber(), time: this.now() }, pages);
  }

  /** Of directories too. */
  override get blockSize(): number {
    return this.pool.bytes;
  }

  /** A link's text would have to be written into a page of its own (hugetlbfs_write_begin). */
  override refuses(mode: number): number {
    return (mode & S_IFMT) === S_IFLNK ? -EINVAL : 0;
  }

  override takeInode(): boolean {
    if (this.inodesFree <= 0) return false;
    this.inodesFree--;
    return true;
  }

  override giveInode(): void {
    this.inodesFree++;
  }

  override evicted(): void {
    this.giveInode();
  }

  override statistics(): FileSystemStatistics {
    const { inodes } = this.options;
    const blocks = this.subpool?.most ?? 0;
    return {
      magic: HUGETLBFS_MAGIC,
      blockSize: this.pool.bytes,
      blocks,
      free: blocks - (this.subpool?.used ?? 0),
      files: inodes ?? 0,
      freeFiles: inodes === undefined ? 0 : this.inodesFree,
    };
  }

  override showOptions(): string {
    const { most, least, inodes, mode = DEFAULT_MODE, uid = 0, gid = 0 } = this.options;
    const said = (name: string, value: number | undefined): string =>
      value === undefined ? "" : `,${name}=${value}`;
    const owner = `${uid === 0 ? "" : `,uid=${uid}`}${gid === 0 ? "" : `,gid=${gid}`}`;
    const permissions = mode === DEFAULT_MODE ? "" : `,mode=${mode.toString(8)}`;
    const bytes = (pages: number | undefined): number | undefined =>
      pages === undefined ? undefined : pages * this.pool.bytes;
    const limits = `${said("size", bytes(most))}${said("min_size", bytes(least))}`;
    return `${owner}${permissions}${said("nr_inodes", inodes)},pagesize=${this.pool.bytes / 2 ** 20}M${limits}`;
  }

  /** Options are looked at, and nothing changes. */
  override reconfigure(data: MountData): number {
    const read = parse(data, this.pools, this.pool);
    return typeof read === "number" ? read : 0;
  }

  override shutDown(): void {
    const empty = (directory: TreeDirectory): void => {
      for (const inode of directory.names.values())
        if (inode instanceof TreeDirectory) empty(inode);
        else if (inode instanceof HugetlbInode) inode.pages.destroy();
    };
    empty(this.root);
    this.subpool?.end();
  }
}

/** hugetlbfs_parse_param, hugetlbfs_validate: a share of the pool is of the one that is named, before or behind. */
function parse(
  { rest }: MountData,
  pools: HugePagePools,
  named: HugePagePool,
): { readonly pool: HugePagePool; readonly options: HugetlbOptions } | number {
  const options: { -readonly [K in keyof HugetlbOptions]: number } = {};
  const limits: { most?: string; least?: string } = {};
  let pool = named;
  for (const { name, value } of rest) {
    if (name === "size" || name === "min_size") {
      if (value === null || !/^\d/.test(value)) return -EINVAL;
      limits[name === "size" ? "most" : "least"] = value;
      continue;
    }
    if (name === "pagesize") {
      const found = value === null ? undefined : pools.ofSize(memparse(value).value);
      if (found === undefined) return -EINVAL;
      pool = found;
      continue;
    }
    const number = numberOf(name, value);
    if (number < 0) return number;
    if (name === "nr_inodes") options.inodes = number;
    else if (name === "mode") options.mode = number & 0o1777;
    else if (name === "uid") options.uid = number;
    else if (name === "gid") options.gid = number;
  }
  if (limits.most !== undefined) options.most = pagesOf(limits.most, pool);
  if (limits.least !== undefined) options.least = pagesOf(limits.least, pool);
  const { most, least } = options;
  return most !== undefined && least !== undefined && least > most ? -EINVAL : { pool, options };
}

/** Huge pages in so many bytes, or in a share of the pool. */
function pagesOf(text: string, pool: HugePagePool): number {
  const { value, rest } = memparse(text);
  return Math.floor(rest.startsWith("%") ? (value * pool.asked) / 100 : value / pool.bytes);
}

function numberOf(name: string, value: string | null): number {
  switch (name) {
    case "nr_inodes":
      return value !== null && /^\d/.test(value) ? memparse(value).value : -EINVAL;
    case "mode":
      return octal(value);
    case "uid":
    case "gid":
      return identifier(value);
    default:
      return -EINVAL;
  }
}

export const HUGETLBFS: FileSystemType = {
  name: "hugetlbfs",
  single: false,
  mount({ kernel, namespace, data }) {
    const { hugePages } = kernel;
    const read = parse(data, hugePages, hugePages.default);
    if (typeof read === "number") return read;
    const { pool, options } = read;
    const { most, least } = options;
    const limited = most !== undefined || least !== undefined;
    const subpool = limited ? Subpool.create(pool, most ?? null, least ?? null) : null;
    if (limited && subpool === null) return -ENOMEM;
    return new HugetlbFileSystem(namespace.context, namespace.newDevice(), hugePages, pool, options, subpool);
  },
};
