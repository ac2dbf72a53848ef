import { testProgram } from "./run.js";

testProgram("discards");
