import type { Host } from "../../kernel/host.js";

/** Whatever a host needs to go back; nobody else looks into it. */
export type HostState = unknown;

/** A host that can be put back with its machine: what it gives after that is what it gave the first time. */
export interface RestorableHost extends Host {
  saveState(): HostState;
  loadState(state: HostState): void;
}

export function hasState(host: Host): host is RestorableHost {
  return "saveState" in host && "loadState" in host;
}
