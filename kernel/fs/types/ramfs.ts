import type { FileSystemContext, FileSystemStatistics } from "../file-system.js";
import type { DeviceNumber } from "../inode.js";
import type { MountData } from "../mounts/data.js";
import { TreeFileSystem } from "../tree-file-system.js";
import type { FileSystemType } from "./file-system-type.js";
import { octal } from "./options.js";

const RAMFS_MAGIC = 0x8584_58f6;
const DEFAULT_MODE = 0o755;

/** A tree in memory without a limit. */
export class Ramfs extends TreeFileSystem {
  constructor(
    context: FileSystemContext,
    device: DeviceNumber,
    readonly mode: number,
  ) {
    super(context, device, null, { mode, uid: 0, gid: 0 }, "ramfs");
  }

  override statistics(): FileSystemStatistics {
    return { magic: RAMFS_MAGIC, blockSize: 4096, blocks: 0, free: 0, files: 0, freeFiles: 0 };
  }

  override showOptions(): string {
    return this.mode === DEFAULT_MODE ? "" : `,mode=${this.mode.toString(8)}`;
  }

  override reconfigure(data: MountData): number {
    const mode = modeOf(data);
    return mode < 0 ? mode : 0;
  }
}

/** Options that are not known are ignored, as ever (ramfs_parse_param). */
function modeOf({ rest }: MountData): number {
  let mode = DEFAULT_MODE;
  for (const { name, value } of rest) if (name === "mode") mode = octal(value);
  return mode < 0 ? mode : mode & 0o7777;
}

export const RAMFS: FileSystemType = {
  name: "ramfs",
  single: false,
  mount({ namespace, data }) {
    const mode = modeOf(data);
    return mode < 0 ? mode : new Ramfs(namespace.context, namespace.newDevice(), mode);
  },
};
