/** What /proc and /sys say of disks (block/genhd.c, block/blk-sysfs.c, drivers/block/loop.c). */

import type { BlockDevice } from "../../block/block-device.js";
import { SECTOR_BYTES } from "../../block/block-device.js";
import { blockDevices } from "../../block/block-devices.js";
import { LoopDevice } from "../../block/loop-device.js";
import { LO_FLAGS_AUTOCLEAR, LO_FLAGS_PARTSCAN } from "../../block/loop-uapi.js";
import type { Kernel } from "../../kernel.js";
import { directory, file, link, text } from "./file-system.js";
import type { Node } from "./file-system.js";

function disks(kernel: Kernel): BlockDevice[] {
  const { namespace } = kernel.init.leader.fs;
  return [...blockDevices(namespace).all()];
}

/** /proc/partitions: disks with a medium. */
export function partitionsTable(kernel: Kernel): string {
  const lines = disks(kernel)
    .filter(({ size }) => size > 0)
    .map(
      ({ number, size, name }) =>
        `${`${number.major}`.padStart(4)}  ${`${number.minor}`.padStart(7)} ${`${Math.floor(size / 1024)}`.padStart(10)} ${name}\n`,
    );
  return lines.length === 0 ? "" : `major minor  #blocks  name\n\n${lines.join("")}`;
}

/** /sys/devices/virtual/block */
export function blockDirectories(kernel: Kernel): Record<string, Node> {
  return Object.fromEntries(disks(kernel).map((disk) => [disk.name, directory(() => diskFiles(disk))]));
}

/** /sys/block and /sys/class/block: links, whose targets begin with `up`. */
export function blockLinks(kernel: Kernel, up: string): Record<string, Node> {
  return Object.fromEntries(
    disks(kernel).map(({ name }) => [name, link(`${up}devices/virtual/block/${name}`)]),
  );
}

/** /sys/dev/block: links by number. */
export function blockNumbers(kernel: Kernel): Record<string, Node> {
  return Object.fromEntries(
    disks(kernel).map(({ name, number }) => [
      `${number.major}:${number.minor}`,
      link(`../../devices/virtual/block/${name}`),
    ]),
  );
}

function number(value: () => number): Node {
  return file(() => `${value()}\n`);
}

function diskFiles(disk: BlockDevice): Record<string, Node> {
  const { major, minor } = disk.number;
  const loop = disk instanceof LoopDevice && disk.backing !== null ? disk : null;
  return {
    alignment_offset: text("0\n"),
    capability: text("0\n"),
    dev: text(`${major}:${minor}\n`),
    discard_alignment: text("0\n"),
    diskseq: number(() => disk.sequence),
    ext_range: text("256\n"),
    hidden: text("0\n"),
    holders: directory(() => ({})),
    inflight: text("       0        0\n"),
    ...(loop === null ? {} : { loop: directory(() => loopFiles(loop)) }),
    partscan: text("0\n"),
    queue: directory(() => queueFiles(disk)),
    range: text("1\n"),
    removable: text("0\n"),
    ro: number(() => (disk.readOnly ? 1 : 0)),
    size: number(() => disk.size / SECTOR_BYTES),
    slaves: directory(() => ({})),
    stat: file(() => statLine(disk)),
    subsystem: link("../../../../class/block"),
    uevent: file(
      () => `MAJOR=${major}\nMINOR=${minor}\nDEVNAME=${disk.name}\nDEVTYPE=disk\nDISKSEQ=${disk.sequence}\n`,
    ),
  };
}

/** Requests take no time, and none is ever under way. */
function statLine({ counts }: BlockDevice): string {
  const { reads, sectorsRead, writes, sectorsWritten } = counts;
  const numbers = [reads, 0, sectorsRead, 0, writes, 0, sectorsWritten, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  return `${numbers.map((value) => `${value}`.padStart(8)).join(" ")}\n`;
}

function queueFiles(disk: BlockDevice): Record<string, Node> {
  const discard = (): number => (disk.discards ? 0xffff_fe00 : 0);
  const sector = (): number => disk.sectorSize;
  return {
    discard_granularity: number(() => (disk.discards ? 4096 : 0)),
    discard_max_bytes: number(discard),
    discard_max_hw_bytes: number(discard),
    discard_zeroes_data: text("0\n"),
    hw_sector_size: number(sector),
    logical_block_size: number(sector),
    max_hw_sectors_kb: text("1280\n"),
    max_sectors_kb: text("1280\n"),
    minimum_io_size: number(sector),
    nr_requests: text("128\n"),
    optimal_io_size: text("0\n"),
    physical_block_size: number(sector),
    read_ahead_kb: number(() => disk.readAhead / 2),
    rotational: text("0\n"),
    scheduler: text("[none]\n"),
    write_zeroes_max_bytes: number(discard),
    zoned: text("none\n"),
  };
}

function loopFiles(loop: LoopDevice): Record<string, Node> {
  const flag = (bit: number): Node => number(() => ((loop.loopStatus.flags & bit) === 0 ? 0 : 1));
  return {
    autoclear: flag(LO_FLAGS_AUTOCLEAR),
    backing_file: file(() => `${loop.backing?.path ?? ""}\n`),
    dio: text("0\n"),
    offset: number(() => loop.loopStatus.offset),
    partscan: flag(LO_FLAGS_PARTSCAN),
    sizelimit: number(() => loop.loopStatus.sizeLimit),
  };
}
