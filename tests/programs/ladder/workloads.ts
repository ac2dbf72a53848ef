import {
  BC,
  LUA,
  LUA_POPEN,
  PERL,
  PERL_FORK,
  PYTHON,
  PYTHON_PROCESSES,
  PYTHON_THREADS,
  SQL,
} from "./languages.js";
import { BASH, COREUTILS, JOB_CONTROL, JOBS, LOOPS, PIPELINES, SED_AWK, ZSH } from "./scripts.js";

/** A program, and what it is to do. */
export interface Workload {
  /** Its rung on the ladder, from L0 to L14. */
  readonly rung: string;
  readonly name: string;
  readonly argv: readonly string[];
  readonly input?: string;
  /** In the default tests; the others are run by the campaign. */
  readonly quick?: boolean;
  /** It needs the larger root. */
  readonly more?: boolean;
  /** Of the host's own programs, and where it runs: it is left out where there is none of that name. */
  readonly host?: { readonly folder: "fixture" | "repository" };
}

const SHELLS: readonly (readonly [rung: string, name: string, command: readonly string[]])[] = [
  ["L4", "busybox sh", ["/bin/busybox", "sh"]],
  ["L4", "bash-static", ["/bin/bash-static"]],
  ["L4", "zsh-static", ["/bin/zsh-static", "-f"]],
  ["L5", "dash", ["/bin/dash"]],
  ["L5", "bash", ["/bin/bash"]],
  ["L5", "klibc sh", ["/usr/lib/klibc/bin/sh"]],
  ["L5", "mksh", ["/bin/mksh"]],
  ["L5", "mksh-static", ["/bin/mksh-static"]],
];
const QUICK_SHELLS = ["busybox sh", "bash"];
/** These want a terminal for `set -m`. */
const NO_JOB_CONTROL = ["dash", "klibc sh"];
/** mksh does not come back from a `wait` that a trap interrupts, natively. */
const NO_TRAPS = ["mksh", "mksh-static"];

const inShells: Workload[] = SHELLS.flatMap(([rung, shell, command]) =>
  (
    [
      ["loops", LOOPS],
      ["pipelines", PIPELINES],
      ["jobs", JOBS],
      ["job control", JOB_CONTROL],
    ] as const
  )
    .filter(([name]) => name !== "job control" || !NO_JOB_CONTROL.includes(shell))
    .filter(([name]) => name !== "jobs" || !NO_TRAPS.includes(shell))
    .map(([name, script]) => ({
      rung,
      name: `${shell}: ${name}`,
      argv: [...command, "-c", script],
      quick: QUICK_SHELLS.includes(shell) && (name === "pipelines" || name === "jobs"),
    })),
);

/** Single programs, without a shell, so that they run where there is one process only. */
const alone: Workload[] = (
  [
    ["L5", "true", ["/bin/true"]],
    ["L5", "cat", ["/bin/cat", "a.txt", "missing", "-"]],
    ["L5", "ls", ["/bin/ls", "-R", "tree"]],
    ["L5", "ls --color", ["/bin/ls", "-1", "--color=always", "/bin"]],
    ["L5", "sort", ["/usr/bin/sort", "-k3", "lines.txt"]],
    ["L5", "grep", ["/bin/grep", "-nE", "(9[0-9]*5|line 1.*z)", "lines.txt"]],
    ["L5", "sed", ["/bin/sed", "-E", "s/line ([0-9]*)/<\\1>/;100q", "lines.txt"]],
    [
      "L5",
      "mawk",
      ["/usr/bin/mawk", "{ n[$1 % 17]++ } END { for (i = 0; i < 17; i++) print i, n[i] }", "lines.txt"],
    ],
    ["L5", "sha256sum", ["/usr/bin/sha256sum", "bytes.bin", "lines.txt"]],
    ["L6", "gawk alone", ["/usr/bin/gawk", "-F,", "{ s += $2 } END { print s, s / NR }", "table.csv"]],
    ["L6", "bc", ["/usr/bin/bc", "-l"], BC],
    ["L6", "lua", ["/usr/bin/lua5.4", "-e", LUA]],
    ["L6", "lua popen", ["/usr/bin/lua5.4", "-e", LUA_POPEN]],
    ["L6", "perl", ["/usr/bin/perl", "-e", PERL]],
    ["L6", "perl fork", ["/usr/bin/perl", "-e", PERL_FORK]],
    ["L6", "sqlite3 in memory", ["/usr/bin/sqlite3", ":memory:"], SQL],
    ["L6", "sqlite3 in a file", ["/usr/bin/sqlite3", "new.db"], SQL],
    ["L6", "sqlite3 with a log", ["/usr/bin/sqlite3", "wal.db"], `pragma journal_mode=wal;\n${SQL}`],
    ["L6", "python3 -S", ["/usr/bin/python3", "-S", "-c", PYTHON]],
    ["L6", "python3", ["/usr/bin/python3", "-c", "print('hello')"]],
    ["L6", "python3 threads", ["/usr/bin/python3", "-S", "-c", PYTHON_THREADS]],
    ["L6", "python3 processes", ["/usr/bin/python3", "-S", "-c", PYTHON_PROCESSES]],
  ] as const
).map(([rung, name, argv, input]) => ({ rung, name, argv, ...(input === undefined ? {} : { input }) }));

const QUICK_ALONE = ["lua", "perl fork", "sqlite3 in a file", "python3 threads", "grep"];

/** All that needs Debian's root alone. */
export const WORKLOADS: readonly Workload[] = [
  ...inShells,
  { rung: "L4", name: "bash-static: bash", argv: ["/bin/bash-static", "-c", BASH] },
  { rung: "L5", name: "bash: bash", argv: ["/bin/bash", "-c", BASH], quick: true },
  { rung: "L4", name: "zsh-static: zsh", argv: ["/bin/zsh-static", "-f", "-c", ZSH], quick: true },
  { rung: "L5", name: "bash reads a script", argv: ["/bin/bash", "-s", "x"], input: PIPELINES },
  { rung: "L5", name: "coreutils", argv: ["/bin/sh", "-c", COREUTILS] },
  { rung: "L5", name: "sed and awk", argv: ["/bin/sh", "-c", SED_AWK], quick: true },
  ...alone.map((workload) => ({ ...workload, quick: QUICK_ALONE.includes(workload.name) })),
];

/** C programs of this folder, and in which variants the default tests have them. */
export const C_PROGRAMS: readonly (readonly [rung: string, name: string, quick: readonly string[]])[] = [
  ["L7", "handlers", ["glibc-static", "musl-dynamic"]],
  ["L7", "threads", ["glibc-dynamic", "musl-static"]],
  ["L7", "forks", ["glibc-static", "musl-dynamic"]],
  ["L7", "code", ["glibc-static"]],
  ["L7", "clocks", ["glibc-dynamic"]],
  ["L2", "suite", []],
];
