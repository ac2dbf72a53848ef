/** A machine that cannot be saved, or a file that is none or cannot be loaded; the message is one line. */
export class SnapshotError extends Error {
  override readonly name = "SnapshotError";
}
