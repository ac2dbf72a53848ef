import type { Kernel } from "../kernel.js";
import type { Process } from "../task.js";
import type { HostTerminal } from "./host-terminal.js";
import { signalGroup, takeControl } from "./job-control.js";
import type { Pty } from "./pty.js";
import type { PtyFileSystem } from "./pty-file-system.js";

/** The terminals of a tree: the user's own, and the ptys that programs made. */
export class Terminals {
  /** Null until the tree belongs to a kernel: then nothing is controlled and no signal sent. */
  kernel: Kernel | null = null;
  /** The user's own terminal, /dev/pts/0; null where the host has none. */
  host: HostTerminal | null = null;
  /** devpts; null where there is no /dev. */
  fileSystem: PtyFileSystem | null = null;
  /** By their numbers. */
  readonly ptys = new Map<number, Pty>();

  /** A signal to a group, from the kernel. */
  signalGroup(group: number, signal: number): void {
    if (this.kernel !== null) signalGroup(this.kernel, group, signal);
  }

  /** The first process of a machine: the user's terminal is its own. */
  adopt(process: Process): void {
    if (this.host !== null) takeControl(this.host.terminal, process);
  }

  /** The lowest number that no terminal has. */
  freeNumber(): number {
    let number = this.host === null ? 0 : 1;
    while (this.ptys.has(number)) number++;
    return number;
  }
}
