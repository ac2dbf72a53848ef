import type { Prompt } from "./state.js";

/** A line offered to be completed. */
export const promptWith = (text: string, history: readonly string[]): Prompt => ({
  text,
  at: text.length,
  recalled: history.length,
  draft: text,
});

/** The line after a key that edits it, as readline has them; null where the key is none of these. */
export function editPrompt(prompt: Prompt, key: string, history: readonly string[]): Prompt | null {
  const { text, at } = prompt;
  const edited = (next: string, cursor: number): Prompt => ({
    text: next,
    at: cursor,
    recalled: history.length,
    draft: next,
  });
  const moved = (cursor: number): Prompt => ({
    ...prompt,
    at: Math.max(0, Math.min(text.length, cursor)),
  });
  const recall = (index: number): Prompt => {
    if (index < 0 || index > history.length) return prompt;
    const shown = index === history.length ? prompt.draft : history[index]!;
    return { ...prompt, text: shown, at: shown.length, recalled: index };
  };
  switch (key) {
    case "BACKSPACE":
    case "CTRL_H":
      return at === 0 ? prompt : edited(text.slice(0, at - 1) + text.slice(at), at - 1);
    case "DELETE":
    case "CTRL_D":
      return edited(text.slice(0, at) + text.slice(at + 1), at);
    case "CTRL_U":
      return edited(text.slice(at), 0);
    case "CTRL_K":
      return edited(text.slice(0, at), at);
    case "CTRL_W": {
      const before = text.slice(0, at).replace(/\S*\s*$/, "");
      return edited(before + text.slice(at), before.length);
    }
    case "LEFT":
    case "CTRL_B":
      return moved(at - 1);
    case "RIGHT":
    case "CTRL_F":
      return moved(at + 1);
    case "HOME":
    case "CTRL_A":
      return moved(0);
    case "END":
    case "CTRL_E":
      return moved(text.length);
    case "UP":
    case "CTRL_P":
      return recall(prompt.recalled - 1);
    case "DOWN":
    case "CTRL_N":
      return recall(prompt.recalled + 1);
    default:
      return isCharacter(key) ? edited(text.slice(0, at) + key + text.slice(at), at + key.length) : null;
  }
}

/** A key that stands for itself: one character. */
const isCharacter = (key: string): boolean => [...key].length === 1;

/** The last word before the cursor as far as all names agree; whole, with a blank, where there is one name only. */
export function completePrompt(prompt: Prompt, names: readonly string[], history: readonly string[]): Prompt {
  const before = prompt.text.slice(0, prompt.at);
  const word = /[\w-]*$/.exec(before)![0];
  let common = names[0] ?? word;
  for (const name of names) while (!name.startsWith(common)) common = common.slice(0, -1);
  if (!common.startsWith(word)) return prompt;
  const head = before.slice(0, before.length - word.length) + common + (names.length === 1 ? " " : "");
  const text = head + prompt.text.slice(prompt.at);
  return { text, at: head.length, recalled: history.length, draft: text };
}
