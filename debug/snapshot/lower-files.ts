import { PAGE_SIZE } from "../../mmu/layout.js";
import type { HostLower } from "../../kernel/fs/host-lower.js";
import { TreeFile } from "../../kernel/fs/tree-file.js";
import { bytesOf } from "../../kernel/fs/bytes.js";
import { SnapshotError } from "./file-error.js";

/**
 * Looks whether the files of the host are there that a loaded machine goes on reading, and whether they hold what the
 * machine has of them.
 * @param objects the machine's
 * @throws SnapshotError that names the first one that is not
 */
export function checkLowerFiles(objects: Iterable<object>): void {
  for (const object of objects) {
    if (!(object instanceof TreeFile) || object.store === null || object.hostPath === null) continue;
    const reason = differenceOf(object, object.store, object.hostPath);
    if (reason !== null)
      throw new SnapshotError(
        `needs the files that it was saved with: ${new TextDecoder().decode(bytesOf(object.hostPath))} ${reason}`,
      );
  }
}

function differenceOf(file: TreeFile, store: HostLower, path: string): string | null {
  if (file.lowerSize === 0 && file.pages.resident === 0) return null;
  const stat = store.stat(path);
  if (typeof stat === "number") return "is not there";
  if (stat.size < file.lowerSize) return "is shorter";
  const bytes = new Uint8Array(PAGE_SIZE);
  const kept = new Uint8Array(PAGE_SIZE);
  for (const index of file.pages.residentIndexes()) {
    const inside = Math.min(PAGE_SIZE, file.lowerSize - index * PAGE_SIZE);
    if (inside <= 0 || file.pages.dirty.has(index)) continue;
    file.pages.peek(index * PAGE_SIZE, kept);
    const count = store.read(path, index * PAGE_SIZE, bytes.subarray(0, inside));
    if (count !== inside) return "cannot be read";
    for (let i = 0; i < inside; i++) if (bytes[i] !== kept[i]) return "has other bytes";
  }
  return null;
}
