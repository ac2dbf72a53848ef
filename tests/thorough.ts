/** `npm run thorough`: what takes longer than its share of the five minutes that `npm test` has. CI runs it too. */
export const THOROUGH = process.env["SEALAB_THOROUGH"] === "1";
