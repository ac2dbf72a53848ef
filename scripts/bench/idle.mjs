// What a sleeping process costs the host beyond its pages: run by bench.mjs with --expose-gc, in a process of its own.
import { Machine } from "../../dist/index.js";
import { Program } from "../../dist/userland.js";
import { repeat, inChild } from "./process-programs.mjs";

const PAUSE = 34;

/** Makes that many children that sleep for ever, and sleeps. */
function sleepers(count) {
  const p = new Program();
  p.label("_start").code(`mov r15d, ${count}`);
  repeat(p, () => inChild(p, () => p.syscall(PAUSE)));
  return p.syscall(PAUSE).build();
}

/** Bytes of the JavaScript heap and its buffers, and of the whole process. */
function used() {
  globalThis.gc();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

function run(count) {
  const machine = Machine.create({ memoryBytes: 512 << 20, maxTasks: count + 16 });
  machine.load(sleepers(count));
  const result = machine.run();
  if (result.reason !== "blocked") throw new Error(`the run ended: ${result.reason}`);
  return machine;
}

// The first machine pays for what all share: compiled code, tables made at the first use.
run(50);
const count = Number(process.argv[2]);
const few = run(1);
const before = used();
const many = run(count);
const after = used();
const frames = many.kernel.frames.inUse - few.kernel.frames.inUse;
const perProcess = (bytes) => Math.round(bytes / count);
console.log(
  JSON.stringify({
    heap: perProcess(after.heap - before.heap - many.kernel.memory.u8.length),
    resident: perProcess(after.rss - before.rss - frames * 4096),
    pages: perProcess(frames * 4096),
  }),
);
