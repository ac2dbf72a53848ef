import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { THOROUGH } from "../../thorough.js";
import { bareRunner } from "./bare-runner.js";
import { compare, groups, readRecord, type Runner } from "./index.js";
import { count } from "./layout.js";

/** These programs take signals: they need a kernel. */
const NEEDS_KERNEL = new Set(["faults"]);

const inMachine: Runner = (elf) => {
  const host = new BufferHost();
  const machine = Machine.create({ host });
  machine.load(elf);
  machine.run();
  return Buffer.concat(host.written[1]);
};

const tiers: readonly (readonly [name: string, runner: Runner, kernel: boolean])[] = [
  ["interpreter", bareRunner({ reference: false }), false],
  ["reference evaluator", bareRunner({ reference: true }), false],
  ["whole machine", inMachine, true],
];

/** Every third one of them goes through the slow evaluator too, and all of them in `npm run thorough`. */
const share = (tier: string) => (_: unknown, i: number) =>
  THOROUGH || tier !== "reference evaluator" || i % 3 === 0;

describe.each(tiers)("instruction forms, %s", (tier, runner, kernel) => {
  it.each(groups.filter(({ name }) => kernel === NEEDS_KERNEL.has(name)).filter(share(tier)))(
    "$name: as on a real CPU",
    (group) => {
      const program = group.build();
      const { record, output } = readRecord(group.name, program);
      const { cases, wrongCases, messages } = compare(program.printed, output, runner(program.elf));
      const { forms, shapes } = count(program.printed);
      console.log(
        `${tier}, ${group.name}: ${forms || "hand-written"} forms, ${shapes} shapes, ${cases} cases against ${record.cpu}`,
      );
      expect(messages.slice(0, 20), `${wrongCases} of ${cases} cases in ${messages.length} shapes`).toEqual(
        [],
      );
    },
  );
});
