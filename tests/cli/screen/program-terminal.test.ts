import { expect, test } from "vitest";
import { lineText } from "../../../cli/screen/canvas.js";
import { ProgramTerminal } from "../../../cli/screen/program-terminal.js";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The terminal takes what it is given in its own time. */
async function settled(terminal: ProgramTerminal): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return terminal
    .screen()
    .lines.map((line) => lineText(line).trimEnd())
    .join("\n")
    .trimEnd();
}

test("shows what had been written at a moment, and forgets a future that will not be", async () => {
  const terminal = new ProgramTerminal(
    { columns: 20, rows: 4 },
    () => {},
    () => {},
  );
  terminal.write(bytes("one\r\n"), 10);
  terminal.write(bytes("two\r\n"), 20);
  terminal.write(bytes("\x1b[31mthree\x1b[m"), 30);
  expect(await settled(terminal)).toBe("one\ntwo\nthree");
  expect(terminal.screen().lines[2]![0]).toMatchObject({ text: "three", style: { foreground: 1 } });
  terminal.showUntil(20);
  expect(await settled(terminal)).toBe("one\ntwo");
  terminal.showUntil(5);
  expect(await settled(terminal)).toBe("");
  terminal.showUntil(30);
  expect(await settled(terminal)).toBe("one\ntwo\nthree");
  terminal.showUntil(10);
  terminal.write(bytes("other"), 15);
  expect(await settled(terminal)).toBe("one\nother");
  terminal.showUntil(100);
  expect(await settled(terminal)).toBe("one\nother");
});

test("answers what the program asks its terminal", async () => {
  const answers: string[] = [];
  const terminal = new ProgramTerminal(
    { columns: 20, rows: 4 },
    (answer) => answers.push(Buffer.from(answer).toString("latin1")),
    () => {},
  );
  terminal.write(bytes("ab\x1b[6n"), 1);
  await settled(terminal);
  expect(answers).toEqual(["\x1b[1;3R"]);
});
