import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    pool: "threads",
    // Files share a thread's modules, which keep no state: most of a file's time would be theirs otherwise.
    isolate: false,
    // One more than CI's cores: some tests wait for a terminal, a browser or the host.
    maxWorkers: 3,
    // Of the tests of one file that start programs side by side.
    maxConcurrency: 3,
    // For what hangs; programs that tests start have a shorter time (tests/patience.ts).
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
