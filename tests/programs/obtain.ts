import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { compileOnce } from "./compile-once.js";

/** Programs that the repository does not ship: Debian's, and C compiled where there is a compiler. */
const CACHE = join(import.meta.dirname, "..", "..", ".cache", "programs");
const NETWORK_MS = 60_000;
/** Milliseconds for which what could not be had is not asked for again: many tests want the same. */
const GIVEN_UP_MS = 600_000;

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
  const givenUp = `${folder}.unobtainable`;
  if (process.platform !== "linux") return undefined;
  if (existsSync(givenUp) && Date.now() - statSync(givenUp).mtimeMs < GIVEN_UP_MS) return undefined;
  // Another test may fetch the same package at this moment: it comes to its place whole.
  const apart = `${folder}.${randomUUID()}`;
  mkdirSync(apart, { recursive: true });
  try {
    quietly("apt-get", ["download", `${packageName}:amd64`], apart);
    const archive = readdirSync(apart).find((name) => name.endsWith(".deb"));
    if (archive !== undefined && quietly("dpkg-deb", ["-x", archive, "."], apart)) {
      rmSync(join(apart, archive));
      renameSync(apart, folder);
    }
  } catch {
    // The other one was first.
  } finally {
    rmSync(apart, { recursive: true, force: true });
  }
  if (existsSync(file)) return file;
  writeFileSync(givenUp, "");
  return undefined;
}

/** A C file as a static program of glibc; undefined without gcc. */
export function compiledWithGlibc(source: string): string | undefined {
  return compileOnce(source, `${basename(source, ".c")}-glibc`, "gcc", ["-O1", "-static", "-w"], ["-lm"]);
}

/** A C file as a static program of musl, whose libc.a and headers come from Debian's musl-dev. */
export function compiledWithMusl(source: string): string | undefined {
  const crt = fromDebian("musl-dev", "usr/lib/x86_64-linux-musl/crt1.o");
  if (crt === undefined) return undefined;
  const lib = join(crt, "..");
  const include = join(CACHE, "musl-dev", "usr", "include", "x86_64-linux-musl");
  const options = ["-O1", "-static", "-w", "-nostdinc", "-isystem", include, "-nostdlib"];
  options.push("-fno-stack-protector", crt, join(lib, "crti.o"));
  const libc = join(lib, "libc.a");
  const libraries = [libc, "-lgcc", "-lgcc_eh", libc, join(lib, "crtn.o")];
  return compileOnce(source, `${basename(source, ".c")}-musl`, "gcc", options, libraries);
}
