import { ENOENT } from "../../errno.js";
import type { Area } from "../../mm/area.js";
import type { Task } from "../../task.js";
import { OpenFile } from "../open-file.js";
import type { Children, Node, Owner } from "./file-system.js";
import { memoryOf } from "./task-status.js";

/** A link's name: the area's start and end in hexadecimal, without anything before the digits. */
const NAME = /^(0|[1-9a-f][0-9a-f]*)-([1-9a-f][0-9a-f]*)$/;

/** /proc/PID/map_files: a link for each area that maps a file, to that file (proc_map_files_readdir). */
export function mapFiles(task: Task, owner: Owner, permitted: () => number): Node {
  const linkTo = ({ file, flags }: Area): Node | null => {
    if (!(file instanceof OpenFile)) return null;
    // Readable and writable as the mapping is.
    const mode = ((flags & 1) !== 0 ? 0o400 : 0) | ((flags & 2) !== 0 ? 0o200 : 0);
    return { kind: "link", mode, owner, target: () => file.mapName, place: () => file.location };
  };
  return {
    kind: "directory",
    mode: 0o500,
    owner,
    check: permitted,
    children: (): Children => {
      const links = new Map<string, Node>();
      for (const area of memoryOf(task)?.tree ?? []) {
        const node = linkTo(area);
        if (node !== null) links.set(`${area.start.toString(16)}-${area.end.toString(16)}`, node);
      }
      return links;
    },
    child: (name) => {
      const [, start, end] = NAME.exec(name) ?? [];
      const area = start === undefined ? null : memoryOf(task)?.tree.find(parseInt(start, 16));
      if (!area || area.start !== parseInt(start!, 16) || area.end !== parseInt(end!, 16)) return -ENOENT;
      return linkTo(area) ?? -ENOENT;
    },
  };
}
