import { SYS } from "../linux.js";
import { sample } from "./sample.js";

export const hello = sample("hello", "one write, one exit", (program) => {
  const text = "hello from a program that an assembler in TypeScript made\n";
  program.syscall(SYS.write, 1, "message", text.length);
  program.within(".rodata", () => program.label("message").string(text));
});
