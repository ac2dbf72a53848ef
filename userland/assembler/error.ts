/** A mistake in the assembly given to the {@link Assembler}: unknown mnemonic, label, operand, size. */
export class AssemblerError extends Error {
  override readonly name = "AssemblerError";
}
