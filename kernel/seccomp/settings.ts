/** /proc/sys/kernel/seccomp: which actions there are, and which of them are to be logged. */

import { EINVAL } from "../errno.js";
import type { Node } from "../fs/procfs/file-system.js";
import { directory, text } from "../fs/procfs/file-system.js";
import type { Tunables } from "../fs/procfs/settings.js";
import { ACTION_NAMES } from "./actions.js";

const LOGGED = "kernel/seccomp/actions_logged";
const ALL = ACTION_NAMES.map(([, name]) => name);
const ALLOW = "allow";

/** Nothing is logged here; what is to be is remembered. An unknown name, and "allow", are EINVAL. */
function actionsLogged(tunables: Tunables): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${tunables.get(LOGGED) ?? ALL.filter((name) => name !== ALLOW).join(" ")}\n`,
    write: (value) => {
      const wanted = value.replace(/\0.*$/s, "").trim().split(" ");
      if (wanted.some((name) => name !== "" && (name === ALLOW || !ALL.includes(name)))) return -EINVAL;
      tunables.set(LOGGED, ALL.filter((name) => wanted.includes(name)).join(" "));
      return 0;
    },
  };
}

export function seccompSettings(tunables: Tunables): Node {
  return directory(() => ({
    actions_avail: text(`${ALL.join(" ")}\n`),
    actions_logged: actionsLogged(tunables),
  }));
}
