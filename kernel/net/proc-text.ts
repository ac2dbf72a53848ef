import type { Network } from "./network.js";
import { TcpSocket } from "./tcp-socket.js";
import { unixAddressText } from "./unix-address.js";
import { UnixSocket } from "./unix-socket.js";

const SS_UNCONNECTED = 1;
const SS_CONNECTED = 3;
const ACCEPTS = 0x10000;

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");

/** /proc/net/unix: a line a socket. Addresses of kernel objects are zero, as for who may not see them. */
export function unixSocketsText(network: Network): string {
  let text = "Num       RefCount Protocol Flags    Type St Inode Path\n";
  for (const { socket } of network.files) {
    if (!(socket instanceof UnixSocket)) continue;
    const isConnected = socket.state === "established";
    const columns = [
      `${"0".repeat(16)}:`,
      hex(isConnected ? 3 : 2, 8),
      hex(0, 8),
      hex(socket.isListening ? ACCEPTS : 0, 8),
      hex(socket.type, 4),
      hex(isConnected ? SS_CONNECTED : SS_UNCONNECTED, 2),
      `${socket.inode}`.padStart(5),
    ];
    if (socket.address !== null) columns.push(unixAddressText(socket.address));
    text += `${columns.join(" ")}\n`;
  }
  return text;
}

/** What is in use, as /proc/net/sockstat counts it. */
export function socketCountsText(network: Network): string {
  const tcp = [...network.tcpPorts].filter((socket) => socket instanceof TcpSocket).length;
  const udp = [...network.udpPorts].length;
  return `sockets: used ${network.files.size}\nTCP: inuse ${tcp} orphan 0 tw 0 alloc ${tcp} mem 0\nUDP: inuse ${udp} mem 0\n`;
}
