import { writeFileSync } from "node:fs";
import { findSample, samples } from "../userland/index.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { writeAll } from "./output.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";

const OPTIONS: readonly OptionSpec[] = [
  { name: "output", short: "o", value: "FILE", help: "Write the sample's ELF file there (- is stdout)." },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab samples                 list the sample programs
       sealab samples NAME -o FILE    write one as an ELF file, to run anywhere

${optionsHelp(OPTIONS)}

The samples are ordinary static ELF files, assembled by sealab itself. Run one with
  sealab run --sample NAME
`;

/** `sealab samples`. */
export function samplesCommand(args: readonly string[]): number {
  const before = parseArguments(args, OPTIONS);
  const after = parseArguments(before.operands.slice(1), OPTIONS);
  const options = [...before.options, ...after.options];
  if (options.some((option) => option.name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  if (after.operands.length > 0) throw new UsageError(`unexpected argument ${after.operands[0]!}`);
  const name = before.operands[0];
  const output = options.find((option) => option.name === "output")?.value;
  if (name === undefined) {
    if (output != null) throw new UsageError("--output needs the name of a sample");
    const width = Math.max(...samples.map((sample) => sample.name.length));
    for (const sample of samples) writeAll(1, `${sample.name.padEnd(width)}  ${sample.title}\n`);
    return 0;
  }
  const elf = buildSample(name);
  if (output == null) throw new UsageError(`where to? sealab samples ${name} -o FILE`);
  if (output === "-") {
    writeAll(1, elf);
    return 0;
  }
  try {
    writeFileSync(output, elf, { mode: 0o755 });
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${output}: cannot be written: ${reasonOf(error)}`);
  }
  return 0;
}

/** A sample's ELF file. @throws Failure with status 127 for an unknown name */
export function buildSample(name: string): Uint8Array {
  const sample = findSample(name);
  if (sample === undefined) throw new Failure(127, `${name}: no such sample (sealab samples lists them)`);
  return sample.build();
}
