/**
 * Every numbered statement on models of sealing, and those without a number counted by their paragraph (7.12-3), in
 * short. coverage.test.ts holds the tests' names against it.
 */
export const STATEMENTS: Readonly<Record<string, string>> = {
  "7.1": "the table of models: errno, munmap, MAP_FIXED, mremap, mprotect, discard, further seals, merges",

  "v1-1": "the call: bits, flags, the range as mainline checks it",
  "v1-2": "with MSEAL no new bit",
  "v1-3": "the whole range is asked first; EACCES",
  "v1-4": "MPROTECT against mprotect and pkey_mprotect",
  "v1-5": "MUNMAP against munmap(2)",
  "v1-6": "MMAP against mmap(2), after all other checks",
  "v1-7": "MREMAP against mremap(2), of source and destination",
  "v1-8": "a bit binds the call of its name alone",
  "v1-9": "madvise, mlock, msync and mbind are never refused",
  "v1-10": "sealed areas merge with nothing",

  "7.3-1": "v2's arguments are unsigned long",
  "7.3-2": "each call passes a mask of its own",
  "7.3-3": "what can be seen is v1's",

  "v3-1": "implied BASE",
  "v3-2": "the order of the call's checks",
  "v3-3": "all or nothing, but for a failed split",
  "v3-4": "only what was mapped for it is sealed",
  "v3-5": "BASE, whoever asks",
  "v3-6": "PROT_PKEY",
  "v3-7": "DISCARD_RO_ANON, and the advice as posted",
  "v3-8": "PROT_SEAL_* in mmap; not in mprotect and remap_file_pages",
  "v3-9": "merges of equal seals",
  "v3-10": "what the thread came to",

  "7.5-1": "one bit, three arguments",
  "7.5-2": "PROT_SEAL and MAP_SEALABLE",
  "7.5-3": "EACCES, from v7 on EPERM",
  "7.5-4": "from v9 on neither of the two",

  "ob-1": "mimmutable(addr, len)",
  "ob-2": "munmap",
  "ob-3": "mprotect",
  "ob-4": "MAP_FIXED over it",
  "ob-5": "discards since January 2024",
  "ob-6": "mlock, fork, exec, exit",
  "ob-7": "7.3: read-write to read-only",
  "ob-8": "segments and the stack at exec, libraries by the loader, the mutable part",
  "ob-9": "mseal(a, l, 0) is mimmutable(a, l)",

  "xnu-1": "asked for when the memory is mapped",
  "xnu-2": "munmap says yes; the addresses stay taken",
  "xnu-3": "no mapping over it",
  "xnu-4": "mprotect within what the mapping may have",
  "xnu-5": "copies are not permanent; the end takes it away",

  "7.8-1": "PROT_IMMUTABLE sets the protection and freezes it",
  "7.8-2": "munmap, overlay, move and mprotect are refused then",
  "7.8-3": "PROT_DOWNGRADABLE: new within old",
  "7.8-4": "EPERM",

  "7.9-1": "a program is asked of a refusal and may permit",
  "7.9-2": "all else is unchanged",

  "7.10-1": "mprotect, munmap, MAP_FIXED; munmap is never partial",
  "7.10-2": "destructive advice, on private files too; keys count",
  "7.10-3": "mremap",
  "7.10-4": "mlock and msync are allowed",
  "7.10-5": "to seal again succeeds",
  "7.10-6": "what does not change content is allowed",
  "7.10-7": "FOLL_FORCE",

  "gl-1": "the linker's property",
  "gl-2": "what the loader seals",
  "gl-3": "the mutable part",
  "gl-4": "a hint, unless the minimum kernel has mseal",
  "gl-5": "the tunable",
  "gl-6": "a release has the wrapper only",

  "7.12-1": "two guarded, sealed reservations: neither protection nor key can change",
  "7.12-2": "to free: open, discard, close",
  "7.12-3": "the calling thread's PKRU counts",
  "7.12-4": "a signal handler begins closed",

  "sm-1": "a boot parameter for the system's mappings",
  "sm-2": "the prctl and the capability of a checkpoint tool",
  "sm-3": "as merged: the configuration alone",
};
