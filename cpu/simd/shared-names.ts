import { Mnemonic } from "iced-x86";
import { lower } from "../decode/context.js";
import { isStringInstruction, lowerString } from "../integer/strings.js";
import { lowerCmpsdVector } from "./float-compare.js";
import { lowerMovsdVector } from "./moves.js";

/** MOVSD and CMPSD name a string instruction and an SSE2 one. */
const moveString = lowerString("movs", 4);
const compareString = lowerString("cmps", 4);
lower(Mnemonic.Movsd, (x) => (isStringInstruction(x.instruction) ? moveString(x) : lowerMovsdVector(x)));
lower(Mnemonic.Cmpsd, (x) => (isStringInstruction(x.instruction) ? compareString(x) : lowerCmpsdVector(x)));
