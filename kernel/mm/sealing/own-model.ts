import { HookedModel } from "./hooked-model.js";
import { sealingModel } from "./models.js";
import { ScriptJudge, type SealHook } from "./script-judge.js";
import type { SealingModel } from "./sealing-model.js";

/** What a file does not say of its model. */
type NotOwn = "name" | "attached" | "attach";

/** What a model must have, and what it may be. */
const MEMBERS: Readonly<
  Record<Exclude<keyof SealingModel, NotOwn>, "function" | "number" | readonly string[]>
> = {
  timing: ["whole-range", "by-area", "release"],
  overlay: ["with-place", "last"],
  holes: ["refused", "skipped"],
  systemBits: "number",
  atExec: ["nothing", "program"],
  readCall: "function",
  readMmap: "function",
  readMprotect: "function",
  maySeal: "function",
  add: "function",
  inherited: "function",
  mergeable: "function",
  mayUnmap: "function",
  leaves: "function",
  mayProtect: "function",
  mayRemap: "function",
  mayDiscard: "function",
  mayInvalidate: "function",
  mayForce: "function",
  mayPassHole: "function",
  smapsFlag: "function",
};

/** What a module of the user's exports. */
export interface ModelModule {
  /** A hook, or a model's members. */
  readonly default?: unknown;
  /** The model that a hook lifts refusals of, or that has what a model leaves out; a hook's is `linux` unless told. */
  readonly base?: unknown;
}

/**
 * The model of a module of the user's own: its default export is a hook (a function), or an object with the members of
 * a {@link SealingModel}; with `base`, those that it leaves out are that model's.
 * @throws RangeError that says what is missing or wrong
 */
export function ownModel(name: string, module: ModelModule): SealingModel {
  const { base, default: own } = module;
  if (base !== undefined && typeof base !== "string")
    throw new RangeError("its base is not the name of a model");
  if (typeof own === "function")
    return new HookedModel(name, sealingModel(base ?? "linux"), new ScriptJudge(own as SealHook));
  if (typeof own !== "object" || own === null)
    throw new RangeError("its default export is neither a function (a hook) nor an object (a model)");
  const given = own as Record<string, unknown>;
  for (const [member, value] of Object.entries(given)) {
    if (member === "name") continue;
    const wanted = MEMBERS[member as keyof typeof MEMBERS];
    if (wanted === undefined)
      throw new RangeError(`${member} is no rule; there are ${Object.keys(MEMBERS).join(", ")}`);
    if (typeof wanted === "string" ? typeof value !== wanted : !wanted.includes(value as string))
      throw new RangeError(
        `${member} is not ${typeof wanted === "string" ? `a ${wanted}` : `one of ${wanted.join(", ")}`}`,
      );
  }
  const missing = Object.keys(MEMBERS).filter((member) => !(member in given));
  if (base === undefined && missing.length > 0)
    throw new RangeError(`it has no base, and no ${missing.join(", ")}`);
  const rest = base === undefined ? {} : sealingModel(base);
  return { ...rest, ...(given as Partial<SealingModel>), name } as SealingModel;
}
