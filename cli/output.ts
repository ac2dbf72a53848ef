import { closeSync, openSync, writeSync } from "node:fs";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";

/** Lines for stderr, at once so that they keep their place among the program's own, or for a file. */
export interface LineOutput {
  write(line: string): void;
  close(): void;
}

const BUFFERED_CHARACTERS = 1 << 16;

/**
 * Writes all of a text, also to a pipe that is full. What standard error does not take is lost: there is nobody to tell.
 * @throws Failure where standard output cannot be written (a full disk)
 */
export function writeAll(fd: number, text: string | Uint8Array): void {
  try {
    writeBytes(fd, text);
  } catch (error) {
    if (fd === 1) throw new Failure(USAGE_STATUS, `standard output: cannot be written: ${reasonOf(error)}`);
    if (fd !== 2) throw error;
  }
}

/** @throws Node's error */
function writeBytes(fd: number, text: string | Uint8Array): void {
  const bytes = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody reads our lines any more: the program goes on.
      if (code === "EPIPE" || code === "EIO") return;
      if (code !== "EAGAIN") throw error;
    }
  }
}

export const stderrOutput: LineOutput = {
  write: (line) => writeAll(2, `${line}\n`),
  close: () => {},
};

/** @throws Failure when the file cannot be opened for writing */
export function fileOutput(path: string): LineOutput {
  let fd: number;
  try {
    fd = openSync(path, "w");
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${path}: cannot be written: ${reasonOf(error)}`);
  }
  let buffer = "";
  const flush = (): void => {
    const text = buffer;
    buffer = "";
    try {
      writeBytes(fd, text);
    } catch (error) {
      throw new Failure(USAGE_STATUS, `${path}: cannot be written: ${reasonOf(error)}`);
    }
  };
  return {
    write(line) {
      buffer += `${line}\n`;
      if (buffer.length >= BUFFERED_CHARACTERS) flush();
    },
    close() {
      flush();
      closeSync(fd);
    },
  };
}

/** Whether to colour what goes to a descriptor: only a terminal, and not with NO_COLOR (no-color.org). */
export function wantsColour(fd: 1 | 2): boolean {
  const stream = fd === 1 ? process.stdout : process.stderr;
  return stream.isTTY === true && (process.env.NO_COLOR ?? "") === "";
}

/** Columns to fill: the terminal's, within 80 and 120; 100 where there is none. */
export function columnsOf(fd: 1 | 2): number {
  const stream = fd === 1 ? process.stdout : process.stderr;
  return Math.min(120, Math.max(80, stream.columns ?? 100));
}
