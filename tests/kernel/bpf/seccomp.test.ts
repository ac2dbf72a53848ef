import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeBpf } from "../../../kernel/bpf/instruction.js";
import { runBpf } from "../../../kernel/bpf/run.js";
import { verifyBpf } from "../../../kernel/bpf/verify.js";

/** What recorded/bpf/record.c asked about: struct seccomp_data of its getpid. The address of the call is not read. */
const [NUMBER, ARCHITECTURE, ADDRESS] = [39, 0xc000_003e, 0];
const CONTEXT = Uint32Array.of(
  ...[NUMBER, ARCHITECTURE, ADDRESS, ADDRESS],
  ...[0x5566_7788, 0x1122_3344, 4095, 0, 0xff, 1, 0xffff_ffff, 0x8000_0000, 0, 0, 0xffff_ffff, 0xffff_ffff],
);

const RECORD = new URL("../../recorded/bpf/linux-6.18.txt.gz", import.meta.url);
const [head, ...lines] = gunzipSync(readFileSync(RECORD)).toString().trimEnd().split("\n");
const cases = lines.map((line) => line.split(" ") as [string, string]);

function answer(hex: string): string {
  const program = decodeBpf(Uint8Array.from(Buffer.from(hex, "hex")));
  if (verifyBpf(program, CONTEXT.byteLength) !== null) return "EINVAL";
  const value = runBpf(program, CONTEXT);
  return value === null ? "trap" : String(value & 0xfff);
}

describe("classic BPF, as seccomp takes and runs it", () => {
  it("has a kernel's answers", () => {
    expect(head).toMatch(/^# Linux 6\.18/);
    for (const wanted of ["EINVAL", "trap", "0", "4095"])
      expect(cases.filter(([, given]) => given === wanted).length).toBeGreaterThan(3);
  });
  it("takes what the kernel takes, and answers the same", () => {
    expect(cases.map(([hex]) => [hex, answer(hex)])).toEqual(cases);
  });
});
