import type { Location } from "../fs/mount.js";
import { OpenFile } from "../fs/open-file.js";
import { EAGAIN } from "../errno.js";
import type { WaitQueue } from "../wait-queue.js";
import type { Network } from "./network.js";
import { MSG_NOSIGNAL } from "./constants.js";
import type { SenderCredentials } from "./sender-credentials.js";
import type { Socket } from "./socket.js";

/** The open file of a socket. Its identity outlives no descriptor but may travel in messages. */
export class SocketFile extends OpenFile {
  /** References that messages hold. */
  inFlight = 0;

  constructor(
    location: Location,
    flags: number,
    readonly socket: Socket,
    private readonly network: Network,
    /** Signs what the kernel itself writes for its owner (sendfile). */
    private readonly owner: SenderCredentials,
  ) {
    super(location, flags);
    socket.inode = this.inode;
    network.opened(this);
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitQueue(): WaitQueue {
    return this.socket.queue;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }

  override read(destination: Uint8Array): number {
    if (destination.length === 0) return 0;
    const received = this.socket.receive({ room: destination.length, flags: 0 });
    if (typeof received === "number") return received === -EAGAIN && this.socket.atEnd ? 0 : received;
    received.rights?.release();
    destination.set(received.bytes);
    return received.bytes.length;
  }

  override unread(bytes: Uint8Array): void {
    this.socket.unread(bytes);
  }

  override write(source: Uint8Array): number {
    const bytes = this.socket.isStream ? source.slice(0, this.socket.sendUnit) : source.slice();
    return this.socket.send({
      bytes,
      flags: MSG_NOSIGNAL,
      address: null,
      rights: null,
      credentials: null,
      signer: this.owner,
      task: null,
    });
  }

  override poll(): number {
    return this.socket.poll();
  }

  override release(): void {
    super.release();
    if (this.inFlight > 0 && this.references === this.inFlight) this.network.collect();
  }

  /** True while something other than a message refers to it. */
  get isHeld(): boolean {
    return this.references > this.inFlight;
  }

  protected override close(): void {
    this.network.closed(this);
    this.socket.close();
    if (this.network.inFlight > 0) this.network.collect();
  }
}
