const S_IFDIR = 0o040000;
const S_IFCHR = 0o020000;
const S_IFREG = 0o100000;

/** One file of a cpio archive in the "newc" format, which the kernel unpacks into its first file system. */
function entry(
  name: string,
  mode: number,
  bytes: Uint8Array,
  device: readonly [number, number] = [0, 0],
): Buffer {
  const fields = [1, mode, 0, 0, 1, 0, bytes.length, 0, 0, ...device, name.length + 1, 0];
  const head = `070701${fields.map((field) => field.toString(16).padStart(8, "0")).join("")}${name}\0`;
  const pad = (length: number): Buffer => Buffer.alloc(-length & 3);
  return Buffer.concat([Buffer.from(head, "latin1"), pad(head.length), bytes, pad(bytes.length)]);
}

/** @param files path (without a leading slash) to bytes; all become executable */
export function initramfs(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const none = new Uint8Array();
  const directories = ["dev", "proc", "sys", "tmp", "root", "w", "bin"];
  return Buffer.concat([
    ...directories.map((name) => entry(name, S_IFDIR | 0o755, none)),
    entry("dev/console", S_IFCHR | 0o600, none, [5, 1]),
    ...Object.entries(files).map(([path, bytes]) => entry(path, S_IFREG | 0o755, bytes)),
    entry("TRAILER!!!", 0, none),
  ]);
}
