/** The x87 and extended-state instructions. Imported for its effect. */
import "./instructions.js";
import "./control.js";
import "./state-image.js";
import "./extended-state.js";
