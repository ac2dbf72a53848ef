/** munmap(2), and mappings over the memory. */

import { MAP, MREMAP, PROT, SYS } from "../../../userland/linux.js";
import { at, byte, ELSEWHERE, from, LENGTH, PAGE, type Argument, type Operation } from "../operation.js";
import { call, NEIGHBOUR_BELOW, OTHER, READ_WRITE, ANONYMOUS } from "./calls.js";
import type { Topic } from "./topic.js";

const REMAP_FILE_PAGES = 216;
const SHMAT = 30;
const SHM_REMAP = 0x4000;

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

export const unmap: Topic = {
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
