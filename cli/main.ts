import { failedFile, Failure, INTERNAL_STATUS, reasonOf, USAGE_STATUS } from "./failure.js";
import { optionsHelp, UsageError } from "./option-parser.js";
import { writeAll } from "./output.js";
import { RUN_OPTIONS } from "./run-options.js";
import { version } from "./version.js";

const HELP = `sealab runs Linux x86-64 programs on a machine of its own: an emulated processor
with real page tables and protection keys, and a kernel whose mmap, mprotect,
pkey_* and mseal do what Linux does, and say why when they refuse.

Usage: sealab run [OPTIONS] [--] PROG [ARGS...]  run an ELF program
       sealab demo [SAMPLE]                      an attack on a sealed JIT heap
       sealab debug [OPTIONS] PROG [ARGS...]     step through it, and back
       sealab gdb [OPTIONS] PROG [ARGS...]       serve gdb: target remote :1234
       sealab snapshot save|load|info ...        a machine in a file
       sealab check [OPTIONS] FILE|DIR...        run scenarios, text tests of mm
       sealab on-linux [OPTIONS] PROG [ARGS...]  run it on a real Linux, in QEMU
       sealab samples [NAME -o FILE]             list or write sample programs
       sealab matrix TOPIC [--kernel R[,R2]]     what Linux answers in each case
       sealab fuzz [--on host|linux|reference]   look for differences from Linux
       sealab models [NAME]                      models of sealing, their rules
       sealab compare [OPTIONS] PROG [ARGS...]   a program under several models
       sealab --version

Options of run:
${optionsHelp(RUN_OPTIONS)}

Standard input, output and error are the program's own, and so is the exit
status (128+N when signal N ended it). sealab's own: 2 wrong usage, 123 a
replay differs, 124 a bound was reached, 125 every task waits for ever, 126 the
file cannot be run, 127 there is no such file, 70 a mistake of sealab's. Ctrl-C
goes to the program; a second one (a third, where the program reads a
terminal), or three Ctrl-], end sealab with 130.

Try:
  sealab demo
  sealab run --trace --explain --sample refused-munmap
  sealab run --trace --maps ./a-static-program
`;

/** Text of sealab's own on stdout; a reader that has gone (sealab --help | head) is no mistake. */
function say(text: string): number {
  writeAll(1, text);
  return 0;
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "run":
      return (await import("./run-command.js")).runCommand(rest, HELP);
    case "debug":
      return (await import("./debug-command.js")).debugCommand(rest);
    case "gdb":
      return (await import("./gdb-command.js")).gdbCommand(rest);
    case "snapshot":
      return (await import("./snapshot-command.js")).snapshotCommand(rest);
    case "demo":
      return (await import("./demo-command.js")).demoCommand(rest);
    case "check":
      return (await import("./check-command.js")).checkCommand(rest);
    case "on-linux":
      return (await import("./on-linux-command.js")).onLinuxCommand(rest);
    case "samples":
      return (await import("./samples-command.js")).samplesCommand(rest);
    case "matrix":
      return (await import("./matrix-command.js")).matrixCommand(rest);
    case "fuzz":
      return (await import("./fuzz-command.js")).fuzzCommand(rest);
    case "compare":
      return (await import("./compare-command.js")).compareCommand(rest);
    case "models":
      return (await import("./models-command.js")).modelsCommand(rest);
    case "--version":
    case "-V":
      return say(`sealab ${version()}\n`);
    case "--help":
    case "-h":
    case "help":
      return rest[0] !== undefined && HELPED.has(rest[0]) ? dispatch([rest[0], "--help"]) : say(HELP);
    case undefined:
      throw new UsageError("what shall it do?");
    default:
      throw new UsageError(`unknown command ${command}`);
  }
}

/** Commands with a help text of their own. */
const HELPED: ReadonlySet<string> = new Set(
  "debug gdb snapshot demo check on-linux samples matrix fuzz compare models".split(" "),
);

function report(error: unknown): number {
  if (error instanceof UsageError) {
    const command = process.argv[2] ?? "";
    const help = HELPED.has(command) ? `sealab ${command} --help` : "sealab --help";
    writeAll(2, `sealab: ${error.message} (${help})\n`);
    return USAGE_STATUS;
  }
  if (error instanceof Failure) {
    writeAll(2, `sealab: ${error.message}\n`);
    return error.status;
  }
  const file = failedFile(error);
  if (file !== null) {
    writeAll(2, `sealab: ${file}: ${reasonOf(error)}\n`);
    return USAGE_STATUS;
  }
  const message = error instanceof Error ? error.message : String(error);
  writeAll(2, `sealab: internal error: ${message.split("\n")[0]!}; please report it\n`);
  if (process.argv.some((argument, i) => /^--log-level=(debug|trace)$/.test(argument) || wantsDebug(i))) {
    writeAll(2, `${error instanceof Error ? (error.stack ?? "") : ""}\n`);
  }
  return INTERNAL_STATUS;
}

function wantsDebug(i: number): boolean {
  return process.argv[i] === "--log-level" && /^(debug|trace)$/.test(process.argv[i + 1] ?? "");
}

// Should the event loop run dry before the command has ended.
process.exitCode = INTERNAL_STATUS;
void dispatch(process.argv.slice(2))
  .catch(report)
  .then((status) => {
    process.exitCode = status;
  });
