import { describe, expect, it } from "vitest";
import { EPERM } from "../../../../kernel/errno.js";
import type { HookContext } from "../../../../kernel/mm/sealing/hooked-model.js";
import { sealingModel } from "../../../../kernel/mm/sealing/models.js";
import { ownModel, type ModelModule } from "../../../../kernel/mm/sealing/own-model.js";
import { BASE } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

function space(module: ModelModule): SealedSpace {
  const s = new SealedSpace("linux", { sealing: ownModel("./mine.js", module) });
  s.map(0, 4);
  s.call(0, 4);
  return s;
}

describe("a hook", () => {
  it("7.9-2 is asked of each refusal, and of nothing else", () => {
    const asked: HookContext[] = [];
    const s = space({ default: (context: HookContext) => (asked.push(context), false) });
    s.map(8, 1);
    s.munmap(8, 1);
    expect(asked).toEqual([]);
    s.munmap(0, 1);
    s.protect(0, 1, 1);
    s.overlay(0, 1);
    s.remap(0, 4, 4, 20);
    expect(asked.map(({ operation, rule, errno }) => [operation, rule, errno])).toEqual([
      ["munmap", "modify", EPERM],
      ["mprotect", "modify", EPERM],
      ["mmap", "modify", EPERM],
      ["mremap", "modify", EPERM],
    ]);
    expect(asked[1]).toMatchObject({ prot: 1, key: -1 });
    expect(asked[0]!.area).toEqual({
      ...{ start: BASE, end: s.at(4), prot: 3, key: 0, seals: "sealed", bits: 1 },
      flags: s.mm.findArea(BASE)!.flags,
    });
  });
  it("7.9-1 may lift one operation's refusals: discards, here, and all else stays", () => {
    const s = space({ default: ({ operation }: HookContext) => operation === "madvise" });
    expect(s.munmap(0, 4)).toBe(-EPERM);
    s.map(10, 1, 1);
    s.call(10, 1);
    expect(s.advise(10, 1, 4)).toBe(0);
    expect(s.protect(10, 1, 3)).toBe(-EPERM);
  });
  it("is told of a discard's advice and whether its caller could write", () => {
    const asked: HookContext[] = [];
    const s = space({ default: (context: HookContext) => (asked.push(context), true) });
    s.map(10, 1, 1);
    s.call(10, 1);
    expect(s.advise(10, 1, 4)).toBe(0);
    expect(asked).toMatchObject([{ operation: "madvise", advice: 4, writable: false }]);
  });
  it("that throws denies and says so", () => {
    const s = space({
      default: () => {
        throw new Error("no idea");
      },
    });
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.refusals[0]!.text).toMatch(/; the hook threw "no idea", so the refusal stands$/);
  });
  it("that answers anything else denies and says so", () => {
    const s = space({ default: () => "yes" });
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.refusals[0]!.text).toContain("the hook answered neither true nor false");
  });
  it("goes upon any model", () => {
    const s = space({ base: "v4:today", default: () => true });
    expect(s.seals(0)).toBe("sealed");
    expect(s.munmap(0, 1)).toBe(0);
  });
});

describe("a model of one's own", () => {
  it("has its base's rules but for those of its own", () => {
    const s = space({ base: "linux", default: { mayProtect: () => null } });
    expect(s.protect(0, 4, 1)).toBe(0);
    expect(s.munmap(0, 4)).toBe(-EPERM);
  });
  it("gives rules of its own, which refusals name", () => {
    const rule = { name: "friday", text: "not on a Friday", source: "the house" };
    const s = space({ base: "linux", default: { mayUnmap: () => ({ rule, errno: 16 }) } });
    expect(s.munmap(0, 1)).toBe(-16);
    expect(s.refusals[0]).toMatchObject({
      text: "not on a Friday",
      source: "the house",
      sealing: { model: "./mine.js", rule: "friday" },
    });
  });
  it("may be whole, without a base", () => {
    expect(ownModel("x", { default: sealingModel("linux") }).name).toBe("x");
  });
  it.each<[string, ModelModule, string]>([
    ["nothing", {}, "its default export is neither a function (a hook) nor an object (a model)"],
    ["an unknown base", { base: "bsd", default: {} }, "no model bsd; there are linux"],
    ["a base that is no name", { base: 3, default: {} }, "its base is not the name of a model"],
    [
      "an unknown rule",
      { base: "linux", default: { mayFly: () => null } },
      "mayFly is no rule; there are timing",
    ],
    ["a rule that is no function", { base: "linux", default: { mayUnmap: 1 } }, "mayUnmap is not a function"],
    ["a wrong word", { base: "linux", default: { timing: "late" } }, "timing is not one of whole-range"],
    [
      "no base and a rule missing",
      { default: { ...sealingModel("linux"), leaves: 1 } },
      "leaves is not a function",
    ],
    [
      "no base and rules missing",
      { default: { mayUnmap: () => null } },
      "it has no base, and no timing, overlay",
    ],
  ])("%s is said", (_, module, text) => {
    expect(() => ownModel("x", module)).toThrow(text);
  });
});
