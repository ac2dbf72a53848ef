// npm run ladder [-- PATTERN...]: every program of the ladder in sealab and on the host, and a table of what differs.
// Options, before the patterns and in this order: --cli FILE (another build), --with "OPTIONS" (of sealab run),
// --verbose (both outputs where they differ).
import { bundled, root } from "./bundled.mjs";

const { campaign } = await bundled("tests/programs/ladder/campaign.ts");
process.exitCode = await campaign(root, process.argv.slice(2));
