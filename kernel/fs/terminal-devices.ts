/** What opening a terminal's node does (drivers/tty/tty_io.c: tty_open, drivers/tty/pty.c: ptmx_open). */

import { CAP_SYS_ADMIN } from "../capabilities.js";
import { hasCapability } from "../credentials.js";
import { EBUSY, EIO, ENXIO } from "../errno.js";
import type { Host } from "../host.js";
import { HostTerminal } from "../tty/host-terminal.js";
import { acquireOnOpen } from "../tty/job-control.js";
import { createPty, PTS_MAJOR, PtyMasterFile } from "../tty/pty.js";
import { PtyFileSystem } from "../tty/pty-file-system.js";
import { TerminalFile } from "../tty/terminal-file.js";
import type { Terminal } from "../tty/terminal.js";
import { CONSOLE_DEVICE, PTMX_DEVICE, TTY_DEVICE } from "./device-files.js";
import type { DeviceNumber } from "./inode.js";
import type { Location } from "./mount.js";
import type { DeviceOpener, Namespace } from "./namespace.js";
import { O_ACCMODE, O_NOCTTY, O_WRONLY } from "./open-flags.js";

/** Tells the namespace what terminals' numbers mean; with a host's terminal, that is /dev/pts/0 and the console. */
export function installTerminals(
  namespace: Namespace,
  host: Host,
  add: (device: DeviceNumber, open: DeviceOpener) => void,
): void {
  const { terminals } = namespace;
  if (host.isTerminal(0) || host.isTerminal(1) || host.isTerminal(2))
    terminals.host = new HostTerminal(terminals, host);
  add(TTY_DEVICE, (location, flags) => {
    const terminal = terminals.kernel?.current.process.controllingTerminal ?? null;
    return terminal === null ? -ENXIO : openTerminal(terminal, location, flags, true);
  });
  add(CONSOLE_DEVICE, (location, flags) =>
    terminals.host === null ? -ENXIO : openTerminal(terminals.host.terminal, location, flags, true),
  );
  add(PTMX_DEVICE, (location, flags) => {
    const credentials = terminals.kernel?.current.credentials;
    const pty = createPty(terminals, credentials?.fsuid ?? 0);
    return typeof pty === "number" ? pty : new PtyMasterFile(location, flags, pty);
  });
  namespace.deviceMajors.set(PTS_MAJOR, (location, flags, _context, asked) => {
    const { minor } = location.dentry.inode.deviceNumber;
    const pty = terminals.ptys.get(minor);
    const own = terminals.host;
    const terminal = pty?.terminal ?? (minor === 0 && own !== null ? own.terminal : null);
    if (terminal === null || terminal.dead || pty?.locked === true) return -EIO;
    return openTerminal(terminal, location, flags, (asked & O_NOCTTY) !== 0);
  });
}

/** Opens a terminal; without `noControl` it may become the caller's controlling terminal. */
export function openTerminal(
  terminal: Terminal,
  location: Location,
  flags: number,
  noControl: boolean,
): TerminalFile | number {
  const { kernel } = terminal.terminals;
  if (terminal.exclusive && kernel !== null && !hasCapability(kernel.current.credentials, CAP_SYS_ADMIN))
    return -EBUSY;
  const file = new TerminalFile(location, flags, terminal);
  if (!noControl && kernel !== null)
    acquireOnOpen(terminal, kernel.current.process, (flags & O_ACCMODE) !== O_WRONLY);
  return file;
}

/** Mounts devpts. The user's own terminal is its first node. */
export function mountPtys(namespace: Namespace, at: Location): void {
  const { terminals } = namespace;
  const fileSystem = new PtyFileSystem(namespace.context, namespace.newDevice());
  terminals.fileSystem = fileSystem;
  namespace.permanent.set("devpts", fileSystem);
  namespace.mount(at, fileSystem, { source: "devpts" });
  if (terminals.host !== null) fileSystem.add(0, 0);
}
