import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** Segment registers and descriptor tables, as on a real processor under Linux 6.18. */
const compatCode = compiledWithGlibc(join(import.meta.dirname, "compat-code.c"));
const farCode = compiledWithGlibc(join(import.meta.dirname, "far-code.c"));
const ia32Calls = compiledWithGlibc(join(import.meta.dirname, "ia32-calls.c"));
const tracedSegments = compiledWithGlibc(join(import.meta.dirname, "traced-segments.c"));
const localTables = compiledWithGlibc(join(import.meta.dirname, "local-tables.c"));

describe.skipIf(localTables === undefined)("segments (skipped without gcc)", () => {
  it("modify_ldt, its table over fork, exec and threads, and loads of its entries (local-tables.c)", () => {
    expectAnswers(localTables!, "segments/local-tables-linux-6.18.txt");
  });

  it("selectors and bases of tracees, arch_prctl, a stack segment that goes (traced-segments.c)", () => {
    expectAnswers(tracedSegments!, "segments/traced-segments-linux-6.18.txt");
  });

  it("32-bit code: its calls, signals, faults, forks, turns and steps (compat-code.c)", () => {
    expectAnswers(compatCode!, "segments/compat-code-linux-6.18.txt");
  });

  it("calls of 32-bit programs by int 0x80 from 64-bit code (ia32-calls.c)", () => {
    expectAnswers(ia32Calls!, "segments/ia32-calls-linux-6.18.txt");
  });

  it("32- and 16-bit code: far calls, loops over pages, steps, faults, code that changes itself (far-code.c)", () => {
    expectAnswers(farCode!, "segments/far-code-linux-6.18.txt");
  });
});
