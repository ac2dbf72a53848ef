import * as fs from "node:fs";
import { EIO } from "../kernel/errno.js";
import type { ByteSource } from "../kernel/fs/byte-source.js";
import { ArraySource } from "../kernel/fs/byte-source.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { zlib } from "./node-modules.js";

/** An archive on the host that stays open while the machine runs. */
class FileSource implements ByteSource {
  constructor(
    private readonly fd: number,
    readonly size: number,
  ) {}

  read(offset: number, destination: Uint8Array): number {
    try {
      let done = 0;
      while (done < destination.length) {
        const count = fs.readSync(this.fd, destination, done, destination.length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return done;
    } catch {
      return -EIO;
    }
  }
}

const COMPRESSIONS: readonly { readonly magic: readonly number[]; readonly program: string }[] = [
  { magic: [0x1f, 0x8b], program: "gzip" },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], program: "xz" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: "zstd" },
  { magic: [0x42, 0x5a, 0x68], program: "bzip2" },
  { magic: [0x04, 0x22, 0x4d, 0x18], program: "lz4" },
];

/**
 * What `--root` names: null for a directory, else the bytes of a tar archive. One that gzip made is unpacked into
 * memory, whatever its name; others stay where they are and are read as they are needed. @throws Failure
 */
export function rootImage(path: string): ByteSource | null {
  const fail = (reason: string): Failure => new Failure(USAGE_STATUS, `--root: ${path}: ${reason}`);
  let source: FileSource;
  try {
    const stat = fs.statSync(path);
    if (stat.isDirectory()) return null;
    if (!stat.isFile()) throw fail("neither a directory nor a tar archive");
    source = new FileSource(fs.openSync(path, "r"), stat.size);
  } catch (error) {
    throw error instanceof Failure ? error : fail(reasonOf(error));
  }
  const start = new Uint8Array(8);
  source.read(0, start);
  const packed = COMPRESSIONS.find(({ magic }) => magic.every((byte, i) => start[i] === byte));
  if (packed === undefined) return source;
  if (packed.program !== "gzip") throw fail(`decompress it first (${packed.program} -d)`);
  try {
    return new ArraySource(zlib().gunzipSync(fs.readFileSync(path)));
  } catch (error) {
    throw fail(`gzip: ${reasonOf(error)}`);
  }
}
