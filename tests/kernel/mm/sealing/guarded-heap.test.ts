import { describe, expect, it } from "vitest";
import { differences } from "./scenarios.js";

/** Two reservations behind a key, as a browser makes them; writes are closed from then on. */
const RESERVATIONS = `
needs keys
k = pkey_alloc wd
heap = mmap 4 rw anon
text = mmap 4 rwx anon
pkey_mprotect heap 4 rw k
pkey_mprotect text 4 rwx k
mseal heap 4
mseal text 4
`;

/** Models whose seal asks PKRU of a discard. */
const ASKING: [string, string][] = [
  ["linux", "EPERM"],
  ["guidelines", "EPERM"],
  ["hook", "EPERM"],
  ["v4:today", "EACCES"],
  ["v4:today:eperm", "EPERM"],
  ["rfc-v3:today", "EACCES"],
];

describe.each(ASKING)("a guarded, sealed heap under %s", (model, errno) => {
  const run = (text: string): string[] => differences(model, RESERVATIONS + text.replaceAll("EPERM", errno));

  it("7.12-1 neither the protection nor the key of the two changes, with writes open or closed", () => {
    expect(
      run(`
        other = pkey_alloc
        for $rights in wd rw {
          wrpkru k:$rights
          for $area $prot in heap rw, text rwx {
            mprotect $area 4 r                -> EPERM
            mprotect $area 4 $prot            -> EPERM
            pkey_mprotect $area 4 $prot 0     -> EPERM
            pkey_mprotect $area 4 $prot other -> EPERM
            munmap $area 4                    -> EPERM
          }
        }
        maps heap -> rw-p 4 sealed key=k
        maps text -> rwxp 4 sealed key=k`),
    ).toEqual([]);
  });
  it("7.12-2 freeing: closed it is refused; open it is done, and the pages are zero", () => {
    expect(
      run(`
        wrpkru k:rw
        write heap 7
        write text 8
        wrpkru k:wd
        madvise heap 4 dontneed -> EPERM
        madvise text 4 dontneed -> EPERM
        read heap -> 7
        wrpkru k:rw
        madvise heap 4 dontneed -> ok
        madvise text 4 dontneed -> ok
        wrpkru k:wd
        read heap -> 0
        read text -> 0
        write heap 1 -> SIGSEGV pkuerr k`),
    ).toEqual([]);
  });
  it("7.12-3 the calling thread's PKRU counts: one has opened, the other has not", () => {
    expect(
      run(`
        thread b {
          madvise heap 1 dontneed -> EPERM
        }
        wrpkru k:rw
        write heap 7
        in b {
          madvise heap 1 dontneed -> EPERM
          read heap -> 7
        }
        madvise heap 1 dontneed -> ok
        read heap -> 0
        join b`),
    ).toEqual([]);
  });
  it("7.12-4 a signal handler begins closed, whatever the interrupted code had", () => {
    expect(
      run(`
        wrpkru k:rw
        write heap 7
        on SIGUSR1 {
          rdpkru k -> ad
          madvise heap 1 dontneed -> EPERM
        }
        raise SIGUSR1
        rdpkru k -> rw
        read heap -> 7
        madvise heap 1 dontneed -> ok`),
    ).toEqual([]);
  });
});
