// An initramfs: files in the "newc" cpio format, which the kernel unpacks into its first file system.
import { Buffer } from "node:buffer";

const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFREG = 0o100000;

function entry(name, mode, bytes, device = [0, 0]) {
  const fields = [1, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
  const pad = (length) => Buffer.alloc(-length & 3);
  return Buffer.concat([Buffer.from(head), pad(head.length), bytes, pad(bytes.length)]);
}

/** @param files path (without a leading slash) to bytes; all become executable */
export function initramfs(files) {
  const none = Buffer.alloc(0);
  return Buffer.concat([
    entry("dev", S_IFDIR | 0o755, none),
    entry("dev/console", S_IFCHR | 0o600, none, [5, 1]),
    entry("dev/null", S_IFCHR | 0o666, none, [1, 3]),
    ...Object.entries(files).map(([path, bytes]) => entry(path, S_IFREG | 0o755, Buffer.from(bytes))),
    entry("TRAILER!!!", 0, none),
  ]);
}
