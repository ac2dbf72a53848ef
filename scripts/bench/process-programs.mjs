// Benchmarks of processes, threads and what they talk through; made as those of programs.mjs.
import { Program, SYS } from "../../dist/userland.js";
import { bss, program } from "./programs.mjs";

const OPEN = 2;
const CLOSE = 3;
const PREAD = 17;
const PIPE = 22;
const DUP2 = 33;
const MEMFD_CREATE = 319;
/** A thread: memory, files, handlers; the word given is cleared and woken at its end (CLONE_CHILD_CLEARTID). */
const CLONE_THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x20_0000;
const FUTEX = { WAIT: 0, WAKE: 1 };
const FUTEX_PRIVATE = 128;
const PIECE = 65536;
const FILE_BYTES = 64 << 20;
/** What no system call changes keeps a descriptor and the rounds left. */
const SAVED = { file: "r14", loop: "r12" };

export const repeat = (p, body) => {
  const again = p.unique("again");
  p.code(`mov ${SAVED.loop}, r15\n ${again}:`);
  body();
  p.code(`dec ${SAVED.loop}\n jnz ${again}`);
};

/** fork; what the child does ends it; the parent goes on with the child's number in RBP. */
export const inChild = (p, body) => {
  const parent = p.unique("parent");
  p.syscall(SYS.fork).code(`test eax, eax\n jnz ${parent}`);
  body();
  p.exit(0).label(parent).code("mov ebp, eax");
};
const wait = (p) => p.syscall(SYS.wait4, "rbp", 0, 0, 0);

/** The program that is executed: it writes one line. */
export const hello = () => new Program().label("_start").line("hello").exit(0).build();

/** fork, execve of the static program `hello` with its output to /dev/null, wait4. */
const spawn = () =>
  program(
    (p) => {
      p.syscall(OPEN, "null", 1).code("mov r14, rax");
      repeat(p, () => {
        inChild(p, () => p.syscall(DUP2, SAVED.file, 1).syscall(SYS.execve, "hello", "argv", "argv+8"));
        wait(p);
      });
      p.code("xor eax, eax");
    },
    {
      data: (p) =>
        p.within(".data", () => {
          p.label("null").string("/dev/null\0").label("hello").string("hello\0");
          p.align(8).label("argv").u64("hello", 0);
        }),
    },
  );

/** fork and exit of a process with 1024 pages of its own, which parent and child then both write. */
const fork = () =>
  program(
    (p) => {
      const touch = () => {
        const again = p.unique("touch");
        p.code(`lea rbx, [memory]\n xor ecx, ecx
          ${again}: inc byte ptr [rbx+rcx]\n add ecx, 4096\n cmp ecx, 4194304\n jne ${again}`);
      };
      touch();
      repeat(p, () => {
        inChild(p, touch);
        touch();
        wait(p);
      });
      p.code("xor eax, eax");
    },
    { data: bss("memory", 4 << 20) },
  );

/** One process writes pieces into a pipe, another reads them. */
const pipe = (bytes) => () =>
  program(
    (p) => {
      p.syscall(PIPE, "ends");
      inChild(p, () => {
        p.code("mov edi, [ends+4]").syscall(CLOSE, "rdi").code("mov r14d, [ends]\n more:");
        p.syscall(SYS.read, SAVED.file, "buffer", bytes).code("test eax, eax\n jg more");
      });
      p.code("mov edi, [ends]").syscall(CLOSE, "rdi").code("mov r14d, [ends+4]");
      repeat(p, () => p.syscall(SYS.write, SAVED.file, "buffer", bytes));
      p.syscall(CLOSE, SAVED.file);
      wait(p);
      p.code("xor eax, eax");
    },
    {
      data: (p) => {
        bss("ends", 8)(p);
        bss("buffer", bytes)(p);
      },
    },
  );

/** A byte to another process and back. */
const pingPong = () =>
  program(
    (p) => {
      const receive = (ends) => p.code(`mov edi, [${ends}]`).syscall(SYS.read, "rdi", "buffer", 1);
      const send = (ends) => p.code(`mov edi, [${ends}+4]`).syscall(SYS.write, "rdi", "buffer", 1);
      p.syscall(PIPE, "there").syscall(PIPE, "back");
      inChild(p, () => {
        p.code("mov edi, [there+4]").syscall(CLOSE, "rdi").code("more:");
        receive("there").code("test eax, eax\n jle end");
        send("back").code("jmp more\n end:");
      });
      repeat(p, () => {
        send("there");
        receive("back");
      });
      p.code("mov edi, [there+4]").syscall(CLOSE, "rdi");
      wait(p);
      p.code("xor eax, eax");
    },
    {
      data: (p) => {
        for (const ends of ["there", "back"]) bss(ends, 8)(p);
        bss("buffer", 8)(p);
      },
    },
  );

const STACK_BYTES = 16384;

/** A thread that runs from `start` on, on its own stack; the word `alive` is cleared and woken at its end. */
const thread = (p, number, start) => {
  const parent = p.unique("parent");
  p.code(`lea rsi, [stacks+${STACK_BYTES * (number + 1)}]`);
  p.syscall(SYS.clone, CLONE_THREAD_FLAGS, "rsi", 0, `alive+${4 * number}`);
  p.code(`test eax, eax\n jz ${start}\n ${parent}:`);
};
const join = (p, number) => {
  const [again, done] = [p.unique("join"), p.unique("joined")];
  p.code(`${again}: mov edx, [alive+${4 * number}]\n test edx, edx\n jz ${done}`);
  // The kernel wakes whoever waits for the word as a shared one.
  p.syscall(SYS.futex, `alive+${4 * number}`, FUTEX.WAIT, "rdx", 0).code(`jmp ${again}\n ${done}:`);
};
const threadData = (count) => (p) => {
  bss("stacks", STACK_BYTES * count)(p);
  p.within(".data", () => p.align(8).label("alive").u64(0x1_0000_0001n, 0x1_0000_0001n));
  p.within(".data", () => p.align(64).label("word").u64(0).label("counter").u64(0));
};

/** Two threads hand a word back and forth: each wakes the other and waits. */
const handOver = () =>
  program(
    (p) => {
      const turns = (own, other) =>
        repeat(p, () => {
          const [look, mine] = [p.unique("look"), p.unique("mine")];
          p.code(`${look}: cmp dword ptr [word], ${own}\n je ${mine}`);
          p.syscall(SYS.futex, "word", FUTEX.WAIT | FUTEX_PRIVATE, other, 0).code(`jmp ${look}\n ${mine}:`);
          p.code(`mov dword ptr [word], ${other}`);
          p.syscall(SYS.futex, "word", FUTEX.WAKE | FUTEX_PRIVATE, 1);
        });
      thread(p, 0, "second");
      turns(0, 1);
      join(p, 0);
      p.code("xor eax, eax\n jmp done\n second:");
      turns(1, 0);
      p.syscall(SYS.exit, 0).code("done:");
    },
    { data: threadData(1) },
  );

/** Four threads that each take a lock `count` times and give the processor away while they have it. */
const mutex = () =>
  program(
    (p) => {
      for (let i = 0; i < 4; i++) thread(p, i, "worker");
      for (let i = 0; i < 4; i++) join(p, i);
      // As many as there were rounds of each.
      p.code("mov rax, [counter]\n jmp done\n worker:");
      repeat(p, () => {
        p.code(
          `
          mov ecx, 1
          xor eax, eax
          lock cmpxchg [word], ecx
          jz locked
        contended:
          mov eax, 2
          xchg [word], eax
          test eax, eax
          jz locked
        `,
        )
          .syscall(SYS.futex, "word", FUTEX.WAIT | FUTEX_PRIVATE, 2, 0)
          .code("jmp contended\n locked:\n inc qword ptr [counter]");
        p.syscall(SYS.sched_yield).code("xor eax, eax\n xchg [word], eax\n cmp eax, 2\n jne unlocked");
        p.syscall(SYS.futex, "word", FUTEX.WAKE | FUTEX_PRIVATE, 1).code("unlocked:");
      });
      p.syscall(SYS.exit, 0).code("done:");
    },
    { data: threadData(4) },
  );

/** A file of 64 MiB in memory; `body` finds its descriptor in R14. */
const withFile = (body) => () =>
  program(
    (p) => {
      p.syscall(MEMFD_CREATE, "name", 0).code("mov r14, rax\n xor ebx, ebx\n fill:");
      p.syscall(SYS.write, SAVED.file, "buffer", PIECE);
      p.code(`add ebx, ${PIECE}\n cmp ebx, ${FILE_BYTES}\n jne fill\n xor ebx, ebx\n xor r13d, r13d`);
      body(p);
      p.code("mov rax, r13");
    },
    {
      data: (p) => {
        bss("buffer", PIECE)(p);
        p.within(".data", () => p.label("name").string("f\0"));
      },
    },
  );
const nextPiece = (p) => p.code(`add ebx, ${PIECE}\n and ebx, ${FILE_BYTES - 1}`);

/** read(2) of 64 KiB. */
const read = withFile((p) =>
  repeat(p, () => {
    p.syscall(PREAD, SAVED.file, "buffer", PIECE, "rbx").code("add r13, rax");
    nextPiece(p);
  }),
);

/** mmap of 64 KiB of the file, a load of each 64 bytes, munmap. */
const mapped = withFile((p) =>
  repeat(p, () => {
    const again = p.unique("load");
    p.code("mov r9, rbx").syscall(SYS.mmap, 0, PIECE, 1, 1, SAVED.file, "r9").code(`
      xor ecx, ecx
      ${again}: add r13, [rax+rcx]
      add ecx, 64
      cmp ecx, ${PIECE}
      jne ${again}
      inc r13
    `);
    p.syscall(SYS.munmap, "rax", PIECE);
    nextPiece(p);
  }),
);

/** All of the file mapped once: loads of 8 bytes over 64 KiB of it. */
const loads = withFile((p) => {
  p.syscall(SYS.mmap, 0, FILE_BYTES, 1, 1, SAVED.file, 0).code(`
    mov rbp, rax
    xor ecx, ecx
    warm: add r13, [rbp+rcx]
    add ecx, 4096
    cmp ecx, ${FILE_BYTES}
    jne warm
  `);
  repeat(p, () => {
    const again = p.unique("load");
    p.code(`
      lea rdx, [rbp+rbx]
      xor ecx, ecx
      ${again}: add r13, [rdx+rcx]
      add ecx, 8
      cmp ecx, ${PIECE}
      jne ${again}
      inc r13
    `);
    nextPiece(p);
  });
});

export const PROCESSES = {
  spawn,
  fork,
  "pipe-64k": pipe(PIECE),
  "pipe-4k": pipe(4096),
  "ping-pong": pingPong,
  futex: handOver,
  mutex,
};
export const FILES = { read, "mmap-64k": mapped, loads };
