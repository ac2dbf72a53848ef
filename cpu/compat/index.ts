/** 32- and 16-bit code, and the far transfers between it and 64-bit code. Imported for its effect. */
import "./access.js";
import "./far.js";
import "./branches.js";
import "./stack.js";
import "./strings.js";
import "./legacy.js";
