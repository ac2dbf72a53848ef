/** MMX and SSE to SSE4.2: importing this module defines their micro-ops and callouts, in this order. */

import "./operands.js";
import "./moves.js";
import "./integer.js";
import "./shifts.js";
import "./shuffles.js";
import "./float-arithmetic.js";
import "./float-compare.js";
import "./float-convert.js";
import "./float-special.js";
import "./bytes.js";
import "./strings.js";
import "./control.js";
import "./shared-names.js";
