import { SIGTRAP } from "../../kernel/signals/numbers.js";
import { encodeSiginfo } from "../../kernel/signals/siginfo.js";
import { escapeBytes, hexNumber, latin1Bytes } from "./bytes.js";
import type { RegisterFile } from "./register-file.js";
import { NO_SUCH, UNKNOWN } from "./replies.js";
import type { StopEvent } from "./stops.js";
import type { Threads } from "./threads.js";

/** What gdb reads in parts (qXfer): target description, auxiliary vector, path of the program, siginfo, threads. */
export class Objects {
  /** @param lastStop what gdb was told last */
  constructor(
    private readonly threads: Threads,
    private readonly registers: RegisterFile,
    private readonly lastStop: () => StopEvent | null,
    private readonly partBytes: number,
  ) {}

  /** @param text a packet qXfer without its name */
  read(text: string): string {
    const match = /^([\w-]+):read:([^:]*):([0-9a-f]+),([0-9a-f]+)$/.exec(text);
    if (match === null) return UNKNOWN;
    const bytes = this.whole(match[1]!, match[2]!);
    if (typeof bytes === "string") return bytes;
    const offset = hexNumber(match[3]);
    const part = bytes.subarray(offset, offset + Math.min(hexNumber(match[4]), this.partBytes));
    return `${offset + part.length < bytes.length ? "m" : "l"}${escapeBytes(part)}`;
  }

  /** An object, or an error. */
  private whole(kind: string, annex: string): Uint8Array | string {
    const { threads } = this;
    switch (kind) {
      case "features":
        return annex === "target.xml" ? latin1Bytes(this.registers.description) : "E00";
      case "auxv":
        return threads.current?.auxv ?? NO_SUCH;
      case "exec-file": {
        const task = annex === "" ? threads.current : threads.process(hexNumber(annex))?.tasks[0];
        return task === undefined ? NO_SUCH : latin1Bytes(task.executable);
      }
      case "siginfo": {
        const last = this.lastStop();
        if (last?.kind === "signal") return encodeSiginfo(last.info);
        return encodeSiginfo({ signo: SIGTRAP, errno: 0, code: 0, detail: { kind: "none" } });
      }
      case "threads":
        return latin1Bytes(threads.list);
      default:
        return UNKNOWN;
    }
  }
}
