import { checkpoint } from "./checkpoint.js";
import { hello } from "./hello.js";
import { jitHeap } from "./jit-heap.js";
import { executeOnly, keyRights, signalPkru } from "./keys.js";
import { loader } from "./loader.js";
import { openSection } from "./open-section.js";
import { pageCrossingJump } from "./page-crossing-jump.js";
import { execSeals, forkKeys, forkSeals, threadKeys } from "./processes.js";
import {
  refusedMapFixed,
  refusedMprotect,
  refusedMremap,
  refusedMunmap,
  refusedPkeyMprotect,
} from "./refused.js";
import type { Sample } from "./sample.js";
import {
  munmapAllOrNothing,
  partialMprotect,
  sealedHeap,
  sealedRodata,
  sealedText,
} from "./sealed-memory.js";
import { sealHook } from "./seal-hook.js";
import { selfModifying } from "./self-modifying.js";

export type { Sample, StoryLine } from "./sample.js";

/** The sample programs, the simplest first. Each gives the same output on any Linux since 6.12 that has what it needs. */
export const samples: readonly Sample[] = [
  hello,
  refusedMunmap,
  refusedMprotect,
  refusedMremap,
  refusedMapFixed,
  refusedPkeyMprotect,
  jitHeap,
  loader,
  pageCrossingJump,
  sealedRodata,
  sealedText,
  partialMprotect,
  munmapAllOrNothing,
  sealedHeap,
  sealHook,
  keyRights,
  executeOnly,
  signalPkru,
  selfModifying,
  threadKeys,
  forkKeys,
  forkSeals,
  execSeals,
  checkpoint,
  openSection,
];

/** The sample of that name, or undefined. */
export function findSample(name: string): Sample | undefined {
  return samples.find((sample) => sample.name === name);
}
