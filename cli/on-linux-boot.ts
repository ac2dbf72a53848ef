import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure, USAGE_STATUS } from "./failure.js";
import { initProgram, type GuestProgram } from "./on-linux-init.js";
import { initramfs } from "./on-linux-initramfs.js";
import type { KernelImage } from "./on-linux-kernel.js";

export interface Boot {
  readonly kernel: KernelImage;
  readonly programs: readonly GuestProgram[];
  /** Path in the guest (no leading slash) to bytes. */
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Seconds that each program may run. */
  readonly seconds: number;
  readonly memoryMegabytes: number;
  /** Whether places in memory are chosen at random; true unless told. */
  readonly randomPlaces?: boolean;
  /** More of what the kernel is told; nothing unless told. */
  readonly parameters?: readonly string[];
  /** Whether lines with the programs' numbers go between their outputs. */
  readonly marks: boolean;
  /** Takes the programs' output as it comes. */
  readonly onOutput: (bytes: Uint8Array) => void;
}

export interface Booted {
  /** wait4's status of each program; undefined for one that did not end. */
  readonly statuses: readonly (number | undefined)[];
  /** The end of the kernel's log and what QEMU said, for who asks why. */
  readonly log: string;
}

/** Seconds for the kernel to come up; software emulation on a busy machine takes a while. */
const BOOT_SECONDS = 120;
const POLL_MILLISECONDS = 40;

/** Boots the kernel in QEMU's software processor, which has protection keys, and runs the programs. @throws Failure */
export async function bootLinux(boot: Boot): Promise<Booted> {
  const folder = mkdtempSync(join(tmpdir(), "sealab-linux-"));
  const file = (name: string): string => join(folder, name);
  try {
    const init = initProgram(boot.programs, boot.seconds, boot.marks);
    writeFileSync(file("initrd"), initramfs({ init, ...boot.files }));
    for (const name of ["out", "control", "log"]) writeFileSync(file(name), "");
    const limit = BOOT_SECONDS + boot.programs.length * (boot.seconds + 1);
    const qemu = await runQemu(boot, file, limit);
    const control = readFileSync(file("control"), "latin1");
    const statuses = boot.programs.map((_, i) => {
      const end = new RegExp(`^end ${i} ([0-9a-f]{8})$`, "m").exec(control);
      return end === null ? undefined : parseInt(end[1]!, 16);
    });
    const log = readFileSync(file("log"), "latin1").trimEnd().split("\n").slice(-25).join("\n");
    return { statuses, log: `${qemu}${log}` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function runQemu(boot: Boot, file: (name: string) => string, limit: number): Promise<string> {
  const parameters = [
    "console=ttyS0 8250.nr_uarts=1 loglevel=4 panic=-1 nowatchdog audit=0 selinux=0 apparmor=0 mitigations=off",
    // The timer's check counts ticks while the host may have other things to do.
    "no_timer_check tsc=reliable random.trust_cpu=on cryptomgr.notests init_on_alloc=0 initcall_blacklist=crypto_kdf108_init,jent_mod_init",
    ...(boot.randomPlaces === false ? ["norandmaps"] : []),
    ...(boot.parameters ?? []),
  ].join(" ");
  const chardev = (id: string): string[] => ["-chardev", `file,id=${id},path=${file(id)}`];
  const child = spawn(
    "qemu-system-x86_64",
    [
      ...["-M", "pc,usb=off", "-accel", "tcg,thread=single", "-cpu", "max,la57=off,smap=off", "-smp", "1"],
      ...[
        "-m",
        String(boot.memoryMegabytes),
        "-nodefaults",
        "-no-user-config",
        "-display",
        "none",
        "-no-reboot",
      ],
      ...["-kernel", boot.kernel.path, "-initrd", file("initrd"), "-append", parameters],
      ...[...chardev("log"), "-serial", "chardev:log", ...chardev("out"), ...chardev("control")],
      ...["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=out,nr=1"],
      ...["-device", "virtserialport,chardev=control,nr=2"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  return watch(child, boot, file("out"), limit);
}

function watch(child: ChildProcess, boot: Boot, path: string, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fd = openSync(path, "r");
    const buffer = new Uint8Array(65536);
    const drain = (): void => {
      for (let count = readSync(fd, buffer); count > 0; count = readSync(fd, buffer))
        boot.onOutput(buffer.slice(0, count));
    };
    let errors = "";
    const stop = (): void => void child.kill("SIGKILL");
    const poll = setInterval(drain, POLL_MILLISECONDS);
    const timer = setTimeout(stop, limit * 1000);
    process.once("SIGINT", stop);
    let open = true;
    // An error is followed by "close".
    const over = (): void => {
      if (!open) return;
      open = false;
      clearInterval(poll);
      clearTimeout(timer);
      process.removeListener("SIGINT", stop);
      drain();
      closeSync(fd);
    };
    child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString("latin1")));
    child.on("error", (error) => {
      over();
      const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
      const words = missing
        ? "on-linux boots Linux in QEMU, and there is no qemu-system-x86_64 here (Debian: apt-get install qemu-system-x86)"
        : `qemu-system-x86_64: ${error.message}`;
      reject(new Failure(USAGE_STATUS, words));
    });
    child.on("close", () => {
      over();
      resolve(errors);
    });
  });
}
