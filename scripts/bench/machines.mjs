// Where a benchmark can run: natively, under qemu-user, in a Linux under qemu-system, and in sealab.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { initramfs } from "./cpio.mjs";

/** SEALAB_CLI=FILE measures another build. */
const cli = process.env.SEALAB_CLI ?? fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
export const work = mkdtempSync(join(tmpdir(), "sealab-bench-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));

function has(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`]).status === 0;
}

/** Runs a command; its processor time (user and system, of all its threads) in seconds, and its output. */
export function timed(command, args, options = {}) {
  const script = 'TIMEFORMAT="%U %S %R"; time "$@"';
  const result = spawnSync("bash", ["-c", script, "bash", command, ...args], {
    maxBuffer: 1 << 28,
    ...options,
  });
  const lines = result.stderr.toString().trimEnd().split("\n");
  const [user, system, real] = lines.at(-1).split(" ").map(Number);
  return {
    cpu: user + system,
    real,
    status: result.status,
    stdout: result.stdout.toString(),
    stderr: lines.slice(0, -1).join("\n"),
  };
}

/** A Linux kernel for qemu-system: SEALAB_QEMU_KERNEL, or one that lies where kernels do. */
function findKernel() {
  const named = process.env.SEALAB_QEMU_KERNEL;
  if (named) return named;
  const boot = existsSync("/boot") ? readdirSync("/boot").filter((name) => name.startsWith("vmlinuz")) : [];
  return boot.length > 0 ? join("/boot", boot.sort().at(-1)) : null;
}

/**
 * Each machine: `missing` says why it is skipped (null: it is there), and `run` runs `{ elf, args, files }`: an ELF
 * file's path, its arguments, and further files by name, which lie in the working directory.
 */
const native = {
  name: "native",
  scale: 20,
  missing:
    process.platform === "linux" && process.arch === "x64" && has("bash") ? null : "not Linux on x86-64",
  run: ({ elf, args }) => timed(elf, args, { cwd: work }),
};

const user = ["qemu-x86_64", "qemu-x86_64-static"].find(has);
const qemuUser = {
  name: "qemu-user",
  scale: 10,
  missing: user === undefined ? "qemu-x86_64 is not installed" : null,
  run: ({ elf, args }) => timed(user, [elf, ...args], { cwd: work }),
};

const kernel = findKernel();
const qemuSystem = {
  name: "qemu-system",
  scale: 10,
  missing: !has("qemu-system-x86_64")
    ? "qemu-system-x86_64 is not installed"
    : kernel === null
      ? "no Linux kernel found (SEALAB_QEMU_KERNEL=FILE names one)"
      : null,
  run({ elf, args, files = {} }) {
    const name = basename(elf);
    const quoted = args.map((arg) => `'${arg}'`).join(" ");
    const script = `#!/busybox sh\n/${name} ${quoted} </dev/null\n/busybox poweroff -f\n`;
    const contents = { [name]: execFileSync("cat", [elf], { maxBuffer: 1 << 28 }), ...files };
    const initrd = join(work, "initrd");
    // A benchmark program is process 1 itself; a program of several files is started by busybox's shell.
    const init = contents.busybox === undefined ? name : "init";
    if (init === "init") contents.init = script;
    writeFileSync(initrd, initramfs(contents));
    const append = `console=ttyS0 quiet panic=-1 mitigations=off tsc=reliable random.trust_cpu=on rdinit=/${init}`;
    return timed("qemu-system-x86_64", [
      ...["-M", "pc,usb=off", "-accel", "tcg,thread=single", "-cpu", "max,la57=off", "-m", "512"],
      ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", "stdio"],
      ...[
        "-kernel",
        kernel,
        "-initrd",
        initrd,
        "-append",
        init === "init" ? append : `${append} -- ${args.join(" ")}`,
      ],
    ]);
  },
};

const sealab = {
  name: "sealab",
  scale: 1,
  missing: null,
  run: ({ elf, args }) =>
    timed(process.execPath, [cli, "run", "--mount", `${work}:/w`, "--cwd", "/w", "--", elf, ...args]),
};

export const machines = [native, qemuUser, qemuSystem, sealab];
export { cli, kernel, has };
