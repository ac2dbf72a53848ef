import { Program } from "../userland/program.js";

/** A program for the guest to run. */
export interface GuestProgram {
  /** Its file's path in the guest. */
  readonly path: string;
  readonly argv: readonly string[];
}

const SYS = {
  write: 1,
  open: 2,
  dup2: 33,
  nanosleep: 35,
  alarm: 37,
  fork: 57,
  execve: 59,
  exit: 60,
  wait4: 61,
  kill: 62,
  chdir: 80,
  mkdir: 83,
  setsid: 112,
  mount: 165,
  reboot: 169,
} as const;

/** `start N` and `end N STATUS` (wait4's, hexadecimal) go to the second port; a line before each program to the first. */
export const OUTPUT_MARK = "\u0001sealab-program ";

/**
 * The guest's first program: mounts what programs expect, runs each of them, tells how it ended, and powers off.
 * @param seconds after which SIGALRM ends a program
 * @param marks whether a line with the program's number goes before its output
 */
export function initProgram(programs: readonly GuestProgram[], seconds: number, marks: boolean): Uint8Array {
  const p = new Program();
  const text = (value: string): string => {
    const label = p.unique("string");
    p.within(".rodata", () => p.label(label).string(`${value}\0`));
    return label;
  };
  p.within(".bss", () =>
    p.align(8).label("status").reserve(8).label("port").reserve(8).label("control").reserve(8),
  );
  p.within(".rodata", () => p.align(8).label("moment").u64(0, 2_000_000));
  const environment = ["PATH=/bin", "HOME=/root", "TERM=dumb"].map(text);
  p.within(".rodata", () =>
    p
      .align(8)
      .label("environment")
      .u64(...environment, 0),
  );
  p.label("_start");
  const tmpfs = text("tmpfs");
  for (const [kind, place] of [
    ["proc", "/proc"],
    ["sysfs", "/sys"],
    ["devtmpfs", "/dev"],
    ["tmpfs", "/tmp"],
  ] as const)
    p.syscall(SYS.mount, kind === "tmpfs" ? tmpfs : text(kind), text(place), text(kind), 0, 0);
  p.syscall(SYS.mkdir, text("/dev/shm"), 0o1777).syscall(SYS.mount, tmpfs, text("/dev/shm"), tmpfs, 0, 0);
  for (const [label, path] of [
    ["port", "/dev/vport0p1"],
    ["control", "/dev/vport0p2"],
  ] as const) {
    const [again, open] = [p.unique("again"), p.unique("open")];
    p.label(again).syscall(SYS.open, text(path), 0x80001);
    p.code(`test rax, rax\n jns ${open}`).syscall(SYS.nanosleep, "moment", 0).code(`jmp ${again}`);
    p.label(open).code(`mov [${label}], rax`);
  }
  p.syscall(SYS.chdir, text("/w"));
  programs.forEach((program, i) => runOne(p, program, i, seconds, marks, text));
  p.syscall(SYS.reboot, 0xfee1dead, 672274793, 0x4321fedc, 0);
  p.code("park: pause\n jmp park");
  // RAX in hexadecimal and a newline, to the control port.
  p.within(".bss", () => p.label("digits").reserve(16));
  p.code(`
    put_status:
      lea rdi, [digits]
      mov ecx, 28
    .digit:
      mov edx, eax
      shr edx, cl
      and edx, 15
      add edx, 48
      cmp edx, 57
      jbe .put
      add edx, 39
    .put:
      mov [rdi], dl
      inc rdi
      sub ecx, 4
      jns .digit
      mov byte ptr [rdi], 10
      mov edi, [control]
      lea rsi, [digits]
      mov edx, 9
      mov eax, ${SYS.write}
      syscall
      ret
  `);
  return p.build();
}

function runOne(
  p: Program,
  { path, argv }: GuestProgram,
  i: number,
  seconds: number,
  marks: boolean,
  text: (value: string) => string,
): void {
  const [parent, wait, missing] = [p.unique("parent"), p.unique("wait"), p.unique("missing")];
  const put = (to: string, value: string): void => {
    p.code(`mov edi, [${to}]`).syscall(SYS.write, "rdi", text(value), Buffer.byteLength(value));
  };
  const args = argv.map(text);
  const list = p.unique("argv");
  p.within(".rodata", () =>
    p
      .align(8)
      .label(list)
      .u64(...args, 0),
  );
  put("control", `start ${i}\n`);
  if (marks) put("port", `\n${OUTPUT_MARK}${i}\n`);
  p.syscall(SYS.fork).code(`test rax, rax\n jnz ${parent}`);
  p.syscall(SYS.setsid)
    .syscall(SYS.open, text("/dev/null"), 2)
    .code("mov edi, eax")
    .syscall(SYS.dup2, "rdi", 0);
  for (const fd of [1, 2]) p.code("mov edi, [port]").syscall(SYS.dup2, "rdi", fd);
  p.syscall(SYS.alarm, seconds);
  p.syscall(SYS.execve, text(path), list, "environment");
  p.syscall(SYS.write, 2, text("sealab: the guest cannot run it: is it a static x86-64 program?\n"), 63);
  p.syscall(SYS.exit, 127);
  p.label(parent).code("mov rbx, rax").label(wait).syscall(SYS.wait4, -1, "status", 0, 0);
  p.code(`test rax, rax\n js ${missing}\n cmp rax, rbx\n jne ${wait}`).label(missing);
  p.syscall(SYS.kill, -1, 9);
  put("control", `end ${i} `);
  p.code("mov eax, [status]\n call put_status");
}
