/** Exit statuses of sealab itself, as shells and timeout(1) have them. */
export const USAGE_STATUS = 2;
/** A replay is another run than the recorded one. */
export const DIFFERS_STATUS = 123;
export const BOUND_STATUS = 124;
/** Every task waits, and nothing can wake one. */
export const DEADLOCK_STATUS = 125;
export const NOT_EXECUTABLE_STATUS = 126;
export const NOT_FOUND_STATUS = 127;
/** EX_SOFTWARE of sysexits.h: a mistake of ours. */
export const INTERNAL_STATUS = 70;

/** Something the user asked for cannot be: one line on stderr and an exit status. */
export class Failure extends Error {
  override readonly name = "Failure";

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EEXIST: "exists already",
  EISDIR: "is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "file name too long",
  ENOSPC: "no space left on device",
  EROFS: "read-only file system",
  EMFILE: "too many open files",
};

/** The file that an operation of Node's failed at by what the system has or allows; null for any other error. */
export function failedFile(error: unknown): string | null {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  return code !== undefined && code in REASONS && typeof path === "string" ? path : null;
}

/** What a failed operation of Node's says, in a few words without a stack. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  if (code !== undefined) return REASONS[code] ?? code;
  return error instanceof Error ? error.message : String(error);
}
