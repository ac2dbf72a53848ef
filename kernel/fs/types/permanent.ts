import { EINVAL, ENODEV } from "../../errno.js";
import type { FileSystemType } from "./file-system-type.js";

/**
 * A type of which the machine has one file system from its start (`namespace.permanent`), which every mount shows:
 * what the kernel itself writes. It has no options.
 */
export function permanentType(name: string, single = true): FileSystemType {
  return {
    name,
    single,
    mount({ namespace, data }) {
      if (data.rest.length > 0) return -EINVAL;
      return namespace.permanent.get(name) ?? -ENODEV;
    },
  };
}
