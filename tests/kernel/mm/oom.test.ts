import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { formatOomKill, selectVictim, type OomKill, type OomProcess } from "../../../kernel/mm/oom.js";
import { Program } from "../../../userland/program.js";
import { ANON, PG, Space } from "./space.js";

const SYS = { open: 2, write: 1, mmap: 9, fork: 57, wait4: 61, exit: 60, kill: 62, pause: 34, getppid: 110 };
const RW = 3;
const SIGKILL = 9;

interface End {
  readonly machine: Machine;
  readonly kills: readonly OomKill[];
  readonly text: string;
}

function run(build: (program: Program) => void, memoryMiB = 8): End {
  const program = new Program();
  program.label("_start");
  build(program);
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: memoryMiB << 20 });
  const kills: OomKill[] = [];
  machine.kernel.events.on("oom", (kill) => kills.push(kill));
  machine.load(program.build());
  expect(machine.run(100_000_000).reason).toBe("exited");
  expect(checkMachine(machine.kernel, [machine.kernel.init.leader.mm])).toEqual([]);
  return { machine, kills, text: host.text(1) };
}

/** Maps and touches `pages`; the address in RBX. */
function touch(program: Program, pages: number): void {
  const loop = `.touch${String(pages)}`;
  program.syscall(SYS.mmap, 0, pages * PG, RW, ANON, -1, 0).code(`
    mov rbx, rax
    mov ecx, ${pages}
    ${loop}:
      mov byte ptr [rax], 1
      add rax, 4096
      dec ecx
      jnz ${loop}
  `);
}

/** Writes a number to /proc/self/oom_score_adj. */
function adjust(program: Program, value: string): void {
  program.syscall(SYS.open, "adj_path", 1, 0).code("mov r12, rax");
  program.syscall(SYS.write, "r12", `adj_${value.replace("-", "m")}`, value.length);
  program.within(".rodata", () => {
    program.label(`adj_${value.replace("-", "m")}`).string(`${value}\0`);
  });
}

function adjustPath(program: Program): void {
  program.within(".rodata", () => {
    program.label("adj_path").string("/proc/self/oom_score_adj\0");
  });
}

describe("out of memory", () => {
  it("ends a program that allocates without end, with a line", () => {
    const { machine, kills } = run((program) => {
      // Each of the two could be had.
      touch(program, 1500);
      touch(program, 1501);
      program.exit(0);
    });
    expect(machine.exit?.signal).toBe(SIGKILL);
    expect(kills).toHaveLength(1);
    expect(formatOomKill(kills[0]!)).toMatch(
      /^Out of memory: Killed process 1000 \(program\) total-vm:\d+kB, anon-rss:[1-9]\d+kB, file-rss:\d+kB, UID:0 pgtables:\d+kB oom_score_adj:0$/,
    );
  });

  it("ends the child that has most, and the others go on", () => {
    const { machine, kills, text } = run((program) => {
      // Three children: 300, 600 and 100 pages, which wait; then 900 more do not fit beside them.
      for (const pages of [300, 600, 100]) {
        program.syscall(SYS.fork).code(`test rax, rax\n jnz .parent${pages}`);
        touch(program, pages);
        program.syscall(SYS.pause).exit(1);
        program.code(`.parent${pages}:\n push rax`);
        // Until it has touched them all: its turn comes, as there are others to run.
        for (let i = 0; i < 3; i++) program.syscall(24);
      }
      program.code("mov r13d, 300000\n .wait:\n dec r13d\n jnz .wait");
      touch(program, 550);
      program.print("survived\n");
      program.syscall(SYS.wait4, -1, "status", 0, 0).printUnsigned("[status]").print("\n");
      for (let i = 0; i < 3; i++) program.code("pop rdi\n mov esi, 9\n mov eax, 62\n syscall");
      for (let i = 0; i < 2; i++) program.syscall(SYS.wait4, -1, 0, 0, 0);
      program.exit(0);
      program.within(".bss", () => {
        program.align(8).label("status").reserve(8);
      });
    }, 6);
    expect(text).toBe(`survived\n${SIGKILL}\n`);
    expect(machine.exit?.code).toBe(0);
    expect(kills.map(({ pid }) => pid)).toEqual([1002]);
  });

  it("honours oom_score_adj", () => {
    const { machine, kills } = run((program) => {
      adjustPath(program);
      program.syscall(SYS.fork).code("test rax, rax\n jnz .parent");
      adjust(program, "1000");
      touch(program, 200);
      program.syscall(SYS.pause).exit(1);
      program.code(".parent:\n mov r13d, 300000\n .wait:\n dec r13d\n jnz .wait");
      adjust(program, "-500");
      touch(program, 1400);
      program.syscall(SYS.wait4, -1, 0, 0, 0).exit(0);
    }, 6);
    expect(machine.exit?.code).toBe(0);
    expect(kills.map(({ pid, oomScoreAdj }) => [pid, oomScoreAdj])).toEqual([[1001, 1000]]);
  });

  it("a process that may not be killed dies all the same when nobody else is left", () => {
    const { machine, kills } = run((program) => {
      adjustPath(program);
      adjust(program, "-1000");
      touch(program, 1500);
      touch(program, 1501);
      program.exit(0);
    });
    expect(machine.exit?.signal).toBe(SIGKILL);
    expect(kills).toEqual([]);
  });

  it("a fork bomb that touches memory leaves a machine in order", () => {
    const { kills, machine } = run((program) => {
      // Each makes two children, six generations deep, and each touches 200 pages.
      program.code("mov ebp, 6\n .again:\n dec ebp\n jz .leaf");
      for (const i of [1, 2]) {
        program.syscall(SYS.fork).code(`test rax, rax\n jz .again`);
        program.code(`.made${i}:`);
      }
      program.code(".leaf:");
      touch(program, 200);
      program.code(".reap:");
      program.syscall(SYS.wait4, -1, 0, 0, 0).code("test rax, rax\n jg .reap");
      program.exit(0);
    }, 4);
    expect(kills.length).toBeGreaterThan(0);
    expect(machine.exit).not.toBe(null);
  });

  it("of equals the youngest goes, and never one that is dying or out of reach", () => {
    const s = new Space();
    const small = new Space().mm;
    const process = (pid: number, more: Partial<OomProcess> = {}): OomProcess => {
      return { pid, name: "p", uid: 0, mm: small, oomScoreAdj: 0, dying: false, ...more };
    };
    s.map(0, 50);
    for (let page = 0; page < 50; page++) s.store(page, 1);
    const victim = (...list: OomProcess[]) => selectVictim(list, 4000)?.pid;
    expect(victim(process(1), process(2))).toBe(2);
    expect(victim(process(1), process(2, { mm: s.mm }), process(3))).toBe(2);
    expect(victim(process(1), process(2, { mm: s.mm, oomScoreAdj: -1000 }))).toBe(1);
    expect(victim(process(1), process(2, { mm: s.mm, oomScoreAdj: -20 }))).toBe(1);
    expect(victim(process(1, { oomScoreAdj: 20 }), process(2, { mm: s.mm }))).toBe(1);
    expect(victim(process(1, { dying: true }), process(2, { mm: null }))).toBe(undefined);
  });
});
