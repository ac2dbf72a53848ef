import { OpenFile } from "./open-file.js";

/** A file of anon_inodefs, made by a call and in no directory: eventfd, epoll, signalfd, timerfd, pidfd, inotify. */
export abstract class AnonymousFile extends OpenFile {
  override get seekable(): boolean {
    return false;
  }
  /** lseek does nothing and says 0 (noop_llseek); else it is ESPIPE. */
  get ignoresSeeks(): boolean {
    return true;
  }
  /** "anon_inode:[eventfd]", as a link of /proc/PID/fd says. */
  override get mapName(): string {
    return this.location.dentry.name;
  }
}
