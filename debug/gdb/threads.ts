import type { Kernel } from "../../kernel/kernel.js";
import type { Process, Task } from "../../kernel/task.js";
import { NO_SUCH, OK, UNKNOWN } from "./replies.js";
import type { Inferior, Stops } from "./stops.js";
import { formatThreadId, names, parseThreadId, type ThreadId } from "./thread-id.js";

/** The threads that are debugged, by the names that packets have for them, and those that gdb has chosen. */
export class Threads {
  /** Whether names have the process's number. */
  multiprocess = false;
  /** Whose registers and memory packets are about (Hg); null: the one that runs. */
  general: Task | null = null;
  /** The thread that goes back (Hc). */
  private chosen: Task | null = null;

  constructor(
    private readonly kernel: Kernel,
    private readonly stops: Stops,
  ) {}

  id({ pid, tid }: Pick<Task, "pid" | "tid">): string {
    return formatThreadId(pid, tid, this.multiprocess);
  }

  find(id: ThreadId): Task | undefined {
    return this.stops.tasks().find((task) => names(id, task.pid, task.tid));
  }

  process(pid: number): Process | undefined {
    return [...this.stops.inferiors.keys()].find((process) => process.pid === pid);
  }

  /** The thread that g, m and the like are about. */
  get current(): Task | undefined {
    const { general } = this;
    if (general !== null && general.state !== "dead" && this.stops.inferiors.has(general.process))
      return general;
    const { current } = this.kernel;
    const tasks = this.stops.tasks();
    return tasks.includes(current) ? current : tasks[0];
  }

  /** The thread that goes back by an instruction. */
  get goingBack(): Task | undefined {
    const { chosen } = this;
    return chosen !== null && this.stops.tasks().includes(chosen) ? chosen : this.current;
  }

  /** Where the current thread's stops are set. */
  inferior(): Inferior | undefined {
    const task = this.current;
    return task === undefined ? undefined : this.stops.inferiors.get(task.process);
  }

  /** @param text a packet H without its letter */
  choose(text: string): string {
    const id = parseThreadId(text.slice(1));
    if (text[0] === "c") {
      this.chosen = id.tid > 0 ? (this.find(id) ?? null) : null;
      return OK;
    }
    if (text[0] !== "g") return UNKNOWN;
    if (id.pid <= 0 && id.tid <= 0) this.general = null;
    else {
      const task = this.find(id);
      if (task === undefined) return NO_SUCH;
      this.general = task;
    }
    return OK;
  }

  /** The list that gdb reads as an object, in XML. */
  get list(): string {
    const lines = this.stops
      .tasks()
      .map((task) => `<thread id="${this.id(task)}" core="0" name="${xmlText(task.comm)}"/>`);
    return `<?xml version="1.0"?><threads>${lines.join("")}</threads>`;
  }
}

function xmlText(text: string): string {
  return text.replace(/[^\w ./:+-]/g, (character) => `&#${character.charCodeAt(0)};`);
}
