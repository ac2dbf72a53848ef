import type { MountMode } from "../../kernel/fs/tree-setup.js";
import type { InputLog } from "./input-log.js";

/** How a machine is made and what runs on it: all but what comes through the host. */
export interface RunSetup {
  readonly machine: {
    readonly memoryBytes: number;
    /** Absent: no swap area from the start. */
    readonly swapBytes?: number;
    readonly cpu: string;
    readonly pku: boolean;
    readonly kernel: string;
    /** The model's name with its options; null: one of the user's own, which the record does not have. */
    readonly sealing: string | null;
    readonly sealElf: boolean | "marked";
    readonly params: readonly string[];
    readonly maxTasks: number;
    readonly seed: number;
    readonly quantum: number;
    readonly waitForAll: boolean;
    readonly clock: "virtual" | "host";
    /** A root of the host's, a tar archive, or none. */
    readonly root: number | "archive" | null;
    readonly upper: number | null;
    readonly mounts: readonly {
      readonly root: number;
      readonly guest: string;
      readonly mode: MountMode;
      readonly source?: string;
    }[];
  };
  readonly start: {
    /** As the user named it. */
    readonly name: string;
    /** Path in the guest's tree. */
    readonly path: string;
    /** Null when it is in the tree already. */
    readonly elf: Uint8Array | null;
    /** Where it was looked for in the guest's tree; null: it was not. */
    readonly lookedFor: string | null;
    readonly argv: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    /** As in --user; null: root. */
    readonly user: string | null;
  };
}

/** How it ended. */
export interface RunEnd {
  /** Instructions retired. */
  readonly instructions: number;
  /** sealab's exit status, and what it said, where the program did not end by itself. */
  readonly status: number;
  readonly message: string | null;
  /** The program came to its own end; otherwise sealab ended the run. */
  readonly exited: boolean;
  /** Of memory at the end (memoryDigest); null where a mistake of sealab's was the end. */
  readonly digest: string | null;
}

/** A run that can be repeated. */
export interface RunRecord {
  /** sealab's version. */
  readonly version: string;
  readonly setup: RunSetup;
  readonly log: InputLog;
  readonly end: RunEnd;
}
