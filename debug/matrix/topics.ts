import { MAP, MREMAP, PROT, SYS } from "../../userland/linux.js";
import { PROT_BITS, PROTECTIONS } from "./dimensions.js";
import {
  ACCESS,
  at,
  byte,
  ELSEWHERE,
  from,
  LENGTH,
  PAGE,
  PAGES,
  type Argument,
  type Call,
  type Operation,
} from "./operation.js";

/** One of the matrices: what is tried, and what is looked at afterwards. */
export interface Topic {
  readonly name: string;
  readonly title: string;
  readonly operations: readonly Operation[];
  /** Pages, counted from the memory's start, of which the content is asked afterwards. */
  readonly windows: readonly number[];
  /** Whether the CPU's three accesses to a page are tried afterwards. */
  readonly probes: boolean;
}

const REMAP_FILE_PAGES = 216;
const SHMAT = 30;
const SHM_REMAP = 0x4000;
const PROT_GROWSDOWN = 0x01000000;
const TASK_SIZE = 0x7ffffffff000;
const READ_WRITE = PROT.READ | PROT.WRITE;
const ANONYMOUS = MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED;
const CALLS = { pread64: 17, pwrite64: 18, process_vm_readv: 310, process_vm_writev: 311 };

const call = (number: number, ...args: Argument[]): Call => ({ number, args });

/** Two writable private pages below the memory, the upper one written to: not sealed, whatever the row says. */
const NEIGHBOUR_BELOW = [
  call(SYS.mmap, at(-2), 2 * PAGE, READ_WRITE, ANONYMOUS, -1, 0),
  call(ACCESS.write, at(-1)),
];
/** Something right behind the memory that lets it not grow. */
const NEIGHBOUR_ABOVE = [call(SYS.mmap, at(PAGES), PAGE, PROT.NONE, ANONYMOUS, -1, 0)];
/** Four writable private pages elsewhere, the first one written to. */
const OTHER = [
  call(SYS.mmap, at(ELSEWHERE), LENGTH, READ_WRITE, ANONYMOUS, -1, 0),
  call(ACCESS.write, at(ELSEWHERE)),
];

const ADVICES: readonly (readonly [number: number, name: string, short: string])[] = [
  [4, "DONTNEED", "DNEED"],
  [24, "DONTNEED_LOCKED", "DN_LOCK"],
  [8, "FREE", "FREE"],
  [9, "REMOVE", "REMOVE"],
  [10, "DONTFORK", "DFORK"],
  [18, "WIPEONFORK", "WFORK"],
  [102, "GUARD_INSTALL", "GUARD+"],
  [22, "POPULATE_READ", "POP_R"],
  [23, "POPULATE_WRITE", "POP_W"],
  [25, "COLLAPSE", "COLLAPS"],
  [0, "NORMAL", "NORMAL"],
  [1, "RANDOM", "RANDOM"],
  [2, "SEQUENTIAL", "SEQ"],
  [3, "WILLNEED", "WILLN"],
  [11, "DOFORK", "DOFORK"],
  [12, "MERGEABLE", "MERGE"],
  [13, "UNMERGEABLE", "UNMERGE"],
  [14, "HUGEPAGE", "HUGE"],
  [15, "NOHUGEPAGE", "NOHUGE"],
  [16, "DONTDUMP", "DDUMP"],
  [17, "DODUMP", "DODUMP"],
  [19, "KEEPONFORK", "KFORK"],
  [103, "GUARD_REMOVE", "GUARD-"],
  [20, "COLD", "COLD"],
  [21, "PAGEOUT", "PAGEOUT"],
  [5, "5 (no advice)", "unknown"],
];

const discard: Topic = {
  name: "discard",
  title: "madvise of the whole memory",
  windows: [-1, 0, 3],
  probes: false,
  operations: [
    ...ADVICES.map(([number, name, short]) => ({
      name: name.replace(/ .*/, ""),
      short,
      text: `madvise(p, 4 pages, ${/^\d/.test(name) ? name : `MADV_${name}`})`,
      call: call(SYS.madvise, at(), LENGTH, number),
    })),
    {
      name: "DONTNEED-from-below",
      short: "below+p",
      text: "madvise(p - 2 pages, 6 pages, MADV_DONTNEED); the two below are rw",
      before: NEIGHBOUR_BELOW,
      neighbour: "below",
      call: call(SYS.madvise, at(-2), LENGTH + 2 * PAGE, 4),
    },
  ],
};

const mprotect = (name: string, short: string, text: string, ...args: Argument[]): Operation => ({
  name,
  short,
  text,
  call: call(SYS.mprotect, ...args),
});
const withKey = (name: string, short: string, text: string, key: Argument): Operation => ({
  name,
  short,
  text: `pkey_mprotect(p, 4 pages, its own protection, ${text})`,
  call: call(SYS.pkey_mprotect, at(), LENGTH, from("protection"), key),
});

const protect: Topic = {
  name: "protect",
  title: "mprotect and pkey_mprotect",
  windows: [],
  probes: true,
  operations: [
    ...PROTECTIONS.map((to) =>
      mprotect(`mprotect-${to}`, `→ ${to}`, `mprotect(p, 4 pages, ${to})`, at(), LENGTH, PROT_BITS[to]),
    ),
    mprotect("mprotect-same", "same", "mprotect(p, 4 pages, as it is)", at(), LENGTH, from("protection")),
    withKey("pkey-own", "key own", "the key it has in keyed rows", from("key")),
    withKey("pkey-other", "other", "another key, with all rights", from("otherKey")),
    withKey("pkey-0", "key 0", "0", 0),
    withKey("pkey-none", "key -1", "-1", -1),
    withKey("pkey-unallocated", "key 15", "15, which is not allocated", 15),
    mprotect("mprotect-part", "part", "mprotect(p + 1 page, 2 pages, r)", at(1), 2 * PAGE, PROT.READ),
    mprotect("mprotect-length-0", "length0", "mprotect(p, 0, r)", at(), 0, PROT.READ),
    mprotect("mprotect-unaligned", "unalign", "mprotect(p + 1 byte, 4 pages, r)", byte(1), LENGTH, PROT.READ),
    mprotect("mprotect-bad-bits", "bad bit", "mprotect(p, 4 pages, 0x10)", at(), LENGTH, 0x10),
    mprotect(
      "mprotect-growsdown",
      "growsdn",
      "mprotect(p, 4 pages, r | PROT_GROWSDOWN)",
      at(),
      LENGTH,
      PROT.READ | PROT_GROWSDOWN,
    ),
    {
      ...mprotect(
        "mprotect-from-below",
        "below+p",
        "mprotect(p - 2 pages, 6 pages, r); the two below are rw",
        at(-2),
        LENGTH + 2 * PAGE,
        PROT.READ,
      ),
      probed: -1,
      before: NEIGHBOUR_BELOW,
      neighbour: "below",
    },
  ],
};

const munmap = (name: string, short: string, text: string, start: Argument, length: number): Operation => ({
  name,
  short,
  text,
  call: call(SYS.munmap, start, length),
});
const mmap = (name: string, short: string, text: string, ...args: Argument[]): Operation => ({
  name,
  short,
  text,
  call: call(SYS.mmap, ...args),
});

const unmap: Topic = {
  name: "unmap",
  title: "munmap, and mappings over the memory",
  windows: [-1, 0, 1, 2],
  probes: false,
  operations: [
    munmap("munmap", "all", "munmap(p, 4 pages)", at(), LENGTH),
    munmap("munmap-first", "first", "munmap(p, 1 page)", at(), PAGE),
    munmap("munmap-middle", "middle", "munmap(p + 1 page, 2 pages)", at(1), 2 * PAGE),
    munmap("munmap-tail", "tail", "munmap(p + 2 pages, 2 pages)", at(2), 2 * PAGE),
    {
      ...munmap("munmap-from-below", "below+p", "munmap(p - 1 page, 5 pages)", at(-1), LENGTH + PAGE),
      before: NEIGHBOUR_BELOW,
      neighbour: "below",
    },
    munmap(
      "munmap-with-hole",
      "hole+p",
      "munmap(p - 2 pages, 6 pages), nothing below p",
      at(-2),
      LENGTH + 2 * PAGE,
    ),
    munmap("munmap-length-0", "length0", "munmap(p, 0)", at(), 0),
    munmap("munmap-unaligned", "unalign", "munmap(p + 1 byte, 4 pages)", byte(1), LENGTH),
    mmap(
      "mmap-fixed",
      "FIXED",
      "mmap(p, 4 pages, rw, anonymous, FIXED)",
      at(),
      LENGTH,
      READ_WRITE,
      ANONYMOUS,
      -1,
      0,
    ),
    mmap(
      "mmap-fixed-same",
      "F same",
      "mmap(p, 4 pages, FIXED) of what is there already",
      at(),
      LENGTH,
      from("protection"),
      from("flags", MAP.FIXED),
      from("descriptor"),
      0,
    ),
    mmap(
      "mmap-fixed-part",
      "F part",
      "mmap(p + 1 page, 1 page, FIXED)",
      at(1),
      PAGE,
      READ_WRITE,
      ANONYMOUS,
      -1,
      0,
    ),
    mmap(
      "mmap-fixed-bad-fd",
      "F badfd",
      "mmap(p, FIXED) of descriptor 99",
      at(),
      LENGTH,
      PROT.READ,
      MAP.SHARED | MAP.FIXED,
      99,
      0,
    ),
    mmap(
      "mmap-noreplace",
      "NOREPL",
      "mmap(p, 4 pages, FIXED_NOREPLACE)",
      at(),
      LENGTH,
      READ_WRITE,
      MAP.PRIVATE | MAP.ANONYMOUS | MAP.FIXED_NOREPLACE,
      -1,
      0,
    ),
    mmap(
      "mmap-hint",
      "hint",
      "mmap(p, 4 pages), a hint",
      at(),
      LENGTH,
      READ_WRITE,
      MAP.PRIVATE | MAP.ANONYMOUS,
      -1,
      0,
    ),
    {
      name: "mremap-onto",
      short: "mremap",
      text: "mremap(FIXED) of four other pages onto p",
      before: OTHER,
      call: call(SYS.mremap, at(ELSEWHERE), LENGTH, LENGTH, MREMAP.MAYMOVE | MREMAP.FIXED, at()),
    },
    {
      name: "shmat-onto",
      short: "shmat",
      text: "shmat(p, SHM_REMAP) of a segment of four pages",
      call: call(SHMAT, from("segment"), at(), SHM_REMAP),
    },
    {
      name: "remap_file_pages",
      short: "rfp",
      text: "remap_file_pages(p, 4 pages, page offset 1)",
      call: call(REMAP_FILE_PAGES, at(), LENGTH, 0, 1, 0),
    },
  ],
};

const mremap = (
  name: string,
  short: string,
  text: string,
  args: readonly Argument[],
  neighbour?: "below" | "above",
): Operation => ({
  name,
  short,
  text,
  call: call(SYS.mremap, ...args),
  ...(neighbour === undefined
    ? {}
    : { neighbour, before: neighbour === "below" ? NEIGHBOUR_BELOW : NEIGHBOUR_ABOVE }),
});

const { MAYMOVE, FIXED, DONTUNMAP } = MREMAP;
const away = at(ELSEWHERE);

const remap: Topic = {
  name: "remap",
  title: "mremap in all its forms",
  windows: [-1, 0, 1, 2, 4, ELSEWHERE, ELSEWHERE + 2],
  probes: false,
  operations: [
    mremap("same", "same", "4 → 4 pages, no flags", [at(), LENGTH, LENGTH, 0]),
    mremap("same-maymove", "sm MAYM", "4 → 4 pages, MAYMOVE", [at(), LENGTH, LENGTH, MAYMOVE]),
    mremap("shrink", "shrink", "4 → 2 pages", [at(), LENGTH, 2 * PAGE, 0]),
    mremap("grow", "grow", "4 → 6 pages, with room", [at(), LENGTH, 6 * PAGE, 0]),
    mremap("grow-blocked", "gr blck", "4 → 6 pages, no room", [at(), LENGTH, 6 * PAGE, 0], "above"),
    mremap(
      "grow-moving",
      "gr MAYM",
      "4 → 6 pages, no room, MAYMOVE",
      [at(), LENGTH, 6 * PAGE, MAYMOVE],
      "above",
    ),
    mremap("fixed", "FIXED", "to a fixed place", [at(), LENGTH, LENGTH, MAYMOVE | FIXED, away]),
    mremap("fixed-shrink", "F shrnk", "to a fixed place, 4 → 2 pages", [
      at(),
      LENGTH,
      2 * PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("fixed-grow", "F grow", "to a fixed place, 4 → 6 pages", [
      at(),
      LENGTH,
      6 * PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("fixed-part", "F part", "the second page alone, to a fixed place", [
      at(1),
      PAGE,
      PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap(
      "fixed-from-below",
      "F below",
      "a writable page below and the four pages, to a fixed place",
      [at(-1), LENGTH + PAGE, LENGTH + PAGE, MAYMOVE | FIXED, at(ELSEWHERE - 1)],
      "below",
    ),
    mremap("fixed-over-itself", "F over", "FIXED, one page further up", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      at(1),
    ]),
    mremap("fixed-unaligned", "F unal", "FIXED, to an unaligned place", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      byte(ELSEWHERE * PAGE + 1),
    ]),
    mremap("fixed-beyond", "F beynd", "FIXED, beyond the end of user space", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      TASK_SIZE,
    ]),
    mremap("fixed-alone", "F alone", "FIXED without MAYMOVE", [at(), LENGTH, LENGTH, FIXED, away]),
    mremap("dontunmap", "DONTUNM", "DONTUNMAP", [at(), LENGTH, LENGTH, MAYMOVE | DONTUNMAP, 0]),
    mremap("dontunmap-fixed", "DU FIX", "DONTUNMAP to a fixed place", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED | DONTUNMAP,
      away,
    ]),
    mremap("dontunmap-resize", "DU size", "DONTUNMAP, 4 → 2 pages", [
      at(),
      LENGTH,
      2 * PAGE,
      MAYMOVE | DONTUNMAP,
      0,
    ]),
    mremap("duplicate", "old 0", "0 → 4 pages, MAYMOVE", [at(), 0, LENGTH, MAYMOVE]),
    mremap("duplicate-fixed", "old 0 F", "0 → 4 pages, to a fixed place", [
      at(),
      0,
      LENGTH,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("duplicate-in-place", "old 0 -", "0 → 4 pages, no flags", [at(), 0, LENGTH, 0]),
    mremap("to-nothing", "new 0", "4 → 0 pages, MAYMOVE", [at(), LENGTH, 0, MAYMOVE]),
    mremap("to-huge", "huge", "4 pages → 2^47 bytes, MAYMOVE", [at(), LENGTH, 2n ** 47n, MAYMOVE]),
    mremap("beyond-end", "past", "6 → 6 pages of which four are there, no flags", [
      at(),
      6 * PAGE,
      6 * PAGE,
      0,
    ]),
    mremap("beyond-end-grow", "past gr", "6 → 7 pages of which four are there, MAYMOVE", [
      at(),
      6 * PAGE,
      7 * PAGE,
      MAYMOVE,
    ]),
    mremap("bad-flag", "flag 8", "an unknown flag", [at(), LENGTH, LENGTH, 8]),
    mremap("unaligned", "unalign", "p + 1 byte", [byte(1), LENGTH, LENGTH, MAYMOVE]),
  ],
};

const WORD = 8;
const FILLED = [call(SYS.write, from("pipeWrite"), from("buffer"), WORD)];

const access: Topic = {
  name: "access",
  title: "reads, writes and fetches by the CPU, and copies by the kernel",
  windows: [0],
  probes: false,
  operations: [
    { name: "read", short: "read", text: "mov al, [p]", call: call(ACCESS.read, at()) },
    { name: "write", short: "write", text: "mov [p], eax", call: call(ACCESS.write, at()) },
    { name: "fetch", short: "fetch", text: "call p", call: call(ACCESS.fetch, at()) },
    {
      name: "read-untouched",
      short: "r new",
      text: "mov al, [p + 3 pages], never touched before",
      call: call(ACCESS.read, at(3)),
    },
    {
      name: "write-untouched",
      short: "w new",
      text: "mov [p + 3 pages], eax, never touched before",
      call: call(ACCESS.write, at(3)),
    },
    {
      name: "kernel-read",
      short: "sys rd",
      text: "write(pipe, p, 8): the kernel reads",
      call: call(SYS.write, from("pipeWrite"), at(), WORD),
    },
    {
      name: "kernel-write",
      short: "sys wr",
      text: "read(pipe, p, 8): the kernel writes",
      call: call(SYS.read, from("pipeRead"), at(), WORD),
      before: FILLED,
    },
    {
      name: "process_vm_readv",
      short: "vm_rdv",
      text: "process_vm_readv(itself, p, 8)",
      call: call(CALLS.process_vm_readv, from("process"), from("localVector"), 1, from("remoteVector"), 1, 0),
    },
    {
      name: "process_vm_writev",
      short: "vm_wrv",
      text: "process_vm_writev(itself, p, 8)",
      call: call(
        CALLS.process_vm_writev,
        from("process"),
        from("localVector"),
        1,
        from("remoteVector"),
        1,
        0,
      ),
    },
    {
      name: "mem-read",
      short: "mem rd",
      text: "pread(/proc/self/mem, 8, p)",
      call: call(CALLS.pread64, from("memoryFile"), from("buffer"), WORD, at()),
    },
    {
      name: "mem-write",
      short: "mem wr",
      text: "pwrite(/proc/self/mem, 8, p)",
      call: call(CALLS.pwrite64, from("memoryFile"), from("buffer"), WORD, at()),
    },
  ],
};

export const TOPICS: readonly Topic[] = [discard, protect, unmap, remap, access];

export function findTopic(name: string): Topic | undefined {
  return TOPICS.find((topic) => topic.name === name);
}
