import { EAGAIN, EINVAL } from "../errno.js";
import type { UserfaultContext, UserfaultEvent } from "../mm/userfault/context.js";
import { releaseContext } from "../mm/userfault/register.js";
import { UFFD_API, UFFD_EVENT_PAGEFAULT } from "../mm/userfault/uapi.js";
import type { WaitQueue } from "../wait-queue.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import { O_RDONLY, POLLERR, POLLIN } from "./open-flags.js";

/** struct uffd_msg. */
const MESSAGE_BYTES = 32;
/** What show_fdinfo names: the requests on the file, and on ranges. */
const IOCTLS = 0x8000_0000_0000_01ffn;

/** userfaultfd(2): tells page faults of the address space that made it, and its changes after them. */
export class UserfaultFile extends AnonymousFile {
  constructor(
    location: Location,
    flags: number,
    readonly context: UserfaultContext,
  ) {
    super(location, O_RDONLY | flags);
  }

  override get waitQueue(): WaitQueue {
    return this.context.queue;
  }

  /** The forks that a read of so many bytes tells of: their readers get descriptors (resolve_userfault_fork). */
  forksToTell(bytes: number): UserfaultEvent[] {
    const { waits, events } = this.context;
    const room = Math.floor(bytes / MESSAGE_BYTES) - waits.filter((wait) => !wait.told && !wait.woken).length;
    return events.slice(0, Math.max(0, room)).filter(({ child }) => child !== null);
  }

  /** EINVAL before UFFDIO_API and for less than a message; as many messages as there are and fit. */
  override read(destination: Uint8Array): number {
    const { context } = this;
    if (context.features === null || destination.length < MESSAGE_BYTES) return -EINVAL;
    const view = new DataView(destination.buffer, destination.byteOffset, destination.length);
    let done = 0;
    for (; destination.length - done >= MESSAGE_BYTES; done += MESSAGE_BYTES) {
      const wait = context.pending;
      const event = context.events[0];
      if (wait === null && event === undefined) break;
      destination.fill(0, done, done + MESSAGE_BYTES);
      if (wait !== null) {
        wait.told = true;
        view.setUint8(done, UFFD_EVENT_PAGEFAULT);
        view.setUint32(done + 8, wait.flags, true);
        view.setBigUint64(done + 16, BigInt(wait.address), true);
        view.setUint32(done + 24, wait.tid, true);
      } else if (event !== undefined) {
        view.setUint8(done, event.event);
        if (event.child !== null) view.setInt32(done + 8, event.descriptor, true);
        else event.words.forEach((word, i) => view.setBigUint64(done + 8 + 8 * i, BigInt(word), true));
        context.told(event);
      }
    }
    return done === 0 ? -EAGAIN : done;
  }

  /** Only a file that does not block says whether there is something to read (userfaultfd_poll). */
  override poll(): number {
    if (this.context.features === null || !this.nonBlocking) return POLLERR;
    return this.context.isReadable ? POLLIN : 0;
  }

  override info(): string {
    const { waits, features } = this.context;
    const pending = waits.filter((wait) => !wait.told).length;
    const api = [UFFD_API, (features ?? 0) >>> 0, IOCTLS].map((each) => each.toString(16)).join(":");
    return `pending:\t${pending}\ntotal:\t${waits.length}\nAPI:\t${api}\n`;
  }

  protected override close(): void {
    releaseContext(this.context);
  }
}
