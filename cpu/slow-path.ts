/** Bits of the slow path's argument above the access's size in bytes; see GuestAccess.slow. */
export const SLOW_WRITE_INTENT = 0x100;
export const SLOW_STORE = 0x200;
