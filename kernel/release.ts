/** Which Linux this kernel says it is. */

export interface Release {
  readonly sysname: string;
  readonly release: string;
  readonly version: string;
  readonly machine: string;
}

export const LINUX_6_18: Release = {
  sysname: "Linux",
  release: "6.18.0-sealab",
  version: "#1 SMP PREEMPT_DYNAMIC",
  machine: "x86_64",
};
