/** The name of a core file (core(5), /proc/sys/kernel/core_pattern; fs/coredump.c format_corename). */

/** What the name is made from: one value for each letter after a per cent sign. */
export interface CoreNameValues {
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly gid: number;
  readonly dumpable: number;
  readonly signal: number;
  /** Seconds since 1970. */
  readonly seconds: number;
  readonly hostname: string;
  readonly comm: string;
  /** The program's absolute path. */
  readonly executable: string;
  /** RLIMIT_CORE, soft, in bytes. */
  readonly limit: number;
}

/** A value that is a name of its own: no directory, no "." or "..", not empty (cn_esc_printf). */
function escaped(value: string): string {
  const flat = value.replaceAll("/", "!");
  if (flat === "") return "!";
  return flat === "." || flat === ".." ? `!${flat.slice(1)}` : flat;
}

function valueOf(letter: string, values: CoreNameValues): string {
  switch (letter) {
    case "%":
      return "%";
    case "p":
    case "P":
      return `${values.pid}`;
    case "i":
    case "I":
      return `${values.tid}`;
    case "u":
      return `${values.uid}`;
    case "g":
      return `${values.gid}`;
    case "d":
      return `${values.dumpable}`;
    case "s":
      return `${values.signal}`;
    case "t":
      return `${values.seconds}`;
    case "h":
      return escaped(values.hostname);
    case "e":
      return escaped(values.comm);
    case "f":
      return escaped(values.executable.slice(values.executable.lastIndexOf("/") + 1));
    case "E":
      return escaped(values.executable);
    case "c":
      return values.limit === Infinity ? `${2n ** 64n - 1n}` : `${values.limit}`;
    case "C":
      return "0";
    default:
      return "";
  }
}

/** @param usesPid core_uses_pid: ".PID" follows where the pattern has no %p */
export function coreName(pattern: string, usesPid: boolean, values: CoreNameValues): string {
  const name = pattern.replace(/%(.?)/gs, (_whole, letter: string) => valueOf(letter, values));
  return usesPid && !pattern.includes("%p") ? `${name}.${values.pid}` : name;
}
