import { RUN_FRAMES, type FrameAllocator } from "../../mmu/frame-allocator.js";
import { PTE_WHOLE, pteFrame } from "../../mmu/page-table-entry.js";
import type { PageFrame } from "../../mmu/types.js";
import type { AddressSpace } from "./address-space.js";
import { checkInvariants } from "./check-invariants.js";
import { FilePages } from "./file-pages.js";
import { checkHugePages } from "./hugetlb/check.js";
import { checkSwap } from "./swap/check.js";
import { hasFrame } from "./translations.js";

/** What is checked; a `Kernel` is one. */
export interface CheckedMachine {
  readonly frames: FrameAllocator;
  readonly tasks: ReadonlyMap<number, { readonly mm: AddressSpace; readonly state?: string }>;
  /** Its control groups look after themselves. */
  readonly cgroups?: { check(): string[] };
}

/**
 * Every address space by itself (check-invariants.ts), and all of them together: each frame has as many references as
 * there are page tables, entries and holders (page caches) that have it, and no frame is held by nobody. Committed
 * pages and users add up too, and what control groups are charged with.
 * @param others address spaces that no task has, as that of a first process that has ended
 * @returns a line for each contradiction; empty when all is well
 */
export function checkMachine(machine: CheckedMachine, others: Iterable<AddressSpace> = []): string[] {
  const { frames } = machine;
  const users = new Map<AddressSpace, number>();
  // A task that has ended, but was not waited for, has left its memory to others.
  for (const { mm, state } of machine.tasks.values())
    if (!mm.released && state !== "dead") users.set(mm, (users.get(mm) ?? 0) + 1);
  for (const mm of others) if (!mm.released && !users.has(mm)) users.set(mm, 0);

  const wrong: string[] = [];
  const expected = new Int32Array(frames.total + 2);
  const found = (frame: PageFrame): void => {
    if (frame !== frames.zeroFrame) expected[frame]++;
  };
  let committed = 0;
  for (const [mm, tasks] of users) {
    wrong.push(...checkInvariants(mm).map((line) => `mm ${mm.asid}: ${line}`));
    let tables = 0;
    mm.tables.forEachTable((frame) => {
      tables++;
      found(frame);
    });
    if (tables !== mm.tables.tableFrames)
      wrong.push(`mm ${mm.asid}: ${tables} page tables, but ${mm.tables.tableFrames} counted`);
    mm.tables.forEachPresentOrSwap(0, 2 ** 47, (_va, low, high) => {
      // The pool holds the frames of huge pages.
      if (hasFrame(low) && (high & PTE_WHOLE) === 0) found(pteFrame(low));
    });
    committed += mm.stats.committed;
    if (mm.users < tasks) wrong.push(`mm ${mm.asid}: ${tasks} tasks, but ${mm.users} users counted`);
  }
  for (const holder of frames.holders) {
    for (const frame of holder.heldFrames()) found(frame);
    if (holder instanceof FilePages) wrong.push(...(holder.blocks?.check() ?? []));
  }
  const { hugeZeroFrame } = frames;
  if (hugeZeroFrame !== 0) expected.fill(1, hugeZeroFrame, hugeZeroFrame + RUN_FRAMES);
  let inUse = 0;
  for (let frame = 2; frame < expected.length; frame++) {
    const references = frames.references(frame);
    if (references > 0) inUse++;
    if (references !== expected[frame])
      wrong.push(`frame ${frame} has ${references} references, but ${expected[frame]} were found`);
  }
  if (inUse !== frames.inUse) wrong.push(`${inUse} frames have references, but ${frames.inUse} are in use`);
  const [first] = users.keys();
  for (const pool of first?.env.hugePages.all ?? []) wrong.push(...checkHugePages(pool, users.keys()));
  if (first !== undefined) wrong.push(...checkSwap(first.env.swap, users.keys()));
  if (first !== undefined && committed !== first.env.commit.pages)
    wrong.push(`${committed} pages committed, but ${first.env.commit.pages} counted`);
  wrong.push(...(machine.cgroups?.check() ?? []));
  return wrong;
}
