import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { createDebugSession } from "../../../debug/session/create-debug-session.js";
import type { DebugSession } from "../../../debug/session/debug-session.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { findSample, Program, SYS } from "../../../userland/index.js";

const MSEAL = 462;

interface Started {
  readonly session: DebugSession;
  readonly machine: Machine;
  readonly host: BufferHost;
}

function start(elf: Uint8Array, path = "/program", options = {}): Started {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 << 20 });
  machine.load(elf, { path });
  return { session: createDebugSession(machine, options), machine, host };
}

const keeper = (): Started =>
  start(readFileSync(join(import.meta.dirname, "..", "commands", "keeper.elf")), "/keeper");

describe("what a session knows of the past", () => {
  it("leads from EPERM to the instruction that sealed the page in two steps", () => {
    const { session, machine } = start(findSample("refused-munmap")!.build());
    const stop = session.go({ kind: "to-next", what: { kind: "refusal", rule: "munmap" } });
    expect(stop).toMatchObject({ reason: "found", happenings: [{ kind: "refusal" }] });
    const by = session.whoSealed(session.refusal!.address ?? session.refusal!.area!.start)!;
    session.go({ kind: "go-to", instructions: by.instruction });
    expect(machine.registers.rip).toBe(by.rip);
    expect(machine.instructionAt(by.rip)).toBe("syscall");
    expect(machine.registers.get("rax")).toBe(BigInt(MSEAL));
    expect(session.refusal).toBeNull();
  });

  it("says who wrote bytes, an instruction or a call, and is where it was afterwards", () => {
    const program = new Program();
    program.within(".data", () => program.align(8).label("cell").u64(5).label("pipe").u64(0));
    program
      .label("_start")
      .code("lea rdx, [cell]\n mov ecx, 7\n write: mov [rdx], rcx\n nop")
      .code(`lea rdi, [pipe]\n mov eax, ${22}\n syscall\n done: nop`)
      .code(`xor edi, edi\n mov eax, ${SYS.exit_group}\n syscall`);
    const { session, machine } = start(program.build());
    const symbols = new Map<string, number>();
    for (let address = 0x400000; address < 0x403000; address++) {
      const name = machine.symbolAt(address);
      if (name !== undefined && !name.includes("+")) symbols.set(name, address);
    }
    session.go({ kind: "to-next", what: { kind: "syscall", numbers: [SYS.exit_group], at: "entry" } });
    const { now } = session;
    const digest = machineDigest(machine);
    const cell = symbols.get("cell")!;
    const write = session.lastWriteOf(cell, cell + 8)!;
    expect(write).toMatchObject({ rip: symbols.get("write"), by: "instruction" });
    expect([write.before[0], write.after[0]]).toEqual([5, 7]);
    const made = session.lastWriteOf(cell + 8, cell + 16)!;
    expect(made).toMatchObject({ by: "kernel", call: "pipe" });
    expect([...made.after]).toEqual([3, 0, 0, 0, 4, 0, 0, 0]);
    expect(session.lastWriteOf(0x400000, 0x400001)).toBeNull();
    expect(session.now).toEqual(now);
    expect(machineDigest(machine)).toBe(digest);
    session.go({ kind: "go-to", ...write.moment });
    expect(machine.read(cell, 1)[0]).toBe(5);
    session.go({ kind: "step-instruction" });
    expect(machine.read(cell, 1)[0]).toBe(7);
  });

  it("says what a call changed, and when an entry did", () => {
    const { session, machine } = keeper();
    session.go({ kind: "to-next", what: { kind: "syscall", numbers: [MSEAL], at: "exit" } });
    const sealed = session.changesOfCall()!;
    expect(sealed).toMatchObject({ call: "mseal", entries: [], files: [] });
    expect(sealed.areas.gone).toHaveLength(1);
    expect(sealed.areas.come[0]).toMatch(/ r-- key 1 sealed$/);
    const page = parseInt(sealed.areas.come[0]!, 16);
    const change = session.lastChangeOfEntry(page)!;
    expect(change).toMatchObject({ by: "kernel", call: "pkey_mprotect" });
    session.go({ kind: "go-to", ...change.moment });
    const dirtied = session.lastChangeOfEntry(page)!;
    expect(Number(BigInt(dirtied.after) & 0xfffn).toString(16)).toMatch(/67$/);
    session.go({ kind: "go-to", ...dirtied.moment });
    expect(machine.pageTableEntry(page)?.bits ?? []).not.toContain("D");
  });

  it("goes back by instructions, and past a call", () => {
    const { session, machine } = keeper();
    const square = machine.modules.find("square")[0]!.address;
    session.setBreak({ kind: "address", address: square });
    session.go({ kind: "continue" });
    const entered = session.now;
    session.go({ kind: "reverse-step-instruction" });
    expect(machine.instructionAt(machine.registers.rip)).toMatch(/^call/);
    const call = { now: session.now, rip: machine.registers.rip };
    session.go({ kind: "step-instruction" });
    expect(session.now).toEqual(entered);
    session.go({ kind: "finish" });
    expect(machine.registers.rip).toBe(call.rip + 5);
    session.go({ kind: "reverse-next-instruction" });
    expect(session.now).toEqual(call.now);
    session.go({ kind: "next-instruction" });
    expect(session.last.breaks).toEqual([1]);
    session.go({ kind: "reverse-finish" });
    expect(session.now).toEqual(call.now);
    session.go({ kind: "reverse-step-instruction", count: 1000 });
    expect(session.last).toMatchObject({ reason: "beginning", moment: { instructions: 0, events: 0 } });
  });
});

describe("what is changed", () => {
  it("makes another future, and the past stays as it was", () => {
    const { session, machine, host } = keeper();
    const munmap = { kind: "syscall", numbers: [SYS.munmap], at: "entry" } as const;
    session.go({ kind: "to-next", what: munmap });
    const entry = session.now;
    session.skipCall(0n);
    const exit = session.go({ kind: "to-next", what: { ...munmap, at: "exit" } });
    expect(exit.happenings[0]).toMatchObject({ name: "munmap", result: 0n });
    const after = machineDigest(machine);
    const { now } = session;
    // Back before it, and forwards again: it is done again.
    session.go({ kind: "go-to", instructions: entry.instructions - 10 });
    expect(session.go({ kind: "to-next", what: { ...munmap, at: "exit" } }).moment).toEqual(now);
    expect(machineDigest(machine)).toBe(after);
    // At the entry, before it was changed: another change in its place.
    session.go({ kind: "go-to", ...entry });
    session.forceResult(-12n);
    const forced = session.go({ kind: "to-next", what: { ...munmap, at: "exit" } });
    expect(forced.happenings[0]).toMatchObject({ name: "munmap", result: -12n });
    expect(session.end).toEqual(session.now);
    const end = session.go({ kind: "continue" });
    expect(end).toMatchObject({ reason: "ended", status: { code: 11 } });
    expect(host.text(1)).toBe("hello\n");
  });

  it("is refused where it makes no sense", () => {
    const { session } = keeper();
    expect(() => session.skipCall(0n)).toThrow("not at a system call's entry");
    expect(() => session.setSignal(9)).toThrow("no signal");
    expect(() => session.writeRegister("frog", 1n)).toThrow("no register frog");
    expect(session.writeMemory(0x10, Uint8Array.of(1))).toBe(0);
    expect(() => session.setBreak({ kind: "address", address: 2 ** 48 })).toThrow(RangeError);
    expect(() => session.setBreak({ kind: "watch", start: 0, end: 2 ** 20, access: "fetch" })).toThrow(
      RangeError,
    );
    session.begin({ kind: "continue" });
    expect(() => session.begin({ kind: "continue" })).toThrow("under way");
    session.advance(10);
    session.interrupt();
    expect(session.advance(10)).toMatchObject({ state: "stopped", report: { reason: "interrupted" } });
  });
});

describe("a long run", () => {
  const loop = (): Uint8Array => {
    const program = new Program();
    program.within(".data", () => program.align(8).label("cells").bytes(new Uint8Array(65536)));
    program
      .label("_start")
      .code("lea rdx, [cells]\n mov ecx, 3000000")
      .code("again: mov eax, ecx\n and eax, 0xfff8\n add [rdx+rax], rcx\n dec ecx\n jnz again")
      .code(`mov edi, 5\n mov eax, ${SYS.exit_group}\n syscall`);
    return program.build();
  };

  it("is gone back in with few instructions run again, and in little memory", () => {
    const bound = 8 * 2 ** 20;
    const { session, machine } = start(loop(), "/program", { snapshotBytes: bound });
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "ended", status: { code: 5 } });
    const end = machine.instructions;
    expect(end).toBeGreaterThan(15_000_000);
    for (let i = 1; i <= 20; i++) {
      session.go({ kind: "reverse-step-instruction" });
      expect(machine.instructions).toBe(end - i);
    }
    for (const at of [end / 2, end / 3, 10, end - 1000].map(Math.floor)) {
      session.go({ kind: "go-to", instructions: at });
      expect(machine.instructions).toBe(at);
    }
    expect(session.costs.bytes).toBeLessThan(bound + 2 ** 20);
  });
});
