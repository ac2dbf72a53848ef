export { Assembler, type Image, type LinkOptions } from "./assembler.js";
export { AssemblerError } from "./assembler/error.js";
export { writeElf, type ElfOptions } from "./elf-writer.js";
export { ERRNO, MADV, MAP, MREMAP, PKEY, PROT, SIGNAL, SYS } from "./linux.js";
export { Program, SKIPPED, type Argument } from "./program.js";
export { findSample, samples, type Sample, type StoryLine } from "./samples/index.js";
