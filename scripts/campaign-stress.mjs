// npm run campaign:stress [-- FIRST LAST [INSTRUCTIONS]]: the chaos of tests/kernel/threads/ for a range of seeds.
import { bundled } from "./bundled.mjs";

await bundled("scripts/campaign-stress.ts");
