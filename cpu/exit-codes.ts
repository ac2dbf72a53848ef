/** Why the interpreter returned. */
export const EXIT_BUDGET = 0;
/** A link that is not resolved yet: slot d or slot e of the record. */
export const EXIT_LINK_D = 1;
export const EXIT_LINK_E = 2;
/** RIP holds the next address; its block is not in the jump cache. */
export const EXIT_DISPATCH = 3;
/** An exception: EXIT_VECTOR, EXIT_ERROR, ACCESS_ADDRESS. */
export const EXIT_EXCEPTION = 4;
export const EXIT_SYSCALL = 5;
/** INT n through a gate that the kernel may have opened: EXIT_VECTOR. */
export const EXIT_INTERRUPT = 11;
/** RIP holds the next address, and CS may have changed: how code is seen is looked up anew. */
export const EXIT_FAR = 12;
/** A store would change decoded code; nothing of the instruction is done yet. */
export const EXIT_CODE_WRITE = 6;
/** A callout wants to be run again (a long `rep`). */
export const EXIT_AGAIN = 7;
/** State that decides how blocks run has changed (TF): go through the run loop. */
export const EXIT_STATE = 8;
/** The block no longer says what memory holds: run the instruction anew. */
export const EXIT_STALE = 9;
/** An access that a debugger watches; nothing of the instruction is done yet. */
export const EXIT_WATCH = 10;
/** A region's entry in an address space in which its translations have not been looked at. */
export const EXIT_REGION = 13;
