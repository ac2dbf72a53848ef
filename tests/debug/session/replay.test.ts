import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { RecordEnd } from "../../../debug/recording/record-end.js";
import { replayMachine } from "../../../debug/recording/replay-machine.js";
import type { RunEnd } from "../../../debug/recording/run-record.js";
import { createDebugSession } from "../../../debug/session/create-debug-session.js";
import type { DebugSession } from "../../../debug/session/debug-session.js";
import { Program } from "../../../userland/index.js";
import { program, record } from "../recording/recorded.js";

const made = record(program(5000, 3)).record;

/** A debugger of the record as if it had ended otherwise. */
function sessionOf(other: Partial<RunEnd> = {}, of = made): DebugSession {
  const { machine, host, start } = replayMachine(of, new BufferHost());
  start();
  return createDebugSession(machine, { recordEnd: new RecordEnd(machine, host, { ...of.end, ...other }) });
}

describe("a record in the debugger", () => {
  it("ends as it says, also after going back", () => {
    const session = sessionOf();
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "ended" });
    session.go({ kind: "reverse-step-instruction" });
    session.go({ kind: "reverse-step-instruction" });
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "ended", status: { code: 3 } });
  });

  it.each<[string, Partial<RunEnd>, RegExp]>([
    ["later", { instructions: made.end.instructions + 5 }, /the program ends; the record goes on to/],
    ["earlier", { instructions: made.end.instructions - 5 }, /the record ends at instruction/],
    ["without the program's end", { exited: false }, /the record does not end with the program/],
    ["with other memory", { digest: "0".repeat(32) }, /this is the end, and memory is not that/],
  ])("that ended %s differs", (_, other, message) => {
    const session = sessionOf(other);
    expect(() => session.go({ kind: "continue" })).toThrow(message);
    // It can still be looked at.
    expect(session.go({ kind: "reverse-step-instruction" }).reason).toBe("step");
  });

  it("that was cut ends where it was cut", () => {
    const cut = record(program(5000, 3), 4000).record;
    const session = sessionOf({}, cut);
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "end-of-record" });
    expect(session.now.instructions).toBe(4000);
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "end-of-record" });
    const other = sessionOf({ digest: "0".repeat(32) }, cut);
    expect(() => other.go({ kind: "continue" })).toThrow(/memory is not that of the record/);
  });

  it("may end as it likes once the user has changed the run", () => {
    const silent = record(new Program().label("_start").code("nop").exit(0).build()).record;
    const session = sessionOf({ instructions: silent.end.instructions + 5 }, silent);
    session.go({ kind: "step-instruction" });
    session.writeRegister("r15", 7n);
    expect(session.go({ kind: "continue" })).toMatchObject({ reason: "ended" });
  });
});
