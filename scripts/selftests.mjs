// npm run selftests -- DIR: built test programs (Linux's selftests, the Linux Test Project's) in sealab and on this
// machine, and a table of where they differ. See docs/selftests.md.
import { bundled, root } from "./bundled.mjs";

const { campaign } = await bundled("scripts/selftests/campaign.ts");
process.exitCode = await campaign(root, process.argv.slice(2));
