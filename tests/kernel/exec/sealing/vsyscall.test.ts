import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost, Machine } from "../../../../debug/index.js";
import { Program, SYS } from "../../../../userland/index.js";
import { hostRunsPrograms, runNative } from "../../../userland/native.js";

const PAGE = 0xffff_ffff_ff60_0000n;

function calls(): Uint8Array {
  const program = new Program().label("_start").catchFaults();
  program.within(".bss", () => program.align(8).label("now").reserve(16).label("zone").reserve(8));
  program.within(".bss", () => program.label("cpu").reserve(8).label("node").reserve(8));
  const call = (name: string, offset: bigint, first: string | number = 0, second: string | number = 0) => {
    program
      .load("rdi", first)
      .load("rsi", second)
      .load("rbx", PAGE + offset);
    return program
      .attempt(() => program.code("call rbx"))
      .print(`${name}: `)
      .printFault();
  };
  call("gettimeofday", 0n, "now", "zone").print(" ").printErrno("rax").line("");
  call("time", 0x400n).code("sub rax, [now]\n cmp rax, 2\n setb al\n movzx eax, al");
  program.print(", as gettimeofday says: ").printUnsigned("rax").line("");
  call("getcpu", 0x800n, "cpu", "node").print(" ").printErrno("rax").line("");
  call("a fourth", 0xc00n).line("");
  call("between two", 0x10n).line("");
  call("with a bad pointer", 0n, 0x10).line("");
  call("above the page", 0x1000n).line("");
  program.load("rbx", PAGE);
  program
    .attempt(() => program.code("mov al, [rbx]"))
    .print("a read: ")
    .printFault()
    .line("");
  const at = -0xa0_0000;
  program.syscall(SYS.munmap, at, 4096).print("munmap: ").printErrno("rax").line("");
  program.syscall(SYS.mprotect, at, 4096, 1).print("mprotect: ").printErrno("rax").line("");
  program.syscall(SYS.mseal, at, 4096, 0).print("mseal: ").printErrno("rax").line("");
  program.syscall(SYS.mremap, at, 4096, 4096, 1).print("mremap: ").printErrno("rax").line("");
  return program.exit(0).build();
}

/** What Linux 6.12.117 and 6.18.44 answer with vsyscall=xonly. */
const ANSWERS = `gettimeofday: ok ok
time: ok, as gettimeofday says: 1
getcpu: ok ok
a fourth: SIGSEGV SI_KERNEL
between two: SIGSEGV SI_KERNEL
with a bad pointer: SIGSEGV SI_KERNEL
above the page: SIGSEGV SEGV_MAPERR
a read: SIGSEGV SEGV_MAPERR
munmap: EINVAL
mprotect: ENOMEM
mseal: ENOMEM
mremap: EFAULT
`;

const hostHasPage =
  hostRunsPrograms &&
  readFileSync("/proc/self/maps", "utf8").endsWith(`--xp 00000000 00:00 0${" ".repeat(18)}[vsyscall]\n`);

function sealab(elf: Uint8Array, params: readonly string[]): string {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 32 << 20, params });
  machine.load(elf);
  machine.run();
  return host.text(1);
}

/** Prints the end of a file of /proc. */
function tail(path: string): Uint8Array {
  const program = new Program().label("_start");
  program.within(".rodata", () => program.label("path").string(`${path}\0`));
  program.within(".bss", () => program.label("text").reserve(65536));
  program.syscall(SYS.open, "path", 0, 0).code("mov r12, rax\n lea rbx, [text]\n again:");
  program.syscall(SYS.read, "r12", "rbx", 4096).code("add rbx, rax\n test rax, rax\n jg again");
  program
    .code("lea rsi, [text]\n mov rdx, rbx\n sub rdx, rsi\n mov edi, 1")
    .code(`mov eax, ${SYS.write}\n syscall`);
  return program.exit(0).build();
}

describe("[vsyscall]", () => {
  it("xonly: its calls are served, nothing reads or changes it", () => {
    expect(sealab(calls(), ["vsyscall=xonly"])).toBe(ANSWERS);
  });
  it.skipIf(!hostHasPage)("as on this host", () => {
    expect(runNative(calls()).stdout.toString()).toBe(ANSWERS);
  });
  it("none, and unless told: a jump there faults as elsewhere", () => {
    for (const params of [[], ["vsyscall=none"]]) {
      const text = sealab(calls(), params);
      expect(text.match(/SIGSEGV SEGV_MAPERR/g)).toHaveLength(8);
      expect(sealab(tail("/proc/self/maps"), params)).not.toContain("vsyscall");
    }
  });
  it("maps and smaps end with it", () => {
    const line = "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]\n";
    expect(sealab(tail("/proc/self/maps"), ["vsyscall=xonly"]).endsWith(line)).toBe(true);
    const smaps = sealab(tail("/proc/self/smaps"), ["vsyscall=xonly"]);
    expect(smaps).toContain(line);
    expect(smaps.endsWith("THPeligible:           0\nProtectionKey:         0\nVmFlags: ex \n")).toBe(true);
  });
  it("sm-1, sm-2 the proposals seal it, for smaps to show; sm-3 the merged option does not", () => {
    const flags = (param: string): string | undefined =>
      sealab(tail("/proc/self/smaps"), ["vsyscall=xonly", param]).trimEnd().split("\n").at(-1)?.trim();
    expect(flags("exec.seal_system_mappings=yes")).toBe("VmFlags: ex sl");
    expect(flags("mseal.special_mappings=on")).toBe("VmFlags: ex sl");
    expect(flags("mseal.special_mappings=off")).toBe("VmFlags: ex");
    expect(flags("CONFIG_MSEAL_SYSTEM_MAPPINGS=y")).toBe("VmFlags: ex");
  });
});
