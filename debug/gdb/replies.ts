/** Answers that packets of many kinds have. Errors carry Linux's numbers. */

export const OK = "OK";
/** The empty answer: a packet that is not known. */
export const UNKNOWN = "";
export const BAD = "E16";
export const FAULT = "E0e";
export const NO_SUCH = "E03";
