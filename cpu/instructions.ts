/** Every family of instructions, in the order that numbers their micro-ops. Imported for its effect. */
import "./integer/memory.js";
import "./integer/move.js";
import "./integer/alu.js";
import "./integer/shift.js";
import "./integer/control.js";
import "./integer/multiply.js";
import "./integer/bits.js";
import "./integer/flag-ops.js";
import "./integer/strings.js";
import "./integer/descriptors.js";
import "./integer/system.js";
import "./x87/index.js";
import "./simd/index.js";
import "./compat/index.js";
