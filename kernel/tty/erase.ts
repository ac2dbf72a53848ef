import { isAlphanumeric, isControl } from "./character-class.js";
import type { LineDiscipline } from "./line-discipline.js";
import { ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, ECHOPRT, VERASE, VKILL, VWERASE } from "./termios.js";
import type { Termios } from "./termios.js";

const TAB = 0x09;
const NEWLINE = 0x0a;
const BACKSPACE = 0x08;
const SPACE = 0x20;
const UNDERSCORE = 0x5f;

/** VERASE takes a character back, VWERASE a word, VKILL the line (n_tty.c: eraser). */
export function eraseInput(discipline: LineDiscipline, termios: Termios, byte: number): void {
  const { echo, input } = discipline;
  const has = (flag: number): boolean => (termios.local & flag) !== 0;
  if (input.head === input.lineHead) return;
  const kind =
    byte === termios.characters[VERASE] ? "erase" : byte === termios.characters[VWERASE] ? "word" : "kill";
  if (kind === "kill") {
    if (!has(ECHO)) {
      input.head = input.lineHead;
      return;
    }
    if (!has(ECHOK) || !has(ECHOKE) || !has(ECHOE)) {
      input.head = input.lineHead;
      discipline.finishErasing();
      echo.character(termios.characters[VKILL]);
      if (has(ECHOK)) echo.raw(NEWLINE);
      return;
    }
  }
  let seenWord = false;
  while (input.head !== input.lineHead) {
    // A character may have several bytes.
    let first = input.head;
    do first--;
    while (discipline.isContinuation(input.at(first)) && first !== input.lineHead);
    const erased = input.at(first);
    // The rest of a character whose beginning is not there stays.
    if (discipline.isContinuation(erased)) break;
    if (kind === "word") {
      if (isAlphanumeric(erased) || erased === UNDERSCORE) seenWord = true;
      else if (seenWord) break;
    }
    const end = input.head;
    input.head = first;
    if (has(ECHO)) {
      if (has(ECHOPRT)) {
        discipline.startErasing();
        echo.character(erased);
        for (let at = first + 1; at < end; at++) {
          echo.raw(input.at(at));
          echo.moveBackColumn();
        }
      } else if (kind === "erase" && !has(ECHOE)) echo.character(termios.characters[VERASE]);
      else if (erased === TAB) eraseTab(discipline, has(ECHOCTL));
      else {
        const control = isControl(erased);
        if (control && has(ECHOCTL)) wipe(discipline);
        if (!control || has(ECHOCTL)) wipe(discipline);
      }
    }
    if (kind === "erase") break;
  }
  if (input.head === input.lineHead && has(ECHO)) discipline.finishErasing();
}

function wipe({ echo }: LineDiscipline): void {
  for (const byte of [BACKSPACE, SPACE, BACKSPACE]) echo.raw(byte);
}

/** How far the tab reached depends on what stands before it in the line. */
function eraseTab(discipline: LineDiscipline, controls: boolean): void {
  const { echo, input } = discipline;
  let columns = 0;
  for (let at = input.head - 1; at >= input.lineHead; at--) {
    const byte = input.at(at);
    if (byte === TAB) {
      echo.eraseTab(columns, true);
      return;
    }
    if (isControl(byte)) columns += controls ? 2 : 0;
    else if (!discipline.isContinuation(byte)) columns++;
  }
  echo.eraseTab(columns, false);
}
