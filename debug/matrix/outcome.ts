import { ERRNO } from "../../userland/linux.js";
import type { Answer } from "./answers.js";
import type { Operation } from "./operation.js";
import type { Topic } from "./topics/topic.js";

/** A letter for the table, and what it stands for. */
export interface Outcome {
  readonly letter: string;
  readonly text: string;
  /** For colours. */
  readonly kind: "refused" | "done" | "lost" | "fault";
}

/** The letter of what was done with memory that nothing can read then. */
export const UNREAD = "u";

const ERRNO_LETTERS: Readonly<Record<string, string>> = {
  EPERM: "P",
  EIO: "O",
  EBADF: "D",
  EAGAIN: "G",
  ENOMEM: "N",
  EACCES: "A",
  EFAULT: "F",
  EEXIST: "E",
  EINVAL: "I",
};

const done = (letter: string, text: string): Outcome => ({ letter, text, kind: "done" });
const lost = (letter: string, text: string): Outcome => ({ letter, text, kind: "lost" });

/** `EPERM`; `ok` for what is no error. */
function errorOf({ result }: Answer): string | null {
  if (typeof result !== "number" || result >= 0 || result < -4095) return null;
  return ERRNO[-result] ?? String(-result);
}

/** What became of an operation, as the tables show it. */
export function outcomeOf(topic: Topic, operation: Operation, answer: Answer): Outcome {
  if (answer.fault !== null) return faultOutcome(answer);
  const error = errorOf(answer);
  if (error !== null) {
    const letter = ERRNO_LETTERS[error] ?? "?";
    if (!changed(topic, operation, answer)) return { letter, text: error, kind: "refused" };
    return { letter: letter.toLowerCase(), text: `${error}, but a part of it was done`, kind: "refused" };
  }
  switch (topic.name) {
    case "discard":
      return discarded(operation, answer.contents[topic.windows.indexOf(0)]!);
    case "protect":
      return protectedAs(answer.probes);
    case "unmap":
      if (!changed(topic, operation, answer)) {
        if (answer.result === "elsewhere") return done("*", "mapped at another place");
        return done("=", "done; the same content is there");
      }
      return lost(".", "done: the old content is gone there");
    case "remap":
      return moved(topic, operation, answer);
    default:
      return done(".", "done");
  }
}

function discarded(operation: Operation, content: string): Outcome {
  switch (content) {
    case "D":
      return done(".", "done; the content is kept");
    case "0":
      return lost("0", "done; the page reads as zeroes");
    case "F":
      return lost("f", "done; the page reads as the file has it");
    default:
      return operation.name === "GUARD_INSTALL"
        ? lost("g", "done; the pages are guard pages")
        : done(UNREAD, "done; the content is not to be read there");
  }
}

function protectedAs(probes: string): Outcome {
  const bits = [...probes].reduce((sum, probe) => sum * 2 + (probe === "." ? 1 : 0), 0);
  return done(String(bits), "done; can then be " + (ACCESSES[bits] ?? ""));
}

const ACCESSES: readonly string[] = [
  "neither read, written nor executed",
  "executed alone",
  "written alone",
  "written and executed",
  "read",
  "read and executed",
  "read and written",
  "read, written and executed",
];

function moved(topic: Topic, operation: Operation, { result, contents }: Answer): Outcome {
  const page = (window: number): string => contents[topic.windows.indexOf(window)] ?? "-";
  if (result === "base" || typeof result === "number") {
    if (page(2) === "-") return lost("s", "shrunk in place");
    return page(4) !== "-" && operation.neighbour !== "above"
      ? done("g", "grown in place")
      : done("=", "done; nothing changed");
  }
  switch (page(operation.name === "fixed-part" ? 1 : 0)) {
    case "-":
      return done("m", "moved");
    case "D":
      return done("d", "mapped a second time; the old place stays as it was");
    case "0":
      return lost("z", "moved; the old place stays and reads as zeroes");
    case "F":
      return lost("f", "moved; the old place stays and reads as the file has it");
    default:
      return done(UNREAD, "moved or mapped a second time; the old place stays and is not to be read");
  }
}

function faultOutcome({ fault }: Answer): Outcome {
  const { signal, code } = fault!;
  const outcome = (letter: string, text: string): Outcome => ({ letter, text, kind: "fault" });
  if (signal === 7) return outcome("B", "SIGBUS");
  if (code === 1) return outcome("M", "SIGSEGV SEGV_MAPERR");
  if (code === 2) return outcome("A", "SIGSEGV SEGV_ACCERR");
  if (code === 4) return outcome("K", "SIGSEGV SEGV_PKUERR");
  return outcome("?", `signal ${String(signal)} code ${String(code)}`);
}

/** Whether the windows, or the probes of a neighbour, show anything else than what was there before. */
function changed(topic: Topic, operation: Operation, { contents, probes }: Answer): boolean {
  // A page below, which was readable and writable.
  if (operation.probed !== undefined && probes !== "..A") return true;
  return topic.windows.some((window, i) => {
    const before = contentBefore(operation, window);
    const now = contents[i]!;
    // The page that nobody has written to is whatever the memory is.
    if (before === "") return false;
    return now === "?" ? before === "-" : now !== before;
  });
}

function contentBefore({ neighbour }: Operation, window: number): string {
  if (window >= 0 && window < 3) return "D";
  if (window === 3) return "";
  if (window === -1 && neighbour === "below") return "D";
  if (window === 4 && neighbour === "above") return "0";
  return "-";
}

/** What came of it in one word or two, for JSON: `EPERM`, `ok`, `SIGSEGV`. */
export function resultName(answer: Answer): string {
  if (answer.fault !== null) return answer.fault.signal === 7 ? "SIGBUS" : "SIGSEGV";
  return errorOf(answer) ?? "ok";
}
