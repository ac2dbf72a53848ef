/**
 * What the releases answer that no machine at hand runs: as the nearest one that was recorded, but for these lines,
 * which the rules give. A value is the text after the case's name; a function makes it of the two recorded ones.
 */
export interface Difference {
  readonly base: "6.12" | "6.18";
  readonly answers: Readonly<Record<string, string | ((older: string, newer: string) => string)>>;
}

const newer = (_older: string, text: string): string => text;
const older = (text: string): string => text;

/** Sealed rows of a table of discards as the unsealed ones: /dev/zero was not anonymous before 6.17. */
function unsealed(_older: string, text: string): string {
  const words = text.trim().split(" ");
  for (let i = 0; i < words.length; i += 4) words[i + 3] = words[i + 1]!;
  return words.join(" ");
}

const GUARDS_OF_ANONYMOUS_MEMORY = {
  "3.1 advice before alignment, length, map": newer,
  "3.2 private anonymous memory": newer,
  "3.4 private anonymous memory, locked": newer,
  "A-5 /dev/zero, private": unsealed,
  "Q-1 one's own memory": newer,
  "Q-2 what was done before an error counts": newer,
  "3.7 guard pages of anonymous memory": newer,
  "3.7 the kernel's copies, munmap, locked memory": newer,
  "3.7 installing discards, removing does not": newer,
};

/** A repair that 6.12.117 and 7.2 have, and 6.18.44 not yet. */
const REPAIRED = [
  "5.6 DONTUNMAP of locked memory",
  "5.6 DONTUNMAP to beside its own area, and to beside another",
];
const NOT_REPAIRED = Object.fromEntries(REPAIRED.map((name) => [name, newer]));

export const DIFFERENCES: Readonly<Record<string, Difference>> = {
  "6.10": {
    base: "6.12",
    answers: {
      ...NOT_REPAIRED,
      "U-2 the area before stays split": "-1 [+0+4 rw][+4+2 rw sl] 7",
      "U-4 at the map limit, strictly inside": "-1 -1 -1 -1",
      "P-5 MDWE": "0 -1 -1",
      "P-6 RLIMIT_AS and RLIMIT_DATA": "-12",
      "P-6 RLIMIT_DATA": "-12",
      "P-7 the unsealed part keeps its content, and is split": "-1 9 [+0+4 rw][+4+2 rw sl]",
      "P-8 at the map limit, strictly inside": "-1 -1 -1",
      "R-2 the areas before have changed": "-1 [+0+4 rw][+4+2 rw sl][+6+2 rw]",
      "R-3 a hole before the sealed area, and after it": "-1 [+0+2 rw][+3+2 rw sl] -1 [+0+2 rw][+3+2 rw sl]",
      "R-4 EACCES of the same area": "-1 -1",
      "R-9 a refused PROT_EXEC has taken a key": "-1 1",
      "D-1 over ordinary memory, is the old mapping still there": "-13 r=SEGV/1/0x4",
      "D-3 with seals: see P-5 and R-4": "-1 -1",
      "2.4 FIXED to an unaligned address": "-22",
      "2.4 FIXED over itself": "-22",
      "2.4 FIXED beyond user space": "-22",
      "2.4 old size 0, private": "-22",
      "2.4 old size 0, shared": "1",
      "X-1 a sealed page in the destination":
        "-1 5 6 [+0+2 rw][+10+2 rw][+12+1 rw sl][+13+1 rw] -1 [+0+2 rw][+10+2 rw][+12+1 rw sl][+13+1 rw]",
      "X-2 a shrink whose tail is sealed": "-1 -1 [+0+4 rw][+4+2 rw sl] +0 [+0+2 rw][+4+2 rw sl]",
      "X-3 only the first area is asked": "-1 [+0+2 rw][+2+2 rw sl]",
      "X-4 FIXED of an unsealed and a sealed area": "-1 [+0+2 rw][+2+2 rw sl][+10+4 r]",
      "X-9 the areas before the refused one have moved": "-1 [+0+1 rw][+1+1 r][+2+1 rw sl]",
      "A-1 EPERM beats a hole's ENOMEM, what is before has gone": "-1 1 2 3 4",
      "A-12 the areas before the refused one": "-1 1 2 3",
      "S-5 a stack of key 0, which is denied": "killed by 11",
      "5.1 droppable memory": "killed by 11",
      "5.5 between two that have private pages": "[+0+1 rw][+1+2 rw]",
    },
  },
  "6.14": { base: "6.12", answers: { ...GUARDS_OF_ANONYMOUS_MEMORY, ...NOT_REPAIRED } },
  "6.16": {
    base: "6.12",
    answers: {
      ...GUARDS_OF_ANONYMOUS_MEMORY,
      ...NOT_REPAIRED,
      "2.4 FIXED to an unaligned address": "-22",
      "5.5 locked and unlocked again: above and below": newer,
      "5.5 used memory beside memory that is not": newer,
      "A-6 a private mapping of a file": newer,
      "3.4 a shared mapping of a file": newer,
      "3.4 a shared mapping through a read-only descriptor": newer,
      "3.4 shared anonymous memory": newer,
      "3.7 of a file, shared and private": newer,
    },
  },
  "7.2": {
    base: "6.18",
    answers: {
      ...Object.fromEntries(REPAIRED.map((name) => [name, older])),
      "5.6 the map count, for every mremap": "-12 -12 -12 -12",
      "W-1 /proc/self/mem into sealed memory": "-5 1",
      "W-1 of no permission": "-5 -5 0",
      "V-3 of the sealed vvar": "0 0 -22",
      "S-7 with an rseq record of key 0": "0 0 0x55555554",
    },
  },
};
