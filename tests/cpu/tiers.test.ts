import { expect, it } from "vitest";
import { RandomCode } from "./random-code.js";

it("the interpreter and the reference evaluator end random code alike (a campaign: scripts/fuzz-cpu.ts)", () => {
  const code = new RandomCode(20261121);
  for (let i = 0; i < 400; i++) expect(code.next()).toBeNull();
});
