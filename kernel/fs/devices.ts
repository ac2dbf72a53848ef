import { DISK_GROUP } from "../block/block-devices.js";
import { LoopControlFile } from "../block/loop-control.js";
import { LOOP_CONTROL_DEVICE, LOOP_COUNT, LOOP_MAJOR } from "../block/loop-uapi.js";
import type { Host } from "../host.js";
import {
  CONSOLE_DEVICE,
  FULL_DEVICE,
  FullFile,
  NULL_DEVICE,
  NullFile,
  PTMX_DEVICE,
  RANDOM_DEVICE,
  RandomFile,
  TTY_DEVICE,
  URANDOM_DEVICE,
  USERFAULT_DEVICE,
  UserfaultDevice,
  ZERO_DEVICE,
  ZeroFile,
} from "./device-files.js";
import type { DeviceNumber } from "./inode.js";
import { S_IFBLK, S_IFCHR } from "./mode.js";
import type { DeviceOpener, Namespace } from "./namespace.js";
import { installTerminals, mountPtys } from "./terminal-devices.js";
import { TreeFileSystem } from "./tree-file-system.js";

/** Tells the namespace what its character devices do, and puts their nodes into /dev. */
export function installDevices(namespace: Namespace, host: Host): void {
  const add = (device: DeviceNumber, open: DeviceOpener): void => {
    namespace.devices.set(`${device.major}:${device.minor}`, open);
  };
  add(NULL_DEVICE, (location, flags) => new NullFile(location, flags));
  add(ZERO_DEVICE, (location, flags) => new ZeroFile(location, flags));
  add(FULL_DEVICE, (location, flags) => new FullFile(location, flags));
  add(RANDOM_DEVICE, (location, flags) => new RandomFile(location, flags, host));
  add(URANDOM_DEVICE, (location, flags) => new RandomFile(location, flags, host));
  add(LOOP_CONTROL_DEVICE, (location, flags) => new LoopControlFile(location, flags));
  add(USERFAULT_DEVICE, (location, flags) => new UserfaultDevice(location, flags));
  installTerminals(namespace, host, add);

  const at = namespace.makePath("/dev");
  if (typeof at === "number") return;
  const fileSystem = new TreeFileSystem(
    namespace.context,
    namespace.newDevice(),
    null,
    undefined,
    "devtmpfs",
  );
  namespace.permanent.set("devtmpfs", fileSystem);
  namespace.mount(at, fileSystem, { source: "udev" });
  const node = (path: string, device: DeviceNumber, mode = 0o666): void => {
    namespace.addInode(path, { mode: S_IFCHR | mode, uid: 0, gid: 0, device });
  };
  node("/dev/null", NULL_DEVICE);
  node("/dev/zero", ZERO_DEVICE);
  node("/dev/full", FULL_DEVICE);
  node("/dev/random", RANDOM_DEVICE);
  node("/dev/urandom", URANDOM_DEVICE);
  node("/dev/tty", TTY_DEVICE);
  node("/dev/console", CONSOLE_DEVICE, 0o600);
  node("/dev/ptmx", PTMX_DEVICE);
  // udev gives them to the group "disk".
  const disk = (name: string, mode: number, device: DeviceNumber): void => {
    fileSystem.root.create(name, { mode: mode | 0o660, uid: 0, gid: DISK_GROUP, device });
  };
  disk("loop-control", S_IFCHR, LOOP_CONTROL_DEVICE);
  for (let minor = 0; minor < LOOP_COUNT; minor++)
    disk(`loop${minor}`, S_IFBLK, { major: LOOP_MAJOR, minor });
  node("/dev/userfaultfd", USERFAULT_DEVICE, 0o600);
  namespace.addSymlink("/dev/fd", "/proc/self/fd");
  namespace.addSymlink("/dev/stdin", "/proc/self/fd/0");
  namespace.addSymlink("/dev/stdout", "/proc/self/fd/1");
  namespace.addSymlink("/dev/stderr", "/proc/self/fd/2");
  const pts = namespace.makePath("/dev/pts");
  if (typeof pts !== "number") mountPtys(namespace, pts);
  const shm = namespace.makePath("/dev/shm");
  if (typeof shm === "number") return;
  const root = { mode: 0o1777, uid: 0, gid: 0 };
  const memory = new TreeFileSystem(namespace.context, namespace.newDevice(), null, root);
  memory.swappable = true;
  namespace.mount(shm, memory.limitToHalfOfMemory());
}
