import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DebugFiles } from "../../debug/dwarf/modules.js";
import { zlib } from "../node-modules.js";

const LARGEST_SOURCE = 1 << 24;

/**
 * Sources from where the compiler had them, then from the folders: under their path's last components, all that there
 * are first, as gdb looks for them.
 */
export function hostDebugFiles(folders: readonly string[]): DebugFiles {
  return {
    text(path) {
      const own = textOf(path);
      if (own !== undefined) return own;
      const parts = path.split("/").filter((part) => part !== "");
      for (const folder of folders)
        for (let i = 0; i < parts.length; i++) {
          const text = textOf(join(folder, ...parts.slice(i)));
          if (text !== undefined) return text;
        }
      return undefined;
    },
    inflate: (bytes) => zlib().inflateSync(bytes),
  };
}

function textOf(path: string): string | undefined {
  try {
    const stat = statSync(path);
    return stat.isFile() && stat.size <= LARGEST_SOURCE ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
