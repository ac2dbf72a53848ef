import { errnoName, errnoText } from "../kernel/errno.js";
import type { ExecFailure } from "../kernel/exec/exec.js";

/** A program that cannot be run, or a part of the host's files that cannot be shown to it. */
export class LoadError extends Error {
  override readonly name = "LoadError";

  /**
   * @param path what cannot be used
   * @param errno what execve(2) or the host says
   * @param reason one phrase
   */
  constructor(
    readonly path: string,
    readonly errno: number,
    readonly reason: string,
  ) {
    super(`${path}: ${reason}`);
  }

  /** An execve that failed. */
  static ofExec(path: string, failure: ExecFailure): LoadError {
    const { errno, reason } = failure;
    const name = errnoName(errno);
    const inWords = reason.endsWith(name) ? reason.slice(0, -name.length) + phrase(errno) : reason;
    return new LoadError(path, errno, inWords);
  }

  static ofErrno(path: string, errno: number): LoadError {
    return new LoadError(path, errno, phrase(errno));
  }
}

/** `no such file or directory`. */
function phrase(errno: number): string {
  const text = errnoText(errno);
  return text.charAt(0).toLowerCase() + text.slice(1);
}
