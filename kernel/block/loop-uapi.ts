/** Of <linux/loop.h>. */

export const LOOP_MAJOR = 7;
/** Devices that are there from the start (CONFIG_BLK_DEV_LOOP_MIN_COUNT). */
export const LOOP_COUNT = 8;
export const LOOP_CONTROL_DEVICE = { major: 10, minor: 237 };

export const LO_FLAGS_READ_ONLY = 1;
export const LO_FLAGS_AUTOCLEAR = 4;
export const LO_FLAGS_PARTSCAN = 8;
export const LO_FLAGS_DIRECT_IO = 16;

/** Bytes of a file's name, the 0 at its end among them. */
export const LO_NAME_SIZE = 64;
