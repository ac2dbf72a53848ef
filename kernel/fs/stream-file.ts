import { EAGAIN, EPIPE } from "../errno.js";
import { HostClosed, HostRefused } from "../host.js";
import type { Host } from "../host.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./open-flags.js";

/**
 * A standard descriptor that is no terminal: the user's pipe or file, as a stream. It has no position, so lseek is
 * ESPIPE as on a pipe, also where the host has a file there.
 */
export class StreamFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    private readonly host: Host,
    private readonly stream: 0 | 1 | 2,
  ) {
    super(location, flags);
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitsOnHost(): boolean {
    return this.stream === 0;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }

  override read(destination: Uint8Array): number {
    return readInput(this.host, destination);
  }

  override write(source: Uint8Array): number {
    try {
      this.host.write(this.stream === 2 ? 2 : 1, source);
    } catch (error) {
      if (error instanceof HostClosed) return -EPIPE;
      if (error instanceof HostRefused) return error.taken > 0 ? error.taken : -error.errno;
      throw error;
    }
    return source.length;
  }

  override poll(): number {
    if (this.stream === 0) return this.host.stdin.ready() ? POLLIN | POLLRDNORM : 0;
    return POLLOUT | POLLWRNORM;
  }
}

/** Bytes of the host's standard input, 0 at its end, -EAGAIN when there are none yet. */
function readInput(host: Host, destination: Uint8Array): number {
  if (destination.length === 0) return 0;
  const bytes = host.stdin.read(destination.length);
  if (bytes === "again") return -EAGAIN;
  destination.set(bytes);
  return bytes.length;
}
