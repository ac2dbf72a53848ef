import { EINVAL, ENOMEM } from "../../errno.js";
import { HugeFilePages } from "../../mm/hugetlb/file-pages.js";
import { HUGE_PAGE_BYTES, type HugePagePool } from "../../mm/hugetlb/pool.js";
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
    return HUGE_PAGE_BYTES;
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
      blockSize: HUGE_PAGE_BYTES,
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
      pages === undefined ? undefined : pages * HUGE_PAGE_BYTES;
    const limits = `${said("size", bytes(most))}${said("min_size", bytes(least))}`;
    return `${owner}${permissions}${said("nr_inodes", inodes)},pagesize=2M${limits}`;
  }

  /** Options are looked at, and nothing changes. */
  override reconfigure(data: MountData): number {
    const options = parse(data, this.pool);
    return typeof options === "number" ? options : 0;
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

/** hugetlbfs_parse_param, hugetlbfs_validate */
function parse({ rest }: MountData, pool: HugePagePool): HugetlbOptions | number {
  const options: { -readonly [K in keyof HugetlbOptions]: number } = {};
  for (const { name, value } of rest) {
    const number = numberOf(name, value, pool);
    if (number < 0) return number;
    if (name === "size") options.most = number;
    else if (name === "min_size") options.least = number;
    else if (name === "nr_inodes") options.inodes = number;
    else if (name === "mode") options.mode = number & 0o1777;
    else if (name === "uid") options.uid = number;
    else if (name === "gid") options.gid = number;
  }
  const { most, least } = options;
  return most !== undefined && least !== undefined && least > most ? -EINVAL : options;
}

function numberOf(name: string, value: string | null, pool: HugePagePool): number {
  switch (name) {
    case "size":
    case "min_size": {
      if (value === null || !/^\d/.test(value)) return -EINVAL;
      const { value: number, rest } = memparse(value);
      return Math.floor(rest.startsWith("%") ? (number * pool.asked) / 100 : number / HUGE_PAGE_BYTES);
    }
    case "nr_inodes":
      return value !== null && /^\d/.test(value) ? memparse(value).value : -EINVAL;
    case "pagesize":
      return value !== null && memparse(value).value === HUGE_PAGE_BYTES ? 0 : -EINVAL;
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
    const pool = kernel.hugePages;
    const options = parse(data, pool);
    if (typeof options === "number") return options;
    const { most, least } = options;
    const limited = most !== undefined || least !== undefined;
    const subpool = limited ? Subpool.create(pool, most ?? null, least ?? null) : null;
    if (limited && subpool === null) return -ENOMEM;
    return new HugetlbFileSystem(namespace.context, namespace.newDevice(), pool, options, subpool);
  },
};
