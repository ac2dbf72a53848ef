import type { Inode } from "../fs/inode.js";
import type { NetlinkSocket } from "./netlink-socket.js";
import { Ports } from "./ports.js";
import type { SocketFile } from "./socket-file.js";
import { abstractKey } from "./unix-address.js";
import { unreachableSockets } from "./unix-garbage.js";
import type { UnixSocket } from "./unix-socket.js";

/** What all sockets of a machine share: names and ports ("struct net"). */
export class Network {
  /** Abstract unix names, by type and name. */
  readonly abstractNames = new Map<string, UnixSocket>();
  /** Unix names in the file system. */
  readonly pathNames = new Map<Inode, UnixSocket>();
  readonly tcpPorts = new Ports();
  readonly udpPorts = new Ports();
  /** Netlink sockets by their numbers. */
  readonly netlinkPorts = new Map<number, NetlinkSocket>();
  /** Files that messages carry. */
  inFlight = 0;
  /** Open socket files, in the order of their making. */
  readonly files = new Set<SocketFile>();
  private automaticNames = 0;
  private collecting = false;

  nextAutomaticName(): number {
    return this.automaticNames++;
  }

  opened(file: SocketFile): void {
    this.files.add(file);
  }

  closed(file: SocketFile): void {
    this.files.delete(file);
  }

  forgetUnix(socket: UnixSocket): void {
    if (socket.address === null) return;
    if (socket.boundInode !== null) {
      if (this.pathNames.get(socket.boundInode) === socket) this.pathNames.delete(socket.boundInode);
      return;
    }
    const key = abstractKey(socket.address, socket.type);
    if (this.abstractNames.get(key) === socket) this.abstractNames.delete(key);
  }

  /** Drops messages that only sockets in messages could read (net/unix/garbage.c). */
  collect(): void {
    if (this.collecting) return;
    this.collecting = true;
    for (const socket of unreachableSockets(this.files)) socket.messages.clear();
    this.collecting = false;
  }
}
