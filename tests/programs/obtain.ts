import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

/** Programs that the repository does not ship: Debian's, and C compiled where there is a compiler. */
const CACHE = join(import.meta.dirname, "..", "..", ".cache", "programs");
const NETWORK_MS = 60_000;

function quietly(command: string, args: readonly string[], cwd: string): boolean {
  try {
    execFileSync(command, args, { cwd, stdio: "ignore", timeout: NETWORK_MS });
    return true;
  } catch {
    return false;
  }
}

/** A file of a Debian package, fetched and unpacked once; undefined where apt or its mirror cannot be had. */
export function fromDebian(packageName: string, path: string): string | undefined {
  const folder = join(CACHE, packageName);
  const file = join(folder, path);
  if (existsSync(file)) return file;
  if (process.platform !== "linux" || existsSync(join(folder, "unobtainable"))) return undefined;
  mkdirSync(folder, { recursive: true });
  if (!quietly("apt-get", ["download", `${packageName}:amd64`], folder)) return undefined;
  const archive = readdirSync(folder).find((name) => name.endsWith(".deb"));
  if (archive === undefined || !quietly("dpkg-deb", ["-x", archive, "."], folder)) return undefined;
  rmSync(join(folder, archive));
  return existsSync(file) ? file : undefined;
}

/** Another test may compile, or run, the same program at this moment: it comes to its place whole. */
function compiled(out: string, optionsFor: (out: string) => readonly string[]): string | undefined {
  const apart = `${out}.${randomUUID()}`;
  if (!quietly("gcc", optionsFor(apart), CACHE)) return undefined;
  renameSync(apart, out);
  return out;
}

/** A C file as a static program of glibc; undefined without gcc. */
export function compiledWithGlibc(source: string): string | undefined {
  mkdirSync(CACHE, { recursive: true });
  const out = join(CACHE, `${basename(source, ".c")}-glibc`);
  return compiled(out, (path) => ["-O1", "-static", "-w", source, "-o", path, "-lm"]);
}

/** A C file as a static program of musl, whose libc.a and headers come from Debian's musl-dev. */
export function compiledWithMusl(source: string): string | undefined {
  const crt = fromDebian("musl-dev", "usr/lib/x86_64-linux-musl/crt1.o");
  if (crt === undefined) return undefined;
  const lib = join(crt, "..");
  const include = join(CACHE, "musl-dev", "usr", "include", "x86_64-linux-musl");
  const out = join(CACHE, `${basename(source, ".c")}-musl`);
  return compiled(out, (path) => [
    "-O1",
    "-static",
    "-w",
    "-nostdinc",
    "-isystem",
    include,
    "-nostdlib",
    "-fno-stack-protector",
    crt,
    join(lib, "crti.o"),
    source,
    "-o",
    path,
    join(lib, "libc.a"),
    "-lgcc",
    "-lgcc_eh",
    join(lib, "libc.a"),
    join(lib, "crtn.o"),
  ]);
}
