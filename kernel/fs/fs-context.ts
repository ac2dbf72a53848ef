import type { Location } from "./mount.js";
import type { Namespace } from "./namespace.js";

/** What clone's CLONE_FS shares: where a task stands in the tree ("fs_struct"). */
export interface FsContext {
  readonly namespace: Namespace;
  cwd: Location;
  root: Location;
  umask: number;
}
