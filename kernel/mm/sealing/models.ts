import { guidelines } from "./guidelines.js";
import { hook } from "./hook.js";
import { linux, linuxSealing } from "./linux.js";
import { mimmutable2022 } from "./mimmutable-2022.js";
import { mimmutable } from "./mimmutable.js";
import { protImmutable } from "./prot-immutable.js";
import { rfcV1 } from "./rfc-v1.js";
import { rfcV2 } from "./rfc-v2.js";
import { rfcV3 } from "./rfc-v3.js";
import type { SealingDesign, SealingModel } from "./sealing-model.js";
import { v4 } from "./v4.js";
import { xnuPermanent } from "./xnu-permanent.js";

/** All models, the default first. A new one is a file and a line here. */
export const SEALING_DESIGNS: readonly SealingDesign[] = [
  linux,
  rfcV1,
  rfcV2,
  rfcV3,
  v4,
  mimmutable2022,
  mimmutable,
  xnuPermanent,
  protImmutable,
  guidelines,
  hook,
];

export const SEALING_NAMES: readonly string[] = SEALING_DESIGNS.map(({ name }) => name);

/** What an address space has unless told. */
export const defaultSealing: SealingModel = linuxSealing;

export function findDesign(name: string): SealingDesign | undefined {
  return SEALING_DESIGNS.find((design) => design.name === name);
}

/**
 * The model of a name with its options, `v4:eperm`.
 * @throws RangeError that lists the models, or the model's options, where there is none such
 */
export function sealingModel(text: string): SealingModel {
  const [name = "", ...options] = text.split(":");
  const design = findDesign(name);
  if (design === undefined) throw new RangeError(`no model ${name}; there are ${SEALING_NAMES.join(", ")}`);
  for (const option of options) {
    if (design.options.some((known) => known.name === option)) continue;
    const known = design.options.map((one) => `${name}:${one.name}`);
    throw new RangeError(
      known.length === 0
        ? `the model ${name} has no options`
        : `no option ${option} of the model ${name}; there is ${known.join(", ")}`,
    );
  }
  return design.create(text, new Set(options));
}
