/** How deep epolls may watch each other, and by how many ways a wake may travel (fs/eventpoll.c, "loop checks"). */

import { EpollFile, EpollItem } from "./epoll-file.js";
import type { OpenFile } from "./open-file.js";

/** EP_MAX_NESTS */
const MAX_NESTS = 4;
/** Ways of each length from a file up to epolls that nobody watches; of length 0 any number (path_limits). */
const PATH_LIMITS = [Infinity, 500, 100, 50, 10];

/** Levels of epolls below one; Infinity where `sought` is among them. */
function depthBelow(epoll: EpollFile, sought: EpollFile, level: number, files: Set<OpenFile>): number {
  let depth = 0;
  for (const { file } of epoll.items()) {
    if (!(file instanceof EpollFile)) {
      files.add(file);
      continue;
    }
    if (file === sought || level > MAX_NESTS) return Infinity;
    depth = Math.max(depth, depthBelow(file, sought, level + 1, files) + 1);
    if (depth > MAX_NESTS) break;
  }
  return depth;
}

function* epollsAbove(file: OpenFile): Generator<EpollFile> {
  for (const watcher of file.watchers ?? []) if (watcher instanceof EpollItem) yield watcher.epoll;
}

function levelsAbove(epoll: EpollFile, level: number): number {
  if (level > MAX_NESTS) return MAX_NESTS + 1;
  let levels = 0;
  for (const above of epollsAbove(epoll)) levels = Math.max(levels, levelsAbove(above, level + 1) + 1);
  return levels;
}

/**
 * May `epoll` watch `inner`: no loop, at most five levels?
 * @param files gets the files watched at the bottom
 */
export function mayNest(epoll: EpollFile, inner: EpollFile, files: Set<OpenFile>): boolean {
  const below = depthBelow(inner, epoll, 0, files);
  return below <= MAX_NESTS && below + 1 + levelsAbove(epoll, 0) <= MAX_NESTS;
}

/** Do few enough ways lead up from each of these files (reverse_path_check)? */
export function fewPaths(files: Iterable<OpenFile>): boolean {
  const counts = [0, 0, 0, 0, 0];
  const follow = (file: OpenFile, depth: number): boolean => {
    if (depth > MAX_NESTS) return false;
    for (const epoll of epollsAbove(file)) {
      const last = epoll.watchers === null || epoll.watchers.size === 0;
      if (last ? ++counts[depth]! > PATH_LIMITS[depth]! : !follow(epoll, depth + 1)) return false;
    }
    return true;
  };
  for (const file of files) {
    counts.fill(0);
    if (!follow(file, 0)) return false;
  }
  return true;
}
