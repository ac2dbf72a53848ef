import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";

/** Debian's own programs make, mount, fill, unmount and check a file system on a loop device, all in sealab. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const there = ["/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck", "/usr/bin/mount", "/usr/sbin/losetup"].every(
  existsSync,
);

const SCRIPT = `
set -e
cd /tmp
mkdir m
for type in ext2 ext3 ext4; do
  rm -f disk; truncate -s 8M disk; mkfs.$type -q disk
  mount -o loop disk m
  grep -c " /tmp/m $type rw,relatime 0 0" /proc/mounts
  cp /etc/passwd m/copy; mkdir m/d; ln m/copy m/d/link; ln -s copy m/soft
  cmp /etc/passwd m/soft; stat -c "%h %s" m/copy > counts; rm m/d/link
  mount -o remount,ro m; if touch m/no 2>/dev/null; then echo written; fi; mount -o remount,rw m
  umount m
  losetup -a
  e2fsck -fn disk > checked 2>&1 || cat checked
  mount -o loop,ro disk m; cmp /etc/passwd m/copy; umount m
done
echo done
`;

describe.skipIf(!there)("disks (skipped without Debian's e2fsprogs and mount)", () => {
  it("are made, mounted and checked by Debian's programs", () => {
    const options = ["--root", "/", "--user", "0", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"];
    const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", "/bin/sh", "-c", SCRIPT], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe("1\n1\n1\ndone\n");
  });
});
