import { PAGE_SIZE } from "../../../mmu/layout.js";
import { EINVAL } from "../../errno.js";
import { TMPFS_MAGIC } from "../file-system.js";
import type { FileSystemContext, FileSystemStatistics } from "../file-system.js";
import type { DeviceNumber } from "../inode.js";
import {
  sharedMount,
  sharedSettings,
  type SharedHuge,
  type SharedSettings,
} from "../../mm/huge/shared-mount.js";
import { memparse } from "../mounts/data.js";
import type { MountData } from "../mounts/data.js";
import { TreeFileSystem } from "../tree-file-system.js";
import type { FileSystemType } from "./file-system-type.js";
import { identifier, octal } from "./options.js";

const DEFAULT_MODE = 0o1777;
/** huge=: pages of 2 MiB, where transparent_hugepage/shmem_enabled neither denies nor forces them. */
const HUGE: readonly SharedHuge[] = ["never", "always", "within_size", "advise"];

/** What tmpfs(5) lets one choose; what is absent was not said. Limits of 0 are none. */
interface TmpfsOptions {
  /** In pages. */
  readonly blocks?: number;
  readonly inodes?: number;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** 1: its pages stay in memory. */
  readonly noSwap?: number;
  /** Place in HUGE. */
  readonly huge?: number;
}

/** A mounted tmpfs: a tree in memory with limits (mm/shmem.c). */
export class Tmpfs extends TreeFileSystem {
  /** Limits that nobody chose are not shown. */
  private readonly usual: number;
  private blockLimit: number;
  private inodeLimit: number;
  private inodesUsed = 1;
  private readonly mode: number;
  private readonly uid: number;
  private readonly gid: number;

  constructor(
    context: FileSystemContext,
    device: DeviceNumber,
    options: TmpfsOptions,
    settings: SharedSettings | null = null,
  ) {
    const { mode = DEFAULT_MODE, uid = 0, gid = 0 } = options;
    super(context, device, null, { mode, uid, gid });
    this.usual = Math.floor(context.frames.total / 2);
    this.mode = mode;
    this.uid = uid;
    this.gid = gid;
    this.blockLimit = options.blocks ?? this.usual;
    this.inodeLimit = options.inodes ?? this.usual;
    this.swappable = options.noSwap !== 1;
    this.sharedMemory = sharedMount(false, settings ?? sharedSettings());
    this.sharedMemory.huge = HUGE[options.huge ?? 0]!;
    if (this.blockLimit > 0) this.quota = { used: 0, limit: this.blockLimit };
  }

  override takeInode(): boolean {
    if (this.inodeLimit > 0 && this.inodesUsed >= this.inodeLimit) return false;
    this.inodesUsed++;
    return true;
  }

  override giveInode(): void {
    this.inodesUsed--;
  }

  override evicted(): void {
    this.giveInode();
  }

  override statistics(): FileSystemStatistics {
    const limit = this.inodeLimit;
    return {
      magic: TMPFS_MAGIC,
      blockSize: PAGE_SIZE,
      blocks: this.blockLimit,
      free: this.blockLimit - Math.min(this.blockLimit, this.quota?.used ?? 0),
      files: limit,
      freeFiles: limit === 0 ? 0 : limit - this.inodesUsed,
    };
  }

  override showOptions(): string {
    const size = this.blockLimit === this.usual ? "" : `,size=${this.blockLimit * 4}k`;
    const inodes = this.inodeLimit === this.usual ? "" : `,nr_inodes=${this.inodeLimit}`;
    const mode = this.mode === DEFAULT_MODE ? "" : `,mode=${this.mode.toString(8).padStart(3, "0")}`;
    const owner = `${this.uid === 0 ? "" : `,uid=${this.uid}`}${this.gid === 0 ? "" : `,gid=${this.gid}`}`;
    const { huge } = this.sharedMemory!;
    const how = huge === "never" ? "" : `,huge=${huge}`;
    return `${size}${inodes}${mode}${owner}${how}${this.swappable ? "" : ",noswap"}`;
  }

  /** Only the limits can be changed, not from none and not below what is in use (shmem_reconfigure). */
  override reconfigure(data: MountData): number {
    const options = parse(data, this.context.frames.total);
    if (typeof options === "number") return options;
    const { blocks = 0, inodes = 0 } = options;
    if (blocks > 0 && (this.quota === null || this.quota.used > blocks)) return -EINVAL;
    if (inodes > 0 && (this.inodeLimit === 0 || this.inodesUsed > inodes)) return -EINVAL;
    // A limit of 0 is not taken over: pages that were charged stay charged.
    if (blocks > 0) this.blockLimit = this.quota!.limit = blocks;
    if (inodes > 0) this.inodeLimit = inodes;
    if (options.huge !== undefined) this.sharedMemory!.huge = HUGE[options.huge]!;
    return 0;
  }
}

/** shmem_parse_one. Options of what is not built in (quotas, NUMA) are EINVAL. */
function parse({ rest }: MountData, ram: number): TmpfsOptions | number {
  const options: { -readonly [K in keyof TmpfsOptions]: number } = {};
  for (const { name, value } of rest) {
    const number = numberOf(name, value, ram);
    if (number < 0) return number;
    if (name === "size" || name === "nr_blocks") options.blocks = number;
    else if (name === "nr_inodes") options.inodes = number;
    else if (name === "mode") options.mode = number & 0o7777;
    else if (name === "uid") options.uid = number;
    else if (name === "gid") options.gid = number;
    else if (name === "noswap") options.noSwap = 1;
    else if (name === "huge") options.huge = number;
  }
  return options;
}

function numberOf(name: string, value: string | null, ram: number): number {
  switch (name) {
    case "size":
    case "nr_blocks":
    case "nr_inodes": {
      if (value === null) return -EINVAL;
      const { value: number, rest } = memparse(value);
      if (name === "size" && rest === "%")
        return Math.ceil(Math.floor((number * ram * PAGE_SIZE) / 100) / PAGE_SIZE);
      if (rest !== "") return -EINVAL;
      return name === "size" ? Math.ceil(number / PAGE_SIZE) : number;
    }
    case "mode":
      return octal(value);
    case "uid":
    case "gid":
      return identifier(value);
    case "huge":
      return HUGE.indexOf(value as SharedHuge) === -1 ? -EINVAL : HUGE.indexOf(value as SharedHuge);
    case "inode32":
    case "inode64":
    case "noswap":
      return value === null ? 0 : -EINVAL;
    default:
      return -EINVAL;
  }
}

export const TMPFS: FileSystemType = {
  name: "tmpfs",
  single: false,
  mount({ namespace, data }) {
    const options = parse(data, namespace.context.frames.total);
    if (typeof options === "number") return options;
    return new Tmpfs(namespace.context, namespace.newDevice(), options, namespace.sharedSettings);
  },
};
