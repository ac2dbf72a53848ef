import { AssemblerError } from "./error.js";
import { encode, type Encoded, type Prefixes } from "./encode.js";
import { fits, formsOf, type Form } from "./forms.js";
import type { Operand } from "./operands.js";

/** Memory operands up to this many bytes come in sizes that the text must tell apart; larger ones do not. */
const LARGEST_SIZED = 16;

function needsSize(candidates: readonly Form[], operands: readonly Operand[]): boolean {
  if (!operands.some((operand) => operand.type === "memory" && operand.size === undefined)) return false;
  const sizes = new Set(candidates.map((form) => form.memorySize).filter((size) => size <= LARGEST_SIZED));
  return sizes.size > 1;
}

/** A 16-bit operand size is only meant where an operand says so: `push 5` is not `push word 5`. */
function isUnasked16(form: Form, operands: readonly Operand[]): boolean {
  return (
    form.operandSize === 16 && !operands.some((operand) => operand.type !== "immediate" && operand.size === 2)
  );
}

/**
 * Chooses among a mnemonic's forms the one that takes the operands and encodes shortest, as other assemblers do;
 * between equals the lower opcode. A branch to a label is always the 32-bit one unless `short` is set.
 */
export function select(
  mnemonic: string,
  operands: readonly Operand[],
  prefixes: Prefixes,
  short: boolean,
): Encoded {
  const forms = formsOf(mnemonic);
  if (!forms) throw new AssemblerError(`no instruction "${mnemonic}"`);
  const candidates = forms.filter((form) => fits(form, operands));
  if (candidates.length === 0) throw new AssemblerError(`"${mnemonic}" takes no such operands`);
  if (needsSize(candidates, operands))
    throw new AssemblerError(`"${mnemonic}" needs a size, such as "dword ptr"`);
  const encodings: { form: Form; encoded: Encoded }[] = [];
  let refusal: unknown;
  for (const form of candidates) {
    try {
      encodings.push({ form, encoded: encode(form, operands, prefixes) });
    } catch (error) {
      refusal = error;
    }
  }
  const isShort = ({ encoded }: { encoded: Encoded }): boolean =>
    encoded.holes.some((hole) => hole.kind === "rel8");
  // LOOP and JRCXZ have the short form only.
  const wanted = encodings.filter((one) => isShort(one) === short);
  let best: Encoded | undefined;
  let bestCost = Infinity;
  for (const { form, encoded } of wanted.length > 0 ? wanted : encodings) {
    const cost = encoded.bytes.length + (isUnasked16(form, operands) ? 100 : 0);
    if (cost < bestCost) [best, bestCost] = [encoded, cost];
  }
  if (!best) throw refusal ?? new AssemblerError(`"${mnemonic}" cannot be encoded so`);
  return best;
}
