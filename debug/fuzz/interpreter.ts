import { FAULT } from "../../userland/runtime/faults.js";
import { Program } from "../../userland/program.js";
import { SYS } from "../../userland/linux.js";
import { structureOperations } from "./interpreter-structures.js";

/** What an operation does; its number is the first word of its entry in the program's input. */
export const KINDS = [
  "end",
  "call",
  "load",
  "store",
  "fetch",
  "pkru",
  "maps",
  "mincore",
  "pipe",
  "brk",
  "fork",
  "turn",
  "exit",
  "figures",
  "meminfo",
  "pagemap",
  "advise",
  "vm",
  "mem",
  "ioctl",
  "memfd",
  "uffd",
  "shm",
  "shmat",
] as const;
export type Kind = (typeof KINDS)[number];

/** An operation is a kind and seven arguments, 8 bytes each. */
export const OPERATION_BYTES = 64;
/** Words of a record: result, signo | code, key | error code, address, PKRU, six words of mincore's answer. */
export const RECORD_WORDS = 11;
const RECORD_BYTES = RECORD_WORDS * 8;
const VECTOR_BYTES = 48;
const VECTOR_OFFSET = 40;

/** Descriptors that the program has: */
export const FD = {
  /** memfd of 16 pages */
  file: 3,
  /** memfd of 39 pages and 100 bytes */
  odd: 4,
  /** memfd of 64 pages that is only read from */
  source: 5,
  /** memfd that is only written to */
  sink: 6,
  pipeRead: 7,
  pipeWrite: 8,
  /** the memfd `file`, open for reading alone */
  readOnly: 9,
  zero: 10,
} as const;

const MAX_OPERATIONS = 512;
/** Processes at one time: the first, its child, and the child's. */
export const MAX_DEPTH = 3;
/** What processes share: the place in the operations, in the records and in the text; then these two themselves. */
const SHARED = 0xc000000;
const SHARED_BYTES = 8 << 20;
/** The numbers of the processes by depth, 8 bytes each. */
const PIDS = SHARED + 0x100;
const SHARED_RECORDS = SHARED + 0x1000;
const SHARED_TEXT = SHARED + 0x100000;
/** Descriptors of the pipes through which processes hand each other the turn, by depth. */
const TURN_READ = 11;
const PIPE_BYTES = 65536;
const CALLS = {
  close_range: 436,
  dup2: 33,
  alarm: 37,
  open: 2,
  pread64: 17,
  pwrite64: 18,
  ftruncate: 77,
  pipe2: 293,
  memfd_create: 319,
  close: 3,
};
const PROCESS_CALLS = { mmap: 9, getpid: 39, fork: 57, exit: 60, wait4: 61 };
const O_RDWR = 2;
const O_NONBLOCK = 0x800;
/** `ret`, with which everything that files contain can be run. */
const RET = 0xc3;

/** Seconds of real time after which a list is given up: a turn that is never given back. */
const PATIENCE = 30;

/** The two kinds of frames that the program writes: a number of bytes follows each. */
export const FRAME = { answers: 1, end: 2 } as const;
/** Bytes of a frame's head: its kind, bytes of records or a wait status, bytes of text. */
export const FRAME_HEAD = 24;

/**
 * A static program that carries out lists of operations: each in a process of its own, which begins as the last one did.
 * They come from standard input, or the file that is its argument: for each list the number of its bytes (8 bytes), then
 * the operations. To standard output goes a frame of the records of the operations and of what was read of
 * /proc/self/smaps, and one of how the process ended. It keeps to itself below 0x10000000.
 *
 * `fork` goes on in a child; `turn` hands the turn to the process of that depth, `exit` ends the deepest one, and its
 * parent goes on. Only one process runs at a time.
 */
export function buildInterpreter(): Uint8Array {
  const program = new Program();
  program.label("_start").code("cmp qword ptr [rsp], 2\n jl .begin\n mov rdi, [rsp+16]");
  program.syscall(CALLS.open, "rdi", 0, 0).syscall(CALLS.dup2, "rax", 0).label(".begin");
  // The numbers in FD are the first that are free.
  program.syscall(CALLS.close_range, 3, 0xffffffff, 0);
  program.catchFaults({ alternateStack: true });
  program.label(".list").code("lea r12, [list_bytes]\n mov ebp, 8\n call .read_all");
  program.code(
    "test rax, rax\n jle .no_more\n lea r12, [operations]\n mov rbp, [list_bytes]\n call .read_all",
  );
  program.syscall(PROCESS_CALLS.fork).code("test rax, rax\n jz .run\n mov qword ptr [frame+8], 0");
  program.syscall(PROCESS_CALLS.wait4, "rax", "frame_status", 0, 0);
  program.code(`mov qword ptr [frame], ${FRAME.end}\n mov qword ptr [frame+16], 0`);
  program.code(`lea r12, [frame]\n lea rbp, [r12+${FRAME_HEAD}]\n call .write_all\n jmp .list`);
  program.label(".no_more").exit(0).label(".run").syscall(CALLS.alarm, PATIENCE);
  for (const size of [16 * 4096, 39 * 4096 + 100, 64 * 4096, 0]) {
    program.syscall(CALLS.memfd_create, "name", 0).code("mov r12, rax");
    for (let at = 0; at < size; at += PIPE_BYTES) {
      program.syscall(CALLS.pwrite64, "r12", "c3", Math.min(PIPE_BYTES, size - at), at);
    }
  }
  program.syscall(CALLS.pipe2, "scratch", O_NONBLOCK);
  program.syscall(CALLS.open, "file_again", 0, 0);
  program.syscall(CALLS.open, "zero_path", O_RDWR, 0);
  for (let depth = 0; depth < MAX_DEPTH; depth++) program.syscall(CALLS.pipe2, "scratch", 0);
  const readWrite = 3;
  const sharedAnonymousFixed = 0x31;
  program.syscall(PROCESS_CALLS.mmap, SHARED, SHARED_BYTES, readWrite, sharedAnonymousFixed, -1, 0);
  program.syscall(PROCESS_CALLS.getpid).code(`mov [${PIDS}], rax`);
  program.syscall(SYS.brk, 0).code("mov r14, rax\n add r14, 4095\n and r14, -4096");
  program.code(`
    lea rbx, [operations]
    mov r15, ${SHARED_RECORDS}
    mov r13, ${SHARED_TEXT}
    .next:
      mov eax, [rbx]
      test eax, eax
      jz .end
  `);
  for (const kind of KINDS.slice(1)) {
    const label = kind === "figures" ? "do_maps" : `do_${kind}`;
    program.code(`cmp eax, ${KINDS.indexOf(kind)}\n je ${label}`);
  }
  program.label("do_call").code(`
      mov rax, [rbx+8]
      mov rdi, [rbx+16]
      mov rsi, [rbx+24]
      mov rdx, [rbx+32]
      mov r10, [rbx+40]
      mov r8, [rbx+48]
      mov r9, [rbx+56]
      syscall
      jmp .done
  `);
  program.label("do_load").attempt(() => program.code("mov rsi, [rbx+8]\n xor eax, eax\n mov rax, [rsi]"));
  program.code("jmp .done");
  program
    .label("do_store")
    .attempt(() => program.code("mov rsi, [rbx+8]\n xor eax, eax\n mov rdx, [rbx+16]\n mov [rsi], rdx"));
  program.code("jmp .done");
  // Pages of zeroes are `add [rax], al`: the first one ends it, and not only the end of a long area. At an address that
  // is not canonical, since QEMU tells a page fault of such an instruction as that of a load.
  program
    .label("do_fetch")
    .attempt(() => program.code("mov rsi, [rbx+8]\n mov eax, 1\n shl rax, 63\n call rsi"));
  program.code("xor eax, eax\n jmp .done");
  program.label("do_pkru").code(`
      mov eax, [rbx+8]
      xor ecx, ecx
      xor edx, edx
      wrpkru
      jmp .done
  `);
  structureOperations(program, { pids: PIDS, bufferBytes: PIPE_BYTES });
  program.label("do_mincore").code(`
      mov rax, -1
      lea rdi, [r15+${VECTOR_OFFSET}]
      mov ecx, ${VECTOR_BYTES / 8}
      rep stosq
      mov rdi, [rbx+8]
      mov rsi, [rbx+16]
      lea rdx, [r15+${VECTOR_OFFSET}]
      mov eax, ${SYS.mincore}
      syscall
      jmp .done
  `);
  program.label("do_pipe").code("mov rsi, [rbx+8]\n mov rdx, [rbx+16]");
  program.code(`mov edi, ${FD.pipeWrite}\n mov eax, ${SYS.write}\n syscall\n mov r12, rax`);
  program.syscall(SYS.read, FD.pipeRead, "pipe_bytes", PIPE_BYTES).code("mov rax, r12\n jmp .done");
  program.label("do_brk").code(`
      mov rdi, [rbx+8]
      add rdi, r14
      mov eax, ${SYS.brk}
      syscall
      sub rax, r14
      jmp .done
  `);
  // The state moves on before it is handed over: whoever gets the turn begins with the next operation.
  const save = `
      add r15, ${RECORD_BYTES}
      add rbx, ${OPERATION_BYTES}
      mov [${SHARED}], rbx
      mov [${SHARED} + 8], r15
      mov [${SHARED} + 16], r13
  `;
  const load = `
      mov rbx, [${SHARED}]
      mov r15, [${SHARED} + 8]
      mov r13, [${SHARED} + 16]
  `;
  let waits = 0;
  const awaitTurn = (): void => {
    program.code(`mov edi, [depth]\n lea edi, [rdi * 2 + ${TURN_READ}]`);
    program.code(`lea rsi, [scratch]\n mov edx, 1\n mov eax, ${SYS.read}\n syscall`);
    program.code(load);
    // Its end is the child's memory's end: what comes later is not to depend on when that is.
    program.code(`
      cmp dword ptr [${SHARED} + 24], 0
      je .alive${++waits}
      mov dword ptr [${SHARED} + 24], 0
    `);
    program.syscall(PROCESS_CALLS.wait4, -1, 0, 0, 0).code(`.alive${waits}:`);
  };
  const giveTurn = (): void => {
    program.code(`lea edi, [rdi * 2 + ${TURN_READ + 1}]`);
    program.code(`lea rsi, [scratch]\n mov edx, 1\n mov eax, ${SYS.write}\n syscall`);
  };
  // The child goes on; the parent waits for its turn.
  program.label("do_fork").code(`
      mov dword ptr [r15], 1
      xor ecx, ecx
      rdpkru
      mov [r15+32], rax
      ${save}
      mov eax, ${PROCESS_CALLS.fork}
      syscall
      test rax, rax
      jnz .parent
      inc dword ptr [depth]
      mov eax, ${PROCESS_CALLS.getpid}
      syscall
      mov ecx, [depth]
      mov [rcx * 8 + ${PIDS}], rax
      jmp .next
      .parent:
  `);
  awaitTurn();
  program.code("jmp .next");
  program.label("do_turn").code(`mov r12, [rbx+8]\n ${save}\n mov rdi, r12`);
  giveTurn();
  awaitTurn();
  program.code("jmp .next");
  program.label("do_exit").code(`${save}\n mov dword ptr [${SHARED} + 24], 1\n mov edi, [depth]\n dec edi`);
  giveTurn();
  program.code(`xor edi, edi\n mov eax, ${PROCESS_CALLS.exit}\n syscall`);
  program.code(`
    .done:
      mov [r15], rax
      mov rax, [${FAULT.record}]
      mov [r15+8], rax
      test eax, eax
      jz .no_fault
      mov eax, [${FAULT.record}+8]
      mov [r15+16], eax
      mov eax, [${FAULT.record}+32]
      mov [r15+20], eax
      mov rax, [${FAULT.record}+16]
      mov [r15+24], rax
      mov qword ptr [${FAULT.record}], 0
      .no_fault:
      xor ecx, ecx
      rdpkru
      mov [r15+32], rax
      add r15, ${RECORD_BYTES}
      add rbx, ${OPERATION_BYTES}
      jmp .next
    .end:
      mov qword ptr [frame], ${FRAME.answers}
      mov rax, r15
      sub rax, ${SHARED_RECORDS}
      mov [frame+8], rax
      mov rax, r13
      sub rax, ${SHARED_TEXT}
      mov [frame+16], rax
      lea r12, [frame]
      lea rbp, [r12+${FRAME_HEAD}]
      call .write_all
      mov r12, ${SHARED_RECORDS}
      mov rbp, r15
      call .write_all
      mov r12, ${SHARED_TEXT}
      mov rbp, r13
      call .write_all
  `);
  program.exit(0).code(`
    .write_all:
      mov rdx, rbp
      sub rdx, r12
      jle .written
      mov rsi, r12
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
      add r12, rax
      test rax, rax
      jg .write_all
    .written:
      ret
    .read_all:
      mov rdx, rbp
      test rdx, rdx
      jz .all_read
      mov rsi, r12
      xor edi, edi
      mov eax, ${SYS.read}
      syscall
      add r12, rax
      sub rbp, rax
      test rax, rax
      jg .read_all
      ret
    .all_read:
      mov eax, 1
      ret
  `);
  program.within(".rodata", () => {
    program.label("c3").bytes(new Uint8Array(PIPE_BYTES).fill(RET));
    program.label("name").string("m\0");
    program.label("file_again").string("/proc/self/fd/3\0");
    program.label("zero_path").string("/dev/zero\0");
  });
  program.within(".bss", () => {
    program.align(4096).label("scratch").reserve(4096);
    program.label("operations").reserve((MAX_OPERATIONS + 1) * OPERATION_BYTES);
    program.label("depth").reserve(8);
    program.label("list_bytes").reserve(8).label("frame").reserve(8).label("frame_status").reserve(16);
    program.label("pipe_bytes").reserve(PIPE_BYTES);
  });
  return program.build();
}
