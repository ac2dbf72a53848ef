import { testProgram } from "./run.js";

testProgram("keys");
