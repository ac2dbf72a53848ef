import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

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
  const out = join(folder, `${name}-${variant}`);
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync(compiler, ["-O1", "-w", "-pthread", ...options, source, "-o", out, "-lm"], {
      stdio: "ignore",
      timeout: 60_000,
    });
    return out;
  } catch {
    return undefined;
  }
}
