/** A command cannot be carried out: one line that says what was expected. Nothing has been changed. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}
