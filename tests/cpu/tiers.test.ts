import { expect, it } from "vitest";
import { THOROUGH } from "../thorough.js";
import { RandomCode } from "./random-code.js";
import { RandomFlow } from "./random-flow.js";

it("the interpreter and the reference evaluator end random code alike (a campaign: scripts/fuzz-cpu.ts)", () => {
  const code = new RandomCode(20261121);
  for (let i = 0; i < (THOROUGH ? 400 : 100); i++) expect(code.next()).toBeNull();
});

it("the interpreter and compiled code go the same way, step by step", () => {
  const flow = new RandomFlow(20261122);
  for (let i = 0; i < (THOROUGH ? 100 : 8); i++) expect(flow.next()).toBeNull();
  expect(flow.made).toBeGreaterThan(40);
});
