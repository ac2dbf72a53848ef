import type { Finding } from "./campaign.js";
import { describe } from "./operation.js";

/** A difference, to be read: every operation with its answer, and both answers where they part. */
export function findingLines(finding: Finding, oursName: string, theirsName: string): string[] {
  const { seed, list, ours, theirs } = finding;
  const width = Math.max(oursName.length, theirsName.length) + 2;
  const lines = [`seed ${String(seed)}, ${String(list.length)} operations:`];
  // A machine that gave up has one line for the whole.
  const troubles = [
    ...(ours.length < list.length ? [`${oursName}: ${ours.join("; ")}`] : []),
    ...(theirs.length < list.length ? [`${theirsName}: ${theirs.join("; ")}`] : []),
  ];
  list.forEach((operation, i) => {
    const [here, there] = [ours[i], theirs[i]];
    if (troubles.length > 0 || here === there) {
      const answer = ours.length < list.length ? there : here;
      lines.push(`  ${describe(operation)} = ${answer ?? "?"}`);
    } else {
      lines.push(`  ${describe(operation)}`);
      lines.push(
        `    ${`${oursName}:`.padEnd(width)}${here!}`,
        `    ${`${theirsName}:`.padEnd(width)}${there!}`,
      );
    }
  });
  lines.push(...troubles.map((trouble) => `  ${trouble}`));
  return lines;
}
