import type { AddressSpace } from "../address-space.js";
import { TASK_SIZE } from "../layout.js";
import type { MappableFile } from "../mappable-file.js";
import { MAP_SHARED, MAP_TYPE } from "../uapi.js";
import { findUnmappedArea } from "../unmapped-area.js";
import { LEAST_SHARED_ORDER, type SharedMount } from "./shared-mount.js";
import { PMD_ORDER } from "./orders.js";

/** The mount of what is to be mapped, where that is shared memory. */
function mountOf(mm: AddressSpace, file: MappableFile | null, flags: number): SharedMount | null {
  const unnamed = file === null || file.zeroDevice === true;
  if (!unnamed) return file.pages?.sharedMemory ?? null;
  return (flags & MAP_TYPE) === MAP_SHARED ? mm.env.settings.sharedMemory : null;
}

/**
 * Shared memory that may have huge pages gets a place where they can be mapped (shmem_get_unmapped_area).
 * @param found where it would go without
 * @param offset bytes in the file
 */
export function placeShared(
  mm: AddressSpace,
  file: MappableFile | null,
  found: number,
  hint: number,
  length: number,
  offset: number,
  flags: number,
): number {
  const mount = mountOf(mm, file, flags);
  if (mount === null || found === hint) return found;
  const bytes = blockBytes(mount, file === null || file.zeroDevice === true);
  if (bytes === 0 || length < bytes) return found;
  const inBlock = file === null ? 0 : offset % bytes;
  if (inBlock !== 0 && inBlock + length < 2 * bytes) return found;
  if (found % bytes === inBlock) return found;
  const inflated = length + bytes - 4096;
  const room = inflated > TASK_SIZE ? -1 : findUnmappedArea(mm, hint, inflated, flags, false);
  if (room === -1) return found;
  const place = room - (room % bytes) + inBlock + (room % bytes > inBlock ? bytes : 0);
  return place > TASK_SIZE - length ? found : place;
}

/** What to align to; 0: nothing. @param unnamed it is no file yet: sizes below 2 MiB count too */
function blockBytes({ huge, settings: { enabled, orders } }: SharedMount, unnamed: boolean): number {
  if (enabled === "deny") return 0;
  if (enabled === "force") return 4096 * 2 ** PMD_ORDER;
  for (let order = PMD_ORDER; unnamed && order >= LEAST_SHARED_ORDER; order--) {
    const own = orders[order];
    if (own === "inherit" ? huge !== "never" : own !== "never") return 4096 * 2 ** order;
  }
  return huge === "never" ? 0 : 4096 * 2 ** PMD_ORDER;
}
