import { ENODEV, ENOSPC, EPERM, ESPIPE } from "../errno.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";

/** What the character devices need from outside. */
export interface DeviceServices {
  random(count: number): Uint8Array;
}

abstract class CharacterFile extends OpenFile {
  override get mmapRefused(): number | undefined {
    return ENODEV;
  }
}

export class NullFile extends CharacterFile {
  override get discards(): boolean {
    return true;
  }
  override read(): number {
    return 0;
  }
}

export class ZeroFile extends CharacterFile {
  readonly zeroDevice = true;
  override get mmapRefused(): undefined {
    return undefined;
  }
  override get discards(): boolean {
    return true;
  }
  override read(destination: Uint8Array): number {
    destination.fill(0);
    return destination.length;
  }
}

export class FullFile extends CharacterFile {
  override read(destination: Uint8Array): number {
    destination.fill(0);
    return destination.length;
  }
  override write(): number {
    return -ENOSPC;
  }
}

export class RandomFile extends CharacterFile {
  constructor(
    location: Location,
    flags: number,
    private readonly services: DeviceServices,
  ) {
    super(location, flags);
  }
  override read(destination: Uint8Array): number {
    destination.set(this.services.random(destination.length));
    return destination.length;
  }
  override write(source: Uint8Array): number {
    return source.length;
  }
}

/** /dev/userfaultfd: whoever may open it may ask it for userfaultfds. */
export class UserfaultDevice extends CharacterFile {}

export const NULL_DEVICE = { major: 1, minor: 3 };
export const ZERO_DEVICE = { major: 1, minor: 5 };
export const FULL_DEVICE = { major: 1, minor: 7 };
export const RANDOM_DEVICE = { major: 1, minor: 8 };
export const URANDOM_DEVICE = { major: 1, minor: 9 };
/** A misc device, whose number is given at run time. */
export const USERFAULT_DEVICE = { major: 10, minor: 257 };
export const TTY_DEVICE = { major: 5, minor: 0 };
export const CONSOLE_DEVICE = { major: 5, minor: 1 };
export const PTMX_DEVICE = { major: 5, minor: 2 };

/** What lseek answers for a device: most keep no position that matters (noop or null lseek). */
export function deviceSeek(file: OpenFile): number {
  if (file instanceof NullFile || file instanceof ZeroFile || file instanceof FullFile)
    return (file.position = 0);
  if (file instanceof RandomFile) return 0;
  return file.writable || file.readable ? -ESPIPE : -EPERM;
}
