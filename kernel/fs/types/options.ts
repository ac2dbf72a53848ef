import { EINVAL } from "../../errno.js";

/** The value of an option like mode=; -EINVAL where it is no octal number of 32 bits. */
export function octal(value: string | null): number {
  return value !== null && /^[0-7]{1,11}$/.test(value) ? Number.parseInt(value, 8) : -EINVAL;
}

/** The value of an option like uid=; -EINVAL where it is no number of 32 bits, or names nobody. */
export function identifier(value: string | null): number {
  if (value === null || !/^(0[xX][0-9a-fA-F]+|\d+)$/.test(value)) return -EINVAL;
  const number = /^0\d/.test(value) ? Number.parseInt(value, 8) : Number(value);
  return number < 0xffff_ffff ? number : -EINVAL;
}
