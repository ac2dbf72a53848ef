import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { compileOnce } from "../compile-once.js";

/** How a C program is made; a libc and how it is linked. */
export const VARIANTS = {
  "glibc-static": ["gcc", "-static"],
  "glibc-dynamic": ["gcc"],
  "musl-static": ["musl-gcc", "-static"],
  "musl-dynamic": ["musl-gcc"],
} as const;
export type Variant = keyof typeof VARIANTS;

/** Compiles `source` into `folder`; undefined where there is no such compiler. */
export function compile(source: string, name: string, variant: Variant, folder: string): string | undefined {
  const [compiler, ...options] = VARIANTS[variant];
  const file = `${name}-${variant}`;
  const made = compileOnce(source, file, compiler, ["-O1", "-w", "-pthread", ...options], ["-lm"]);
  if (made === undefined) return undefined;
  mkdirSync(folder, { recursive: true });
  copyFileSync(made, join(folder, file));
  return join(folder, file);
}
