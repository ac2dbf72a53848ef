import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Debian's packages with the programs of the ladder, and the libraries they need. */
const PACKAGES = [
  ..."libc6 libc-bin libtinfo6 libselinux1 libpcre2-8-0 libacl1 libattr1 libgmp10 libreadline8 libmpfr6".split(
    " ",
  ),
  ..."libsigsegv2 zlib1g libsqlite3-0 libexpat1 libcrypt1 libgcc-s1 libbz2-1.0 liblzma5 libffi8 libuuid1".split(
    " ",
  ),
  ..."libsmartcols1 libklibc libssl3 libncursesw6 libdb5.3 musl".split(" "),
  ..."coreutils findutils grep sed mawk gawk dash bash mksh klibc-utils gzip bzip2 xz-utils tar diffutils".split(
    " ",
  ),
  ..."util-linux bc lua5.4 perl-base sqlite3 tcc busybox-static bash-static zsh-static".split(" "),
  ..."libpython3.11-minimal libpython3.11-stdlib python3.11-minimal python3.11".split(" "),
];
const NETWORK_MS = 120_000;

/**
 * A directory tree with Debian's programs in it, made once: another root for sealab and, with chroot, for the host.
 * Undefined where apt or its mirror cannot be had.
 * @param cache where it is kept
 * @param more a tree of its own, named, with these packages too
 */
export function debianRoot(
  cache: string,
  more: { readonly name: string; readonly packages: readonly string[] } = {
    name: "debian-root",
    packages: [],
  },
): string | undefined {
  const root = join(cache, more.name);
  if (existsSync(join(root, "complete"))) return root;
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  // Another test may make the same tree at this moment: it comes to its place whole.
  const fresh = `${root}.${randomUUID()}`;
  mkdirSync(fresh, { recursive: true });
  try {
    const quiet = { cwd: fresh, stdio: "ignore", timeout: NETWORK_MS } as const;
    execFileSync(
      "apt-get",
      ["download", ...[...PACKAGES, ...more.packages].map((name) => `${name}:amd64`)],
      quiet,
    );
    for (const archive of readdirSync(fresh).filter((name) => name.endsWith(".deb"))) {
      execFileSync("dpkg-deb", ["-x", archive, "."], quiet);
      rmSync(join(fresh, archive));
    }
    for (const folder of ["dev", "proc", "tmp", "work", "root", "etc"])
      mkdirSync(join(fresh, folder), { recursive: true });
    const link = (target: string, path: string): void => {
      if (!existsSync(join(fresh, path))) symlinkSync(target, join(fresh, path));
    };
    link("dash", "bin/sh");
    link("mawk", "usr/bin/awk");
    link("python3.11", "usr/bin/python3");
    writeFileSync(join(fresh, "etc", "passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    writeFileSync(join(fresh, "etc", "group"), "root:x:0:\n");
    writeFileSync(join(fresh, "complete"), "");
    renameSync(fresh, root);
    return root;
  } catch {
    rmSync(fresh, { recursive: true, force: true });
    return existsSync(join(root, "complete")) ? root : undefined;
  }
}
