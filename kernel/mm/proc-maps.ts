import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { VM_EXEC, VM_MAYSHARE, VM_READ, VM_WRITE } from "./vm-flags.js";

/** Column where names begin (show_vma_header_prefix: 25 + 6 * sizeof(void *) - 1, and a blank). */
export const NAME_COLUMN = 73;

/** What /proc/pid/maps calls an area: its file, its special name, [heap], [stack], what the program calls it, or nothing (get_vma_name). */
export function areaName(mm: AddressSpace, area: Area): string {
  const named = area.anonName !== null;
  if (area.file !== null && named) return `[anon_shmem:${area.anonName}]`;
  if (area.file !== null) return area.file.mapName.replaceAll("\n", "\\012");
  if (area.name !== "") return area.name;
  const { startBrk, brk, startStack } = mm.layout;
  // What the program has before its heap, though it ends where that begins, is none of it (vma_is_initial_heap).
  if (area.start < brk && area.end > startBrk) return "[heap]";
  if (area.start <= startStack && area.end >= startStack && startStack !== 0) return "[stack]";
  return named ? `[anon:${area.anonName}]` : "";
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}

/** One line of /proc/pid/maps, without the newline. */
export function formatMapsLine(mm: AddressSpace, area: Area): string {
  const { flags, file } = area;
  const permissions =
    ((flags & VM_READ) !== 0 ? "r" : "-") +
    ((flags & VM_WRITE) !== 0 ? "w" : "-") +
    ((flags & VM_EXEC) !== 0 ? "x" : "-") +
    ((flags & VM_MAYSHARE) !== 0 ? "s" : "p");
  const offset = file === null ? 0 : area.pageOffset * 4096;
  const device = file === null ? "00:00" : `${hex(file.device.major, 2)}:${hex(file.device.minor, 2)}`;
  const inode = file === null ? 0 : file.inode;
  const prefix = `${hex(area.start, 8)}-${hex(area.end, 8)} ${permissions} ${hex(offset, 8)} ${device} ${inode} `;
  const name = areaName(mm, area);
  return name === "" ? prefix : prefix.padEnd(NAME_COLUMN) + name;
}

/** The text of /proc/pid/maps (the vsyscall page has no area and is not shown). */
export function formatMaps(mm: AddressSpace): string {
  let text = "";
  for (const area of mm.tree) text += formatMapsLine(mm, area) + "\n";
  return text;
}
