/**
 * What a compiled region returns: the address of a record (a multiple of 32) and, in its low bits, how the
 * interpreter goes on from there. Registers and flags are then as before that record.
 */
export const LEAVE_MASK = 31;
/** Executes the record: a TLB miss, a fault, a callout, whatever the region leaves to it. */
export const LEAVE_RESUME = 0;
/** Enters the block that begins with the record; its instructions are not paid yet. */
export const LEAVE_ENTER = 1;
/** The record's computed branch is done but for its jump: RIP holds the target. */
export const LEAVE_COMPUTED = 2;
/** The record's branch is done but for its jump through slot d or e. */
export const LEAVE_LINK_D = 3;
export const LEAVE_LINK_E = 4;
