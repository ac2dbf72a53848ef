/** How a machine's objects are written: numbers that the writer and the reader share. */

/** Kinds of objects. */
export const KIND = { record: 0, array: 1, map: 2, set: 3, buffer: 4, view: 5 } as const;

/** Kinds of values. */
export const VALUE = {
  /** Null, a boolean, a number, a bigint or a text follows. */
  plain: 0,
  undefined: 1,
  /** The number of an object. */
  object: 2,
  /** The name's number. */
  external: 3,
  /** Found in the machine that is made anew, in the same place. */
  function: 4,
  /** A node of procfs or sysfs, by its path there. */
  node: 5,
} as const;

/** Views, in the order of their numbers. */
export const VIEW_TYPES = [
  Uint8Array,
  Int32Array,
  Uint32Array,
  Float64Array,
  DataView,
  Int8Array,
  Uint16Array,
  Int16Array,
  BigUint64Array,
  BigInt64Array,
  Float32Array,
  Uint8ClampedArray,
] as const;

/** Class 0 is a record without one. */
export const NO_CLASS = "";
