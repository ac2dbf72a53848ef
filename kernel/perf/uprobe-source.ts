import type { Inode } from "../fs/inode.js";
import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { FilePages } from "../mm/file-pages.js";
import type { Task } from "../task.js";
import type { Uprobe, UprobeConsumer } from "../uprobes/uprobe.js";
import { Uprobes } from "../uprobes/uprobes.js";
import { Trampoline } from "../uprobes/trampoline.js";
import type { EventSource, PerfEvent } from "./event.js";

/** Where a probe is to be. */
export interface ProbedPlace {
  readonly inode: Inode;
  readonly pages: FilePages;
  /** Bytes. */
  readonly offset: number;
  readonly counterOffset: number;
  readonly onReturn: boolean;
}

/** An event of the PMU `uprobe`: it is the one who wants the probe's hits (kernel/trace/trace_uprobe.c). */
export class UprobeSource implements EventSource, UprobeConsumer {
  private event: PerfEvent | null = null;
  private uprobe: Uprobe | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly place: ProbedPlace,
  ) {}

  get onReturn(): boolean {
    return this.place.onReturn;
  }

  /** As uprobe_register; a copy that a child got wants only what the child's memory has, or comes to have. */
  begin(event: PerfEvent): number {
    const { kernel, place } = this;
    kernel.uprobes ??= new Uprobes(new Trampoline(kernel.frames, kernel.release.rules.returnsByCall));
    // Known to be wanted nowhere yet, so that the probe itself can be refused first.
    const uprobe = kernel.uprobes.register(place.inode, place.pages, place.offset, place.counterOffset, this);
    if (typeof uprobe === "number") return uprobe;
    this.uprobe = uprobe;
    this.event = event;
    if (event.parent !== null || event.attributes.enableOnExec) return 0;
    const error = kernel.uprobes.install(uprobe, this);
    if (error !== 0) this.end();
    return error;
  }

  end(): void {
    const { uprobe } = this;
    this.event = this.uprobe = null;
    if (uprobe !== null) this.kernel.uprobes?.unregister(uprobe, this);
  }

  forChild(): EventSource {
    return new UprobeSource(this.kernel, this.place);
  }

  wants(mm: AddressSpace): boolean {
    const { event } = this;
    return event !== null && (event.task === null || event.task.mm === mm);
  }

  /** Who is in the kernel's half of a hit is no question: it was the program that met the probe. */
  hit(task: Task): void {
    const { event } = this;
    if (event !== null && (event.task === null || event.task === task)) event.add(1);
  }
}
