/** Debian's e2fsprogs, where they are: images are made, checked and read with them. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../../patience.js";

const PATH = "/usr/sbin:/sbin:/usr/bin:/bin";

export function run(
  command: string,
  args: readonly string[],
  input = "",
): { status: number; output: string } {
  const ran = spawnSync(command, args, {
    encoding: "latin1",
    input,
    env: { PATH, LC_ALL: "C" },
    timeout: PATIENCE_MS,
  });
  return { status: ran.status ?? -1, output: `${ran.stdout ?? ""}${ran.stderr ?? ""}` };
}

export const hasE2fsprogs = ["mke2fs", "e2fsck", "debugfs"].every((tool) => run(tool, ["-V"]).status === 0);

/** A directory for images, gone afterwards. */
export function withDirectory(use: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), "sealab-ext4-"));
  try {
    use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** An empty file system. @param options of mke2fs, words with spaces between */
export function makeImage(directory: string, bytes: number, options: string): Uint8Array {
  const path = join(directory, "image");
  writeFileSync(path, "");
  truncateSync(path, bytes);
  const made = run("mke2fs", ["-q", "-F", ...options.split(" "), path]);
  if (made.status !== 0) throw new Error(made.output);
  return new Uint8Array(readFileSync(path));
}

/** What e2fsck has to say against an image; "" where it is clean. */
export function complaints(directory: string, image: Uint8Array): string {
  const path = join(directory, "checked");
  writeFileSync(path, image);
  const checked = run("e2fsck", ["-fn", path]);
  return checked.status === 0 ? "" : checked.output;
}
