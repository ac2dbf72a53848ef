import { SocketFile } from "./socket-file.js";
import { UnixSocket } from "./unix-socket.js";

/**
 * Unix sockets that nothing refers to but messages which only such sockets could read: their messages are to be
 * dropped. A file under way counts as reachable when the socket that would read it is.
 */
export function unreachableSockets(files: Iterable<SocketFile>): UnixSocket[] {
  const suspects = new Set<SocketFile>();
  const reached: UnixSocket[] = [];
  for (const file of files) {
    if (!(file.socket instanceof UnixSocket)) continue;
    if (file.isHeld) reached.push(file.socket);
    else suspects.add(file);
  }
  if (suspects.size === 0) return [];
  for (let socket = reached.pop(); socket !== undefined; socket = reached.pop()) {
    reached.push(...socket.pending);
    for (const message of socket.messages) {
      for (const file of message.rights?.files ?? []) {
        if (file instanceof SocketFile && suspects.delete(file) && file.socket instanceof UnixSocket)
          reached.push(file.socket);
      }
    }
  }
  return [...suspects].map((file) => file.socket as UnixSocket);
}
