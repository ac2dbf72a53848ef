import type { HostInput } from "../../kernel/host.js";
import { READY, TAKE } from "./input-log.js";
import type { LogCursor } from "./log-cursor.js";

/**
 * An input of a RewindableHost. Whether it has something is looked at once at an instruction: what comes later
 * comes at a later one, or after all tasks have waited. So it makes no difference how often it is looked at.
 */
export class RecordedInput implements HostInput {
  /** It has something: nothing was read since that was noted. */
  private has = false;
  /** It had nothing at this instruction, when the log had that length. */
  private emptyAt = -1;
  private emptyLength = 0;

  constructor(
    private readonly cursor: LogCursor,
    /** Its name in the log. */
    readonly subject: string,
    private readonly live: HostInput,
  ) {}

  read(max: number): Uint8Array | "again" {
    const { cursor, subject } = this;
    let bytes: Uint8Array | "again";
    if (cursor.replaying) bytes = (cursor.passes(TAKE, subject) as Uint8Array | undefined) ?? "again";
    else if (this.isEmpty()) bytes = "again";
    else {
      bytes = this.live.read(max);
      if (bytes === "again") this.noteEmpty();
      else cursor.note(TAKE, subject, bytes);
    }
    if (bytes !== "again") this.has = false;
    return bytes;
  }

  ready(): boolean {
    const { cursor, subject } = this;
    if (this.has) return true;
    if (cursor.replaying) this.has = cursor.passes(READY, subject) !== undefined;
    else if (!this.isEmpty()) {
      if (this.live.ready()) {
        cursor.note(READY, subject);
        this.has = true;
      } else this.noteEmpty();
    }
    return this.has;
  }

  /** The log says that there is something now. */
  arrived(): void {
    this.has = true;
  }

  /** The log's position has been set. */
  moved(): void {
    this.emptyAt = -1;
    this.has = this.cursor.log.inputIsReady(this.subject, this.cursor.position);
  }

  private isEmpty(): boolean {
    return this.emptyAt === this.cursor.now && !this.cursor.mayHaveChanged(this.emptyLength);
  }

  private noteEmpty(): void {
    this.emptyAt = this.cursor.now;
    this.emptyLength = this.cursor.log.length;
  }
}
