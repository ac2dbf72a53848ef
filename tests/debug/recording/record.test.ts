import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost, type Machine } from "../../../debug/index.js";
import { InputLog } from "../../../debug/recording/input-log.js";
import { decodeRecord, encodeRecord } from "../../../debug/recording/record-file.js";
import { replayMachine, runReplay } from "../../../debug/recording/replay-machine.js";
import type { RunRecord } from "../../../debug/recording/run-record.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { Program, SYS } from "../../../userland/index.js";
import { PACKER, program, record } from "./recorded.js";

function replay(of: RunRecord, elf = of.setup.start.elf): Machine {
  const altered = { ...of, setup: { ...of.setup, start: { ...of.setup.start, elf } } };
  const made = replayMachine(altered, new BufferHost());
  made.start();
  runReplay(made, of.end);
  return made.machine;
}

describe("a record in a file", () => {
  it("is the same when it is read", () => {
    const { record: made, machine } = record(program(5000, 3));
    const file = encodeRecord(made, PACKER);
    expect(new TextDecoder().decode(file.subarray(0, 22))).toBe("sealab record 1 1.2.3 ");
    const read = decodeRecord(file, PACKER);
    expect(read.setup).toEqual(made.setup);
    expect(read.end).toEqual(made.end);
    expect(encodeRecord(read, PACKER)).toEqual(file);
    // Not only memory: all that the machine is.
    expect(machineDigest(replay(read))).toBe(machineDigest(machine));
  });

  it("of which any byte is another one is refused in a line", () => {
    const file = encodeRecord(record(program(10, 3)).record, PACKER);
    for (let at = 0; at < file.length; at += 7) {
      const bad = file.slice();
      bad[at]! ^= 1 << (at & 7);
      let message = "";
      let read: RunRecord | null = null;
      try {
        read = decodeRecord(bad, PACKER);
      } catch (error) {
        expect((error as Error).name).toBe("RecordError");
        message = (error as Error).message;
      }
      // The version, for people, is in no digest; and the last byte of what is deflated has bits that mean nothing.
      if (read !== null) expect(encodeRecord({ ...read, version: "1.2.3" }, PACKER)).toEqual(file);
      expect(message).not.toContain("\n");
    }
  });
});

describe("a replay that is another run says where", () => {
  const { record: made } = record(program(5000, 3));

  it("a question to the outside", () => {
    const other = new Program().label("_start").syscall(SYS.getpid).exit(3).build();
    expect(() => replay(made, other)).toThrow(
      /^the replay differs at instruction \d+: it ends; the record goes on to instruction \d+$/,
    );
    const early = new Program().label("_start").syscall(SYS.write, 1, 0x400000, 3).exit(3).build();
    expect(() => replay(made, early)).toThrow(
      /at instruction 5: it does: write 1; the record has the taking of: random, at instruction 5$/,
    );
  });

  it("a write of something else", () => {
    const { log } = made;
    const changed = new InputLog();
    for (let i = 0; i < log.length; i++) {
      if (log.kind(i) === 2) changed.appendHash(2, log.instruction(i), log.subject(i), log.hash(i) ^ 1);
      else if (log.kind(i) === 6) changed.appendHash(6, log.instruction(i), log.subject(i), log.hash(i));
      else changed.append(log.kind(i), log.instruction(i), log.subject(i), log.value(i));
    }
    expect(() => replay({ ...made, log: changed })).toThrow(/it does: write 1, something else/);
  });

  it("registers, by the next check", () => {
    // RCX starts with another value: nothing outside is to be seen of it before the second write.
    expect(() => replay(made, program(5001, 3))).toThrow(
      /^the replay differs at instruction 1000: the registers are not those of the record; they were at instruction 0$/,
    );
  });

  it("its end, and memory there", () => {
    expect(() => replay({ ...made, end: { ...made.end, digest: "0".repeat(32) } })).toThrow(
      /this is the end, and memory is not that of the record$/,
    );
    const longer = { ...made.end, instructions: made.end.instructions + 5 };
    expect(() => replay({ ...made, end: longer })).toThrow(/it ends; the record goes on to instruction/);
    const shorter = { ...made.end, instructions: made.end.instructions - 5 };
    expect(() => replay({ ...made, end: shorter })).toThrow(/ReplayDiffers|differs/);
  });
});

describe("a record of what this sealab has not", () => {
  it("is refused", () => {
    const { record: made } = record(program(1, 0));
    const machine = { ...made.setup.machine, kernel: "9.9" };
    expect(() => replayMachine({ ...made, setup: { ...made.setup, machine } }, new BufferHost())).toThrow(
      /^this sealab has no such machine: no kernel 9\.9/,
    );
    const own = { ...made.setup.machine, sealing: null };
    expect(() =>
      replayMachine({ ...made, setup: { ...made.setup, machine: own } }, new BufferHost()),
    ).toThrow(/--sealing/);
  });
});

describe("the record that ships", () => {
  it("can be stepped through in pieces, and is the same run", () => {
    const file = readFileSync(new URL("../../recorded/runs/python.record", import.meta.url));
    const read = decodeRecord(file, PACKER);
    const made = replayMachine(read, new BufferHost());
    made.start();
    const { machine, host } = made;
    for (let at = 1; at < 3_000_000; at += 100_003)
      expect(machine.run(100_003)).toEqual({ reason: "budget" });
    expect(host.replaying).toBe(true);
    expect(machine.instructions % 100_003).toBe(0);
  });
});
