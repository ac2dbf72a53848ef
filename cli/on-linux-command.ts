import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { BOUND_STATUS, Failure, NOT_FOUND_STATUS, reasonOf, USAGE_STATUS } from "./failure.js";
import { bootLinux } from "./on-linux-boot.js";
import { findKernel, type KernelImage } from "./on-linux-kernel.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";
import { stderrOutput, writeAll } from "./output.js";

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "kernel",
    value: "RELEASE",
    help: "Debian's kernel of that release, such as 6.12; the newest unless told.",
  },
  { name: "image", value: "FILE", help: "Boot that kernel (a vmlinuz or vmlinux) in place of Debian's." },
  { name: "file", short: "f", value: "FILE", help: "Also put FILE beside the program; can be given again." },
  { name: "timeout", value: "SECONDS", help: "End the program after so long; 60 unless told." },
  { name: "memory", value: "MIB", help: "The guest's memory; 1024 unless told." },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab on-linux [OPTIONS] [--] PROG [ARGS...]

Runs a static program on a real Linux with protection keys: Debian's kernel in
QEMU's software processor, which has keys whatever the host has. The program
runs as root in a directory that holds it and the --file files, with /proc, /sys
and an empty /tmp; its input is /dev/null, its output and errors one stream.

${optionsHelp(OPTIONS)}

Needs qemu-system-x86_64; the first run takes the kernel from Debian's archive
(apt-get download, no root) to ~/.cache/sealab/linux. Exit status: the program's
own, 128+N where signal N ended it, 124 where the time was up.
`;

const SIGALRM = 14;

/** `sealab on-linux`: gives the exit status. */
export async function onLinuxCommand(args: readonly string[]): Promise<number> {
  const { options, operands } = parseArguments(args, OPTIONS);
  const value = (name: string): string | null =>
    options.findLast((option) => option.name === name)?.value ?? null;
  if (options.some(({ name }) => name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  const [program, ...rest] = operands;
  if (program === undefined) throw new UsageError("on-linux: which program?");
  const files: Record<string, Uint8Array> = {
    [`w/${basename(program)}`]: readFile(program, NOT_FOUND_STATUS),
  };
  for (const option of options)
    if (option.name === "file") files[`w/${basename(option.value!)}`] = readFile(option.value!, USAGE_STATUS);
  const image = value("image");
  const kernel: KernelImage =
    image === null
      ? findKernel(value("kernel"), (line) => stderrOutput.write(`sealab: ${line}`))
      : { path: existing(image), release: image };
  const path = `./${basename(program)}`;
  const { statuses, log } = await bootLinux({
    kernel,
    programs: [{ path, argv: [path, ...rest] }],
    files,
    seconds: count(value("timeout"), "timeout", 60),
    memoryMegabytes: count(value("memory"), "memory", 1024, LEAST_MEMORY),
    marks: false,
    onOutput: (bytes) => writeAll(1, bytes),
  });
  const status = statuses[0];
  if (status === undefined) throw new Failure(BOUND_STATUS, `the guest did not run it to its end:\n${log}`);
  const signal = status & 0x7f;
  if (signal === SIGALRM) throw new Failure(BOUND_STATUS, `${program}: time was up`);
  return signal === 0 ? (status >> 8) & 0xff : 128 + signal;
}

/** MiB: with less Debian's kernel does not come up. */
const LEAST_MEMORY = 128;

function readFile(path: string, status: number): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure(status, `${path}: ${reasonOf(error)}`);
  }
}

function existing(path: string): string {
  try {
    if (statSync(path).isFile()) return path;
  } catch (error) {
    throw new Failure(USAGE_STATUS, `--image ${path}: ${reasonOf(error)}`);
  }
  throw new Failure(USAGE_STATUS, `--image ${path}: not a file`);
}

function count(text: string | null, name: string, fallback: number, least = 1): number {
  if (text === null) return fallback;
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) < least)
    throw new UsageError(`--${name} ${text}: expected a number from ${least} on`);
  return Number(text);
}
