import { OpenFile } from "../fs/open-file.js";

/** /dev/loop-control: makes loop devices, and takes them away (its requests are in syscalls/block-ioctl.ts). */
export class LoopControlFile extends OpenFile {}
