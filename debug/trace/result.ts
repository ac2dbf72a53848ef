import { errnoName, errnoText } from "../../kernel/errno.js";
import { ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS, ERESTART_RESTARTBLOCK } from "../../kernel/restart.js";
import type { Argument } from "../../syscalls/argument.js";
import type { Definition, ReturnKind } from "../../syscalls/table.js";
import { argumentText, pollResult, type CallView } from "./arguments.js";
import { octal, STRUCTS } from "./structs.js";

const RESTARTS: Readonly<Record<number, string>> = {
  [ERESTARTSYS]: "ERESTARTSYS (To be restarted if SA_RESTART is set)",
  [ERESTARTNOINTR]: "ERESTARTNOINTR (To be restarted)",
  [ERESTARTNOHAND]: "ERESTARTNOHAND (To be restarted if no handler)",
  [ERESTART_RESTARTBLOCK]: "ERESTART_RESTARTBLOCK (Interrupted by signal)",
};

/** The error number of a result, or 0. */
export function errnoOf(result: bigint | null | undefined): number {
  return result !== null && result !== undefined && result < 0n && result >= -4095n ? Number(-result) : 0;
}

/** What stands after `= `. */
export function resultText(call: CallView, definition: Definition | undefined): string {
  const { result } = call;
  if (result === null || result === undefined) return "?";
  const errno = errnoOf(result);
  if (RESTARTS[errno] !== undefined) return `? ${RESTARTS[errno]}`;
  if (errno !== 0) return `-1 ${errnoName(errno)} (${errnoText(errno)})`;
  const kind = givesFlags(call) ? "hex" : (definition?.returns ?? "number");
  return valueText(result, kind) + comment(call, definition);
}

function valueText(result: bigint, kind: ReturnKind): string {
  switch (kind) {
    case "address":
    case "hex":
      return result === 0n && kind === "hex" ? "0" : `0x${BigInt.asUintN(64, result).toString(16)}`;
    case "octal":
      return octal(result);
    case "seconds":
      return `${result} (${new Date(Number(result) * 1000).toISOString().replace(/\.\d+Z$/, "+0000")})`;
    default:
      return String(result);
  }
}

/** What strace adds after the number for a few calls. */
function comment(call: CallView, definition: Definition | undefined): string {
  switch (call.name) {
    case "poll":
    case "ppoll":
      return pollResult(call);
    case "select":
    case "pselect6":
      return selectResult(call);
    case "fcntl":
      return fcntlResult(call, definition?.args[2]);
    default:
      return "";
  }
}

function selectResult(call: CallView): string {
  if (call.result === 0n) return " (Timeout)";
  const set: Argument = { name: "set", kind: "struct", struct: "fdset", direction: "inout" };
  const parts = ["in", "out", "except"].flatMap((name, i) =>
    call.args[i + 1] === 0n ? [] : [`${name} ${argumentText(set, i + 1, call)}`],
  );
  const time = call.args[4]!;
  const format = STRUCTS[call.name === "select" ? "timeval" : "timespec"]!;
  const bytes = time === 0n ? new Uint8Array() : call.memory.read(Number(time), format.bytes);
  if (bytes.length === format.bytes) {
    parts.push(`left ${format.format(new DataView(bytes.buffer, bytes.byteOffset, bytes.length))}`);
  }
  return ` (${parts.join(", ")})`;
}

const F_GETFD = 1n;
const F_GETFL = 3n;

function givesFlags({ name, args }: CallView): boolean {
  return name === "fcntl" && (args[1] === F_GETFD || args[1] === F_GETFL);
}

/** F_GETFD and F_GETFL give flags: they are named by the argument that F_SETFD and F_SETFL take. */
function fcntlResult(call: CallView, argument: Argument | undefined): string {
  const command = call.args[1]!;
  if ((command !== F_GETFD && command !== F_GETFL) || argument?.kind !== "dependent") return "";
  const setter = argument.cases.get(Number(command) + 1);
  if (setter === undefined || (command === F_GETFD && call.result === 0n)) return "";
  const args = [...call.args];
  args[2] = call.result!;
  return ` (flags ${argumentText(setter, 2, { ...call, args })})`;
}
