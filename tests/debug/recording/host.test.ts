import { describe, expect, it } from "vitest";
import { BufferHost, Machine } from "../../../debug/index.js";
import type { HostInput } from "../../../kernel/host.js";
import { RewindableHost } from "../../../debug/recording/rewindable-host.js";
import { ReplayDiffers } from "../../../debug/recording/replay-differs.js";
import { InputLog } from "../../../debug/recording/input-log.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { Program, SYS } from "../../../userland/index.js";

/** Input that comes when the test says so. */
class SlowInput implements HostInput {
  private chunks: Uint8Array[] = [];
  private ended = false;
  give(text: string): void {
    this.chunks.push(new TextEncoder().encode(text));
  }
  end(): void {
    this.ended = true;
  }
  ready(): boolean {
    return this.chunks.length > 0 || this.ended;
  }
  read(max: number): Uint8Array | "again" {
    const chunk = this.chunks.shift();
    if (chunk === undefined) return this.ended ? new Uint8Array() : "again";
    if (chunk.length > max) this.chunks.unshift(chunk.subarray(max));
    return chunk.subarray(0, max);
  }
}

class SlowHost extends BufferHost {
  override readonly stdin = new SlowInput();
}

/** Copies input to output; a handler of SIGINT counts, and the count is the exit status. */
function echo(): Uint8Array {
  const program = new Program().label("_start");
  program.within(".bss", () => program.align(8).label("buffer").reserve(64).label("count").reserve(8));
  program.within(".data", () => program.align(8).label("action").u64("handler", 0x14000000, "restorer", 0));
  program.syscall(SYS.rt_sigaction, 2, "action", 0, 8);
  program.label("again").syscall(SYS.read, 0, "buffer", 64).code(`
    test rax, rax
    jle end
    mov rdx, rax
    mov edi, 1
    lea rsi, [buffer]
    mov eax, ${SYS.write}
    syscall
    mov ecx, 1000
  spin:
    dec ecx
    jnz spin
    jmp again
  `);
  program.label("end").code(`mov rdi, [count]\n mov eax, ${SYS.exit}\n syscall`);
  program.label("handler").code("inc qword ptr [count]\n ret");
  program.label("restorer").syscall(SYS.rt_sigreturn);
  return program.build();
}

interface End {
  readonly rip: number;
  readonly output: string;
  readonly instructions: number;
  readonly exit: unknown;
}

const stateOf = (machine: Machine, host: BufferHost): End => ({
  rip: machine.registers.rip,
  output: host.text(1),
  instructions: machine.instructions,
  exit: machine.exit,
});

/** A run with input and Ctrl-C that come at odd moments. */
function record(): { log: InputLog; end: End } {
  const inner = new SlowHost();
  const host = new RewindableHost(inner, new InputLog(), { checkEvery: 500 });
  const machine = Machine.create({ host, memoryBytes: 16 << 20 });
  machine.load(echo());
  expect(machine.run(1e6)).toMatchObject({ reason: "blocked", input: true });
  inner.stdin.give("first\n");
  expect(machine.run(300)).toMatchObject({ reason: "budget" });
  machine.interrupt();
  inner.stdin.give("second\n");
  expect(machine.run(1e6)).toMatchObject({ reason: "blocked" });
  machine.interrupt();
  expect(machine.run(1e6)).toMatchObject({ reason: "blocked" });
  inner.stdin.give("third\n");
  inner.stdin.end();
  expect(machine.run()).toMatchObject({ reason: "exited", status: { code: 2 } });
  return { log: host.log, end: stateOf(machine, inner) };
}

function replay(log: InputLog, slice: number, program = echo()): End {
  const inner = new BufferHost();
  const host = new RewindableHost(inner, log, { closed: true });
  const machine = Machine.create({ host, memoryBytes: 16 << 20 });
  machine.load(program);
  while (machine.exit === null) machine.run(slice);
  expect(host.position).toBe(log.length);
  return stateOf(machine, inner);
}

describe("a machine that is put back", () => {
  it("takes the same again, then what is new, and writes nothing twice", () => {
    const inner = new SlowHost();
    const machine = Machine.create({ host: new RewindableHost(inner), memoryBytes: 16 << 20 });
    machine.load(echo());
    machine.run();
    const before = machine.snapshot();
    inner.stdin.give("first\n");
    machine.run();
    machine.interrupt();
    expect(machine.run()).toMatchObject({ reason: "blocked" });
    const after = machine.instructions;
    const digest = machineDigest(machine);
    for (const slice of [Infinity, 11, 500]) {
      machine.restore(before);
      // A driver that does not know that this has been: what it does is dropped.
      expect(machine.fromOutside({ kind: "signal", signal: 2 })).toBe(false);
      while (machine.instructions < after) machine.run(Math.min(slice, after - machine.instructions));
      expect(machine.run()).toMatchObject({ reason: "blocked" });
      expect(machine.instructions).toBe(after);
      expect(machineDigest(machine)).toBe(digest);
      expect(inner.text(1)).toBe("first\n");
    }
    inner.stdin.give("second\n");
    inner.stdin.end();
    expect(machine.run()).toMatchObject({ reason: "exited", status: { code: 1 } });
    expect(inner.text(1)).toBe("first\nsecond\n");
  });

  it("takes another course where its future is forgotten", () => {
    const inner = new SlowHost();
    const host = new RewindableHost(inner);
    const machine = Machine.create({ host, memoryBytes: 16 << 20 });
    machine.load(echo());
    machine.run();
    const before = machine.snapshot();
    inner.stdin.give("first\n");
    machine.run();
    machine.restore(before);
    host.truncate();
    inner.stdin.give("other\n");
    inner.stdin.end();
    expect(machine.run()).toMatchObject({ reason: "exited", status: { code: 0 } });
    expect(inner.text(1)).toBe("first\nother\n");
  });
});

describe("a log", () => {
  it("gives the same run again, however that is cut", () => {
    const { log, end } = record();
    expect(end.output).toBe("first\nsecond\nthird\n");
    for (const slice of [Infinity, 1, 7, 1000]) expect(replay(log, slice)).toEqual(end);
  });

  it("says where another run differs", () => {
    const { log } = record();
    const other = new Program()
      .label("_start")
      .syscall(SYS.getpid)
      .code("again: inc rax\n jmp again")
      .build();
    expect(() => replay(log, Infinity, other)).toThrow(ReplayDiffers);
    expect(() => replay(log, Infinity, other)).toThrow(/^the replay differs at instruction \d+: /);
  });
});
