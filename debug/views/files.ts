import {
  O_ACCMODE,
  O_APPEND,
  O_DIRECT,
  O_DIRECTORY,
  O_NOATIME,
  O_NONBLOCK,
  O_PATH,
} from "../../kernel/fs/open-flags.js";
import type { FileRow } from "./rows.js";
import type { View } from "./view.js";

const ACCESS = ["O_RDONLY", "O_WRONLY", "O_RDWR"];
const FLAGS = [
  ["O_APPEND", O_APPEND],
  ["O_NONBLOCK", O_NONBLOCK],
  ["O_DIRECT", O_DIRECT],
  ["O_DIRECTORY", O_DIRECTORY],
  ["O_NOATIME", O_NOATIME],
] as const;

/** What the thread's process has open, by descriptor. */
export function fileRows(view: View): FileRow[] {
  const { files } = view.task;
  return [...files].map(([descriptor, file]) => {
    const closeOnExec = files.closesOnExec(descriptor);
    const names = [(file.flags & O_PATH) !== 0 ? "O_PATH" : (ACCESS[file.flags & O_ACCMODE] ?? "O_ACCMODE")];
    for (const [name, bit] of FLAGS) if ((file.flags & bit) !== 0) names.push(name);
    const flags = names.join("|");
    const { position, mapName: path } = file;
    const marks = closeOnExec ? `${flags}|O_CLOEXEC` : flags;
    const text = `${String(descriptor).padStart(3)}  ${marks.padEnd(28)} ${String(position).padStart(8)}  ${path}`;
    return { descriptor, path, flags, position, closeOnExec, text };
  });
}
