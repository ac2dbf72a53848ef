/** What gdb is told when the program has stopped. */

import { SIGINT, SIGTRAP } from "../../kernel/signals/numbers.js";
import type { Task } from "../../kernel/task.js";
import { latin1Bytes, toHex } from "./bytes.js";
import type { RegisterFile } from "./register-file.js";
import { gdbSignal } from "./signals.js";
import type { StopEvent } from "./stops.js";

/** Registers that gdb would ask for at once. */
const EXPEDITED = ["rbp", "rsp", "rip"];

const twoDigits = (value: number): string => value.toString(16).padStart(2, "0");

/** @param id a thread's name as gdb has it @param multiprocess it knows processes by number */
export function stopReply(
  event: StopEvent,
  registers: RegisterFile,
  id: (task: Task) => string,
  multiprocess: boolean,
): string {
  if (event.kind === "ended") {
    const { code, signal } = event.status;
    const process = multiprocess ? `;process:${event.process.pid.toString(16)}` : "";
    return `${signal === null ? `W${twoDigits(code)}` : `X${twoDigits(gdbSignal(signal))}`}${process}`;
  }
  const { task } = event;
  const signal = event.kind === "signal" ? event.info.signo : event.kind === "interrupt" ? SIGINT : SIGTRAP;
  const why = reason(event, id);
  const parts = [...(why === null ? [] : [why]), `thread:${id(task)}`];
  if (task.state !== "dead") {
    const values = registers.read(task);
    for (const name of EXPEDITED) {
      const index = registers.indexOf(name);
      parts.push(`${twoDigits(index)}:${toHex(values[index]!)}`);
    }
  }
  return `T${twoDigits(gdbSignal(signal))}${parts.join(";")};`;
}

function reason(event: StopEvent, id: (task: Task) => string): string | null {
  switch (event.kind) {
    case "breakpoint":
      return event.hardware ? "hwbreak:" : "swbreak:";
    case "watchpoint": {
      const name = { write: "watch", read: "rwatch", access: "awatch" }[event.watch.kind];
      return `${name}:${event.address.toString(16)}`;
    }
    case "entry":
      return `syscall_entry:${event.number.toString(16)}`;
    case "exit":
      return `syscall_return:${event.number.toString(16)}`;
    case "fork":
    case "vfork":
      return `${event.kind}:${id(event.child)}`;
    case "vfork-done":
      return "vforkdone:";
    case "exec":
      return `exec:${toHex(latin1Bytes(event.path))}`;
    case "beginning":
      return "replaylog:begin";
    default:
      return null;
  }
}
