import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";

/** A kernel that QEMU can boot. */
export interface KernelImage {
  readonly path: string;
  /** `6.12.38+deb13-cloud-amd64`. */
  readonly release: string;
}

/** Debian's kernels for virtual machines: all drivers that a boot without a disk needs are built in. */
const PACKAGE = /^linux-image-(\d+\.\d+\S*?)-?cloud-amd64(-unsigned)?$/;
/** Protection keys and mseal are in it. */
const OLDEST = 6010;

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "sealab", "linux");
}

/**
 * The kernel in the cache, or the newest that apt offers, which is then put there.
 * @param wanted the release's beginning, such as `6.12`, or null
 * @throws Failure in words for the user where something is missing
 */
export function findKernel(wanted: string | null, say: (line: string) => void): KernelImage {
  const cache = cacheDirectory();
  const fits = (release: string): boolean =>
    wanted === null || release === wanted || release.startsWith(`${wanted}.`);
  const cached = existsSync(cache)
    ? readdirSync(cache).filter((name) => !name.startsWith(".") && fits(name))
    : [];
  const best = cached.sort(byVersion).at(-1);
  if (best !== undefined) return { path: join(cache, best, "kernel"), release: best };
  return download(cache, choosePackage(fits, wanted), say);
}

function choosePackage(fits: (release: string) => boolean, wanted: string | null): string {
  const listed = spawnSync("apt-cache", ["pkgnames", "linux-image-"], { encoding: "utf8" });
  if (listed.error !== undefined)
    throw new Failure(
      USAGE_STATUS,
      "on-linux gets its kernel from Debian's archive by apt-get, and there is no apt here: give it one with " +
        "--image FILE (a vmlinuz of 6.10 or later with virtio-serial built in)",
    );
  const packages = listed.stdout
    .split("\n")
    .map((name) => ({ name, version: PACKAGE.exec(name)?.[1] ?? "" }))
    .filter(({ version }) => version !== "" && releaseOf(version) >= OLDEST && fits(version))
    .sort((a, b) => byVersion(a.version, b.version));
  const newest = packages.at(-1);
  if (newest === undefined)
    throw new Failure(
      USAGE_STATUS,
      `apt knows no linux-image-${wanted ?? "6.10 or later"}...-cloud-amd64: run apt-get update as root, ` +
        "add Debian's backports, or give a kernel with --image FILE",
    );
  return newest.name;
}

function releaseOf(version: string): number {
  const [major = 0, minor = 0] = version.split(".").map((part) => parseInt(part, 10));
  return major * 1000 + minor;
}

/** Numbers in a version compare as numbers. */
function byVersion(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}

function download(cache: string, name: string, say: (line: string) => void): KernelImage {
  say(`getting Debian's ${name} (once; it stays in ${cache})`);
  try {
    mkdirSync(cache, { recursive: true });
  } catch (error) {
    const why = `${cache}: ${reasonOf(error)}`;
    throw new Failure(
      USAGE_STATUS,
      `${why}; XDG_CACHE_HOME=DIR says where else, --image FILE gives a kernel`,
    );
  }
  const work = mkdtempSync(join(cache, ".new-"));
  try {
    run("apt-get", ["-qq", "-o", "APT::Sandbox::User=", "download", name], work);
    const deb = readdirSync(work).find((file) => file.endsWith(".deb"));
    if (deb === undefined) throw new Failure(USAGE_STATUS, `apt-get download ${name}: it gave no package`);
    run("dpkg-deb", ["-x", deb, "tree"], work);
    const boot = join(work, "tree", "boot");
    const file = readdirSync(boot).find((one) => one.startsWith("vmlinuz-"));
    if (file === undefined) throw new Failure(USAGE_STATUS, `${name}: there is no kernel in it`);
    const release = file.slice("vmlinuz-".length);
    const image = readFileSync(join(boot, file));
    const made = join(work, "made");
    mkdirSync(made);
    writeFileSync(join(made, "kernel"), uncompressed(image) ?? image);
    const place = join(cache, release);
    rmSync(place, { recursive: true, force: true });
    renameSync(made, place);
    return { path: join(place, "kernel"), release };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(command: string, args: readonly string[], cwd: string): void {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error !== undefined) throw new Failure(USAGE_STATUS, `on-linux needs ${command}, which is not here`);
  if (status !== 0)
    throw new Failure(
      USAGE_STATUS,
      `${command} ${args.join(" ")}: ${stderr.trim().split("\n").at(-1) ?? "it failed"}`,
    );
}

/**
 * The ELF image inside of a bzImage, which QEMU starts at once (PVH), or null where it cannot be taken out. The
 * header's offsets are those of Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the last
 * four bytes of the payload are its uncompressed size.
 */
function uncompressed(image: Buffer): Buffer | null {
  const start = (image.readUInt8(0x1f1) + 1) * 512 + image.readUInt32LE(0x248);
  const payload = image.subarray(start, start + image.readUInt32LE(0x24c) - 4);
  if (payload.subarray(0, 4).toString("hex") !== "28b52ffd") return null;
  const own = (zlib as { zstdDecompressSync?: (bytes: Buffer) => Buffer }).zstdDecompressSync;
  if (own !== undefined) return own(payload);
  const { status, stdout } = spawnSync("zstd", ["-dc"], { input: payload, maxBuffer: 1 << 29 });
  return status === 0 && stdout.subarray(1, 4).toString("latin1") === "ELF" ? stdout : null;
}
