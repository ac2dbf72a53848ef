import type { OpenFile } from "../fs/open-file.js";

/** A file that is counted while a message carries it. */
export interface CountsFlights {
  inFlight: number;
}

const countsFlights = (file: object): file is CountsFlights => "inFlight" in file;

/** Open files under way in a message (SCM_RIGHTS): each is held until it is received or the message is dropped. */
export class FileRights {
  private held = true;

  constructor(
    readonly files: readonly OpenFile[],
    /** Whose files under way are counted, for ETOOMANYREFS. */
    private readonly account: { inFlight: number },
  ) {
    for (const file of files) {
      file.hold();
      if (countsFlights(file)) file.inFlight++;
    }
    account.inFlight += files.length;
  }

  /** The same files once more, as MSG_PEEK gives them. */
  copy(): FileRights {
    return new FileRights(this.files, this.account);
  }

  /** The message is gone; what was received keeps its own references. */
  release(): void {
    if (!this.held) return;
    this.held = false;
    this.account.inFlight -= this.files.length;
    for (const file of this.files) if (countsFlights(file)) file.inFlight--;
    for (const file of this.files) file.release();
  }
}
