import { EINVAL } from "../../errno.js";
import type { Node } from "./file-system.js";

/** What was written to settings that nothing else here depends on, by name (`Kernel.tunables`). */
export type Tunables = Map<string, string>;

/** An integer that can be written (proc_dointvec_minmax). */
export function integerFile(
  get: () => number,
  set: (value: number) => void,
  least: number,
  most: number,
): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${get()}\n`,
    write: (text) => {
      const word = text.replace(/\0.*$/s, "").trim();
      if (!/^[-+]?\d+$/.test(word)) return -EINVAL;
      const value = Number(word);
      if (value < least || value > most) return -EINVAL;
      set(value);
      return 0;
    },
  };
}

/** An integer that is remembered and changes nothing. */
export function rememberedInteger(
  tunables: Tunables,
  name: string,
  initial: number,
  most = 0x7fff_ffff,
): Node {
  return integerFile(
    () => Number(tunables.get(name) ?? initial),
    (value) => tunables.set(name, `${value}`),
    0,
    most,
  );
}

/** A file that only takes numbers and acts on them: nothing has to be done here. */
export function trigger(most: number): Node {
  const taken = integerFile(
    () => 0,
    () => undefined,
    1,
    most,
  );
  return { ...taken, mode: 0o200 } as Node;
}
