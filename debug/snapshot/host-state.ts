import type { Host } from "../../kernel/host.js";
import { RewindableHost } from "../recording/rewindable-host.js";
import { SeededRandom } from "../seeded-random.js";

/** Whatever a host needs to go back; nobody else looks into it. */
export type HostState = unknown;

/** A host that can be put back with its machine: what it gives after that is what it gave the first time. */
export interface RestorableHost extends Host {
  saveState(): HostState;
  loadState(state: HostState): void;
}

/** Where a host's randomness comes from, if it is a seed. */
export function seededRandomOf(host: Host): SeededRandom | null {
  if ("randomness" in host && host.randomness instanceof SeededRandom) return host.randomness;
  return host instanceof RewindableHost ? seededRandomOf(host.inner) : null;
}

export function hasState(host: Host): host is RestorableHost {
  return "saveState" in host && "loadState" in host;
}
