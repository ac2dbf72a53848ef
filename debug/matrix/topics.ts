import { access } from "./topics/access.js";
import { discard } from "./topics/discard.js";
import { protect } from "./topics/protect.js";
import { remap } from "./topics/remap.js";
import type { Topic } from "./topics/topic.js";
import { unmap } from "./topics/unmap.js";

export const TOPICS: readonly Topic[] = [discard, protect, unmap, remap, access];

export function findTopic(name: string): Topic | undefined {
  return TOPICS.find((topic) => topic.name === name);
}
