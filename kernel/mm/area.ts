import type { ProtectionKey, VirtualAddress } from "../../mmu/types.js";
import type { AreaSnapshot, Provenance } from "../refusal.js";
import type { AnonState, AnonVma } from "./anon-vma.js";
import type { FilePages } from "./file-pages.js";
import type { HugetlbState } from "./hugetlb/area.js";
import type { MappableFile } from "./mappable-file.js";
import type { MemoryPolicy } from "./memory-policy.js";
import type { UserfaultContext } from "./userfault/context.js";
import { VM_ACCESS_FLAGS } from "./vm-flags.js";

/** What sealing has put on an area. The bits are the model's; once set they are never cleared. */
export interface Seal {
  readonly bits: number;
  /** What the bits are called, as "sealed"; empty where they only say what may come yet. */
  readonly names: string;
  readonly by: Provenance;
}

/** What an area is, apart from where it lies and its place in the tree. */
export interface AreaProperties extends AnonState {
  /** VM_* bits. */
  flags: number;
  key: ProtectionKey;
  seal: Seal | null;
  /** The open file description it maps (`vm_file`), or null. */
  file: MappableFile | null;
  /** What answers its faults (`vm_ops`): a page cache, or null for plain anonymous memory. */
  pages: FilePages | null;
  /** A special mapping ([vdso], [vvar]) or heap and stack marks for /proc/pid/maps; otherwise empty. */
  name: string;
  /** What the program calls it (`anon_name`, PR_SET_VMA_ANON_NAME), latin-1; null: nothing. */
  anonName: string | null;
  /** Its file has pages in memory alone and had no name when it was mapped (`vma_is_anon_shmem`). */
  anonShmem: boolean;
  /** The first page's index in the file; for anonymous memory its address when made, in pages. */
  pageOffset: number;
  /** A special mapping: it may not be split (its `may_split`). */
  unsplittable: boolean;
  /** MADV_GUARD_INSTALL has been used on it. */
  guarded: boolean;
  /** mbind's; null: the task's own counts. */
  policy: MemoryPolicy | null;
  /** What it is registered with (`vm_userfaultfd_ctx`): set exactly where `flags` has VM_UFFD_* bits. */
  userfault: UserfaultContext | null;
  /** What an area of huge pages has besides: set exactly where `flags` has VM_HUGETLB. */
  hugetlb: HugetlbState | null;
}

function sealOf(seal: Seal | null): Pick<AreaSnapshot, "sealed" | "seals" | "sealedBy"> {
  if (seal === null || seal.names === "") return { sealed: false };
  const { names, by } = seal;
  return { sealed: true, ...(names === "sealed" ? {} : { seals: names }), sealedBy: by };
}

/** A virtual memory area (VMA): [start, end) bytes with one set of properties. */
export class Area implements AreaProperties {
  start: VirtualAddress;
  end: VirtualAddress;
  flags: number;
  key: ProtectionKey;
  seal: Seal | null;
  file: MappableFile | null;
  pages: FilePages | null;
  name: string;
  anonName: string | null;
  anonShmem: boolean;
  pageOffset: number;
  anon: AnonVma | null;
  chain: readonly AnonVma[];
  unsplittable: boolean;
  guarded: boolean;
  policy: MemoryPolicy | null;
  userfault: UserfaultContext | null;
  hugetlb: HugetlbState | null;

  /** The tree's fields; nobody else writes them (area-tree.ts). */
  left: Area | null = null;
  right: Area | null = null;
  parent: Area | null = null;
  height = 1;
  previous: Area | null = null;
  next: Area | null = null;
  /** Free bytes between the previous area and this one, less the guard gap if this one grows down. */
  gap = 0;
  /** The largest `gap` in the subtree. */
  largestGap = 0;

  constructor(start: VirtualAddress, end: VirtualAddress, properties: AreaProperties) {
    this.start = start;
    this.end = end;
    this.flags = properties.flags;
    this.key = properties.key;
    this.seal = properties.seal;
    this.file = properties.file;
    this.pages = properties.pages;
    this.name = properties.name;
    this.anonName = properties.anonName;
    this.anonShmem = properties.anonShmem;
    this.pageOffset = properties.pageOffset;
    this.anon = properties.anon;
    this.chain = properties.chain;
    this.unsplittable = properties.unsplittable;
    this.guarded = properties.guarded;
    this.policy = properties.policy;
    this.userfault = properties.userfault;
    this.hugetlb = properties.hugetlb;
  }

  get length(): number {
    return this.end - this.start;
  }

  get pageCount(): number {
    return (this.end - this.start) / 4096;
  }

  get prot(): number {
    return this.flags & VM_ACCESS_FLAGS;
  }

  /** Linux's vma_is_anonymous: no vm_ops. A private mapping of /dev/zero is, though it has a file. */
  get isAnonymous(): boolean {
    return this.pages === null;
  }

  /** The file page that an address of this area maps. */
  fileIndex(va: VirtualAddress): number {
    return this.pageOffset + (va - (va % 4096) - this.start) / 4096;
  }

  /** @param name what maps calls it (proc-maps.ts): only the address space knows its heap and its stack */
  snapshot(name: string): AreaSnapshot {
    return {
      start: this.start,
      end: this.end,
      prot: this.prot,
      flags: this.flags,
      key: this.key,
      ...sealOf(this.seal),
      name,
    };
  }
}
