/**
 * Records what this machine's CPU answers to the generated instruction tests, into tests/recorded/forms.
 *
 *     node record-forms.mjs [GROUP...]
 */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { groups, locate } from "../tests/cpu/forms/index.js";
import { count } from "../tests/cpu/forms/layout.js";
import { writeRecord } from "../tests/cpu/forms/records.js";
import { runNative } from "../tests/userland/native.js";

function cpuName(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const field = (name: string): string =>
    new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1]?.trim() ?? "?";
  return `${field("model name")}, family ${field("cpu family")} model ${field("model")} stepping ${field("stepping")}`;
}

const wanted = process.argv.slice(2);
const kernel = /^\d+(\.\d+)*/.exec(release())?.[0] ?? release();
for (const group of groups.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
  const program = group.build();
  const { shapes, cases, bytes } = count(program.printed);
  const run = runNative(program.elf);
  if (run.status !== 0 || run.stdout.length !== bytes) {
    const end = `status ${String(run.status)}, signal ${String(run.signal)}, ${run.stdout.length} of ${bytes} bytes`;
    throw new Error(`${group.name}: ${end}: ended at ${locate(program.printed, run.stdout.length)}`);
  }
  writeRecord(group.name, program, run.stdout, { cpu: cpuName(), kernel });
  console.log(`${group.name}: ${String(shapes)} shapes, ${String(cases)} cases, ${String(bytes)} bytes`);
}
