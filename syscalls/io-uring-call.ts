import type { OpenFile } from "../kernel/fs/open-file.js";
import type { Request } from "../kernel/io-uring/request.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import { SyscallCall } from "./call.js";

/** One try of a request, in the shape in which operations on files know a system call: its task's, on its file. */
export class RequestCall extends SyscallCall {
  /** Where the buffers are, if not in the task's memory. */
  memory: UserMemory | null = null;

  constructor(private readonly request: Request) {
    super(request.kernel);
    this.task = request.task;
    this.resumed = request.wait;
  }

  override get user(): UserMemory {
    return this.memory ?? this.task.user;
  }

  override fileAt(fd: number): OpenFile | undefined {
    return fd === this.request.fd && this.request.file !== null ? this.request.file : super.fileAt(fd);
  }
}
